"""Listens to the web socket between a page and its kernel."""

from __future__ import annotations

import dataclasses
import json
import struct
from datetime import datetime
from typing import Any

from playwright.sync_api import Page, WebSocket


@dataclasses.dataclass(frozen=True)
class Heard:
    """A message from the kernel; `sent` is the kernel's own clock, `size` what crossed the wire."""

    kind: str
    sent: datetime
    size: int
    content: dict[str, Any]

    @property
    def frame(self) -> dict[str, Any] | None:
        """The piece of a running reply that it carries, if it does."""
        data = self.content.get("data", {})
        content = data.get("content") if data.get("method") == "custom" else None
        return content if isinstance(content, dict) and "seq" in content and "id" not in content else None


class Wiretap:
    """All that the kernel has said to a page since the last `clear`. Begin before the page opens its notebook."""

    def __init__(self, page: Page) -> None:
        self.heard: list[Heard] = []
        page.on("websocket", self._opened)

    def _opened(self, socket: WebSocket) -> None:
        if "/channels" in socket.url:
            socket.on("framereceived", self._received)

    def _received(self, payload: bytes | str) -> None:
        data = payload if isinstance(payload, bytes) else payload.encode()
        self.heard.append(_parse(data))

    def clear(self) -> None:
        """Forgets what was heard."""
        self.heard.clear()

    @property
    def size(self) -> int:
        """Bytes from the kernel to the page."""
        return sum(message.size for message in self.heard)

    @property
    def frames(self) -> list[Heard]:
        """The messages that carry a piece of a reply."""
        return [message for message in self.heard if message.frame is not None]


def _parse(data: bytes) -> Heard:
    """Takes a message apart that is packed in Jupyter's `v1.kernel.websocket.jupyter.org` way, or is plain JSON."""
    if data[:1] == b"{":
        message = json.loads(data)
        header, content = message["header"], message["content"]
    else:
        count = struct.unpack_from("<Q", data)[0]
        ends = struct.unpack_from(f"<{count}Q", data, 8)  # of channel, header, parent, metadata, content, buffers
        header, content = (json.loads(data[ends[place] : ends[place + 1]]) for place in (1, 4))
    return Heard(header["msg_type"], datetime.fromisoformat(header["date"].replace("Z", "+00:00")), len(data), content)
