"""The browser's side of a widget: what it has been sent, folded as `js/state.js` folds it."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable
from typing import Any

from builders import before_each_step

from dialogpt_widget import ChatWidget

GUARD = 60  # seconds after which a test that waits in vain is ended


class Page:
    """Listens to a widget's messages and sends it requests.

    Attributes:
        state: every key of the state as last sent.
        messages: all that was sent, in order: ("update", state) or ("custom", content).
        files: buffers that came with an answer, by its id.
        frame_rows: buffers that came with frames.
    """

    def __init__(self, widget: ChatWidget) -> None:
        self.widget = widget
        self.state: dict[str, Any] = widget.get_state()
        self.messages: list[tuple[str, Any]] = []
        self.files: dict[str, list[bytes]] = {}
        self.frame_rows: list[bytes] = []
        self._changed = threading.Condition()
        self._ids = itertools.count()
        _open(widget.comm, self._hear)

    def _hear(self, kind: str, data: Any = None, buffers: Any = None, **_: Any) -> None:
        with self._changed:
            if kind == "comm_msg":
                json.dumps(data, ensure_ascii=False).encode()  # as Jupyter's packer does
                method = data["method"]
                content = data["content"] if method == "custom" else data["state"]
                self.messages.append((method, content))
                if method == "update":
                    for path, buffer in zip(data["buffer_paths"], buffers or (), strict=True):
                        _put(content, path, bytes(buffer))
                    self.state |= content
                elif buffers and "seq" in content and "v" in content:
                    self.frame_rows.append(bytes(buffers[0]))
                elif buffers:
                    self.files[content["id"]] = [bytes(buffer) for buffer in buffers]
            self._changed.notify_all()

    def ask(self, op: str, file: bytes | None = None, **arguments: Any) -> dict[str, Any]:
        """Sends a request, perhaps with a file, and returns its one answer."""
        request_id = f"r{next(self._ids)}"
        buffers = [] if file is None else [memoryview(file)]
        self.widget._handle_custom_msg({"op": op, "id": request_id, **arguments}, buffers)
        answers = [answer for answer in self.custom() if answer.get("id") == request_id]
        assert len(answers) == 1
        return dict(answers[0])

    def download(self, name: str, *, branches: bool = False) -> tuple[dict[str, Any], bytes]:
        """Asks for the chat in a format; the answer and its one buffer."""
        answer = self.ask("export", format=name, branches=branches)
        assert answer["ok"]
        (content,) = self.files[answer["id"]]
        return answer, content

    def answered(self, turns: int) -> None:
        """Waits until that many turns are on the path and the model is ready for more."""
        self.until(lambda: len(self.turns()) == turns and self.state["status"]["phase"] == "ready")

    def custom(self) -> list[dict[str, Any]]:
        """All custom messages so far."""
        return [content for method, content in list(self.messages) if method == "custom"]

    def frames(self) -> list[dict[str, Any]]:
        """All frames so far."""
        return [content for content in self.custom() if "seq" in content and "v" in content]

    def until(self, condition: Callable[[], Any]) -> Any:
        """Waits for a condition that a message may bring about."""
        with self._changed:
            assert self._changed.wait_for(condition, GUARD), (self.state.get("status"), self.state.get("error"))
        return condition()

    def until_phase(self, phase: str) -> None:
        self.until(lambda: self.state["status"]["phase"] == phase)

    def turns(self) -> list[dict[str, Any]]:
        """The selected path, as the page finds it by following `parent`."""
        path, at = [], self.state["leaf"]
        while at is not None:
            path.append(self.state[f"turn_{at}"])
            at = path[-1]["parent"]
        return path[::-1]

    def texts(self) -> list[str]:
        return [turn["text"] for turn in self.turns()]


def _put(content: Any, path: list[Any], value: bytes) -> None:
    for step in path[:-1]:
        content = content[step]
    content[path[-1]] = value


def _open(comm: Any, hear: Callable[..., None]) -> None:
    """Listens to a comm; that of ipykernel 6 sends nothing without a kernel."""
    if hasattr(comm, "publish_msg"):
        comm.publish_msg = hear
        return
    from ipykernel.kernelbase import Kernel

    comm.kernel, comm._publish_msg = Kernel(), hear


class Gate:
    """Holds a model before each of its forward passes until `open`."""

    def __init__(self, model: Any) -> None:
        self._open = threading.Event()
        self.reached = threading.Event()
        before_each_step(model, self._wait)

    def _wait(self) -> None:
        self.reached.set()
        assert self._open.wait(GUARD)

    def open(self) -> None:
        self._open.set()

    def shut(self) -> None:
        self.reached.clear()
        self._open.clear()
