"""A chat as one line of text, and back: the same moment on another machine."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dialogpt_widget.dialogue import files
from dialogpt_widget.dialogue.conversation import Conversation

PREFIX = "dialogpt-1:"
_KEPT = ("id", "origin", "position", "eos")  # of each row; the rest is computed again where the line is opened
_MOST_BYTES = 50_000_000  # of what a line unfolds to


@dataclass(frozen=True, slots=True)
class SharedChat:
    """What a line holds.

    Attributes:
        saved: conversation, model and settings; rows have ids, origins and positions alone.
        fingerprint: of the model's weights; see `ChatModel.fingerprint`.
        pinned: what the reader had selected: a turn's id and a token's place in it, either of them None.
    """

    saved: files.Saved
    fingerprint: str
    pinned: tuple[int | None, int | None]


def to_line(shared: SharedChat) -> str:
    """The line: the saved conversation with its rows made slim, deflated, as URL-safe base64."""
    slim = Conversation(next_id=shared.saved.conversation.next_id)
    whole = shared.saved.conversation.copy()
    for turn in whole.turns:
        slim.add(replace(turn, rows=None if turn.rows is None else _slim(turn.rows)), select=False)
    slim.restore(whole.leaf, whole.recent)
    content = {
        "chat": json.loads(files.dump(replace(shared.saved, conversation=slim))),
        "fingerprint": shared.fingerprint,
        "pinned": list(shared.pinned),
    }
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return PREFIX + base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode("ascii")


def from_line(line: str) -> SharedChat:
    """What a line holds.

    Raises:
        TypeError: not a string.
        ValueError: it is no such line, or damaged.
    """
    if not isinstance(line, str):
        raise TypeError(f"A shared chat is a line of text, not {type(line).__name__}.")
    text = "".join(line.split())
    if not text.startswith("dialogpt-"):
        raise ValueError(f"This is no shared chat: it begins with {PREFIX!r}.")
    if not text.startswith(PREFIX):
        raise ValueError("This chat was shared by a newer version: pip install --upgrade dialogpt-widget.")
    content = _unfolded(text.removeprefix(PREFIX))
    saved = files.parse(json.dumps(content["chat"]))
    turn, index = content["pinned"]
    if turn is not None and turn not in saved.conversation:
        turn = index = None
    return SharedChat(saved, str(content["fingerprint"]), (turn, index))


def _unfolded(text: str) -> Mapping[str, Any]:
    damaged = ValueError("This shared chat is damaged or was cut off: copy the whole line.")
    try:
        inflate = zlib.decompressobj()
        raw = inflate.decompress(base64.urlsafe_b64decode(text.encode("ascii")), _MOST_BYTES)
        content: Any = json.loads(raw) if inflate.eof else None
    except (ValueError, binascii.Error, zlib.error, RecursionError):
        raise damaged from None
    if not isinstance(content, dict):
        raise damaged
    pinned = content.get("pinned")
    if not isinstance(pinned, list) or len(pinned) != 2 or not {"chat", "fingerprint"} <= set(content):
        raise damaged
    if not all(one is None or type(one) is int for one in pinned):
        raise damaged
    return content


def _slim(rows: np.ndarray) -> np.ndarray:
    slim = np.zeros(len(rows), rows.dtype)
    for name in _KEPT:
        slim[name] = rows[name]
    slim["rank"] = rows["rank"] > 0
    return slim
