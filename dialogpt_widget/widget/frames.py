"""A running reply on its way to the browser: pieces of text gathered into numbered frames, at most one each 40 ms."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from dialogpt_widget.widget.wire import FRAME_INTERVAL, VERSION, Frame


class Frames:
    """Gathers what the model says and posts it, paced.

    Args:
        post: sends one frame; called under a lock, from the thread that generates or from the one that waits for it.
    """

    def __init__(self, post: Callable[[Frame], object]) -> None:
        self._post = post
        self._lock = threading.RLock()
        self._seq = 0
        self._turn: int | None = None
        self._text = ""
        self._sent = 0
        self._last = 0.0

    def begin(self, turn: int) -> None:
        """A reply begins, which will be turn number `turn`."""
        with self._lock:
            self._turn, self._text, self._sent = turn, "", 0

    def add(self, piece: str) -> None:
        """More of the reply's text."""
        with self._lock:
            self._text += piece

    def end(self) -> None:
        """The reply has ended; its settled turn brings what no frame has brought."""
        with self._lock:
            self._turn = None

    def post_due(self) -> None:
        """Posts what is new, unless the last frame was posted less than an interval ago."""
        with self._lock:
            now = time.monotonic()
            if self._turn is None or self._sent == len(self._text) or now - self._last < FRAME_INTERVAL:
                return
            self._seq += 1
            self._last = now
            piece, self._sent = self._text[self._sent :], len(self._text)
            self._post({"v": VERSION, "seq": self._seq, "turn": self._turn, "text": piece})

    def catch_up(self) -> None:
        """Counts what is new as brought by a frame, for a page that asks for it instead of being told."""
        with self._lock:
            if self._turn is not None and self._sent != len(self._text):
                self._seq, self._sent = self._seq + 1, len(self._text)

    def snapshot(self) -> tuple[int, int | None, str]:
        """Number of the last frame, the running turn and its text as far as frames have brought it."""
        with self._lock:
            return self._seq, self._turn, self._text[: self._sent] if self._turn is not None else ""
