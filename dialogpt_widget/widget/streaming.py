"""A running reply on its way to the browser: pieces of text gathered into numbered frames, at most one each 40 ms."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from dialogpt_widget.widget.protocol import FRAME_INTERVAL, VERSION, Frame


class Snapshot(NamedTuple):
    """A running reply.

    Attributes:
        seq: number of the last frame.
        turn: its id, or that of a list of replies that are said side by side; None where none is running.
        text: of one reply alone.
        rows: its token rows, where a page wants them.
        drafts: the texts of several replies.
    """

    seq: int
    turn: int | None
    text: str
    rows: bytes | None
    drafts: list[str]


class FrameStream:
    """Gathers what the model says and posts it, paced.

    Args:
        post: sends one frame; called under a lock, from the thread that generates or from the one that waits for it.
    """

    def __init__(self, post: Callable[[Frame, list[bytes]], object]) -> None:
        self._post = post
        self._lock = threading.RLock()
        self._seq = 0
        self._turn: int | None = None
        self._text = ""
        self._sent = 0
        self._cut: int | None = None
        self._rows: Callable[[int], tuple[int, bytes]] | None = None
        self._rows_sent = 0
        self._void = False  # whether rows that were sent have been taken back
        self._watching: set[str] = set()
        self._drafts: list[str] = []
        self._drafts_sent: list[int] = []
        self._last = 0.0

    def watch(self, page: str, *, on: bool) -> None:
        """Whether a page wants token rows."""
        with self._lock:
            (self._watching.add if on else self._watching.discard)(page)

    def begin(self, turn: int, rows: Callable[[int], tuple[int, bytes]] | None = None) -> None:
        """A reply begins, which will be turn number `turn`.

        Args:
            turn: its number.
            rows: gives how many token rows there are, and those from a place on as bytes.
        """
        with self._lock:
            self._turn, self._text, self._sent, self._cut = turn, "", 0, None
            self._rows, self._rows_sent, self._void = rows, 0, False
            self._drafts, self._drafts_sent = [], []

    def begin_drafts(self, list_id: int, count: int) -> None:
        """So many replies begin side by side, of the list number `list_id`."""
        with self._lock:
            self.begin(list_id)
            self._drafts, self._drafts_sent = [""] * count, [0] * count

    def add_to(self, place: int, piece: str) -> None:
        """More of the text of one of several replies."""
        with self._lock:
            self._drafts[place] += piece

    def add(self, piece: str) -> None:
        """More of the reply's text."""
        with self._lock:
            self._text += piece

    def cut(self, text: str, rows: int) -> None:
        """Something was taken back: this much of the text is left, and this many token rows."""
        with self._lock:
            self._text = text
            if self._rows_sent > rows:
                self._rows_sent, self._void = rows, True
            if self._sent > len(text):
                self._sent = len(text)
                self._cut = self._sent if self._cut is None else min(self._cut, self._sent)

    def end(self) -> None:
        """The reply has ended; its settled turn brings what no frame has brought."""
        with self._lock:
            self._turn = self._rows = None

    def post_due(self) -> None:
        """Posts what is new, unless the last frame was posted less than an interval ago."""
        with self._lock:
            now = time.monotonic()
            if self._turn is None or now - self._last < FRAME_INTERVAL:
                return
            first, (count, rows) = self._rows_sent, self._new_rows()
            changed, more = bool(rows) or self._void, self._more()
            if self._sent == len(self._text) and self._cut is None and not changed and not more:
                return
            self._seq += 1
            self._last = now
            piece, self._sent = self._text[self._sent :], len(self._text)
            frame: Frame = {"v": VERSION, "seq": self._seq, "turn": self._turn, "text": piece}
            if self._cut is not None:
                frame["at"], self._cut = units(self._text[: self._cut]), None
            if more:
                frame["more"] = more
            if changed:
                frame["row"], self._rows_sent, self._void = first, count, False
            self._post(frame, [rows] if changed else [])

    def flush(self) -> None:
        """Posts what is new, as soon as the interval since the last frame is over."""
        time.sleep(max(0.0, self._last + FRAME_INTERVAL - time.monotonic()))
        self.post_due()

    def _more(self) -> list[tuple[int, str]]:
        """What is new of several replies, now sent."""
        more = [
            (place, text[sent:]) for place, (text, sent) in enumerate(zip(self._drafts, self._drafts_sent, strict=True))
        ]
        self._drafts_sent = [len(text) for text in self._drafts]
        return [(place, piece) for place, piece in more if piece]

    def _new_rows(self) -> tuple[int, bytes]:
        if self._rows is None or not self._watching:
            return self._rows_sent, b""
        return self._rows(self._rows_sent)

    def catch_up(self) -> None:
        """Counts what is new as brought by a frame, for a page that asks for it instead of being told."""
        with self._lock:
            if self._turn is not None and (self._sent != len(self._text) or self._cut is not None or self._more()):
                self._seq, self._sent, self._cut = self._seq + 1, len(self._text), None

    def snapshot(self) -> Snapshot:
        """The running reply as far as frames have brought it."""
        with self._lock:
            if self._turn is None:
                return Snapshot(self._seq, None, "", None, [])
            rows = self._rows(0)[1] if self._rows is not None and self._watching else None
            drafts = [text[:sent] for text, sent in zip(self._drafts, self._drafts_sent, strict=True)]
            return Snapshot(self._seq, self._turn, self._text[: self._sent], rows, drafts)


def units(text: str) -> int:
    """Length of a text in UTF-16 units, as a page counts."""
    return len(text.encode("utf-16-le")) // 2
