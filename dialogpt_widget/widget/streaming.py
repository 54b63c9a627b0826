"""A running reply on its way to the page: numbered frames, at most one each 40 ms, and token rows packed as bytes.

A row takes at most 100 bytes with ten alternatives. `js/inspect/tokens/rows.js` reads them: little-endian, packed; what
a page can see no difference in is halved: entropies, masses, milliseconds and alternatives are float16.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dialogpt_widget.dialogue.detokenize import token_lengths
from dialogpt_widget.dialogue.tokens import ALTERNATIVES, FILTERS, NO_ID, turn_rows
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.widget.protocol import FRAME_INTERVAL, VERSION, Frame, Piece, TokensState

if TYPE_CHECKING:
    from dialogpt_widget.chat.reply import Reply
    from dialogpt_widget.engine.model import ChatModel

EOS_FLAG, SCORED_FLAG = 4, 8  # beside the origin's place in `ORIGINS`
FATE_BITS = 3
LONGEST = 255


def wire_type(*, wide: bool, full: bool) -> np.dtype[Any]:
    """The dtype of a row: `wide` where the vocabulary has 65,536 ids or more, `full` with what is known of a choice."""
    width = "<u4" if wide else "<u2"
    brief: list[Any] = [("id", width), ("chars", "u1"), ("flags", "u1")]
    scores: list[Any] = [
        ("rank", width),
        ("kept", width),
        ("logprob", "<f4"),
        ("logprob_used", "<f4"),
        ("draw", "<f4"),
        ("entropy", "<f2"),
        ("entropy_used", "<f2"),
        ("ms", "<f2"),
        ("cut_count", width, (len(FILTERS),)),
        ("cut_mass", "<f2", (len(FILTERS),)),
        ("alt_id", width, (ALTERNATIVES,)),
        ("alt_logprob", "<f2", (ALTERNATIVES,)),
        ("alt_fate", "<u4"),
    ]
    return np.dtype(brief + scores if full else brief)


def pack(rows: np.ndarray, lengths: Sequence[int] | None = None, *, full: bool = True) -> bytes:
    """Rows of `row_type` as bytes of `wire_type`.

    Args:
        rows: in order.
        lengths: of each in the shown text, UTF-16 units; 0 where it is not known.
        full: whether with what is known of a choice.
    """
    packed = np.zeros(len(rows), wire_type(wide=is_wide(rows), full=full))
    with np.errstate(over="ignore"):
        for name in packed.dtype.names or ():
            if name in (rows.dtype.names or ()) and name not in ("alt_id", "alt_fate"):
                packed[name] = rows[name]
    packed["flags"] = rows["origin"] | rows["eos"] * EOS_FLAG | (rows["rank"] > 0) * SCORED_FLAG
    if lengths is not None:
        packed["chars"] = lengths
    if full:
        known = rows["alt_id"] != NO_ID
        packed["alt_id"] = np.where(known, rows["alt_id"], 0)
        packed["alt_logprob"][~known] = np.nan
        shifts = np.arange(ALTERNATIVES, dtype=np.uint32) * FATE_BITS
        packed["alt_fate"] = (rows["alt_fate"].astype(np.uint32) << shifts).sum(1)
    return packed.tobytes()


def rows_of(reply: Reply) -> Callable[[int], tuple[int, bytes]]:
    """For `FrameStream.begin`: how many token rows a running reply has, and those from a place on."""

    def rows(start: int) -> tuple[int, bytes]:
        new = reply.rows(start)
        return start + len(new), pack(new)

    return rows


def is_wide(rows: np.ndarray) -> bool:
    """Whether ids take four bytes."""
    return rows.dtype["id"].itemsize > 2


def tokens_state(turn: Turn, model: ChatModel, differs: int | None = None) -> TokensState:
    """A turn's tokens, its final EOS included, as the page needs them.

    Args:
        turn: in the ids of the model.
        model: what decodes them.
        differs: the place of the first token that this machine would choose otherwise.
    """
    rows = turn_rows(turn, model.eos, model.vocabulary)
    stream = model.text_stream()
    pieces = [stream.add(token) for token in turn.ids]
    if pieces:
        pieces[-1] += stream.finish()
    lengths = token_lengths(pieces, turn.text)
    if lengths is not None:
        lengths = [*lengths, 0] if max(lengths, default=0) <= LONGEST else None
    full = bool((rows["rank"] > 0).any())
    ids = _mentioned(rows) if full else dict.fromkeys(rows["id"].tolist())
    return {
        "wide": is_wide(rows),
        "full": full,
        "data": pack(rows, lengths, full=full),
        "pieces": [shown(model.piece(token)) for token in ids],
        "differs": differs,
    }


def plain(tokens: TokensState | None) -> dict[str, Any] | None:
    """A turn's tokens as JSON, their rows in base64."""
    return None if tokens is None else {**tokens, "data": base64.b64encode(tokens["data"]).decode("ascii")}


def _mentioned(rows: np.ndarray) -> dict[int, None]:
    """The ids of rows and their alternatives, each once, in the order of the rows."""
    every = np.concatenate([rows["id"][:, None].astype(np.int64), rows["alt_id"]], 1)
    return dict.fromkeys(token for token in every.ravel().tolist() if token != NO_ID)


def shown(piece: bytes) -> Piece:
    """A token's bytes as JSON: text, or the bytes' numbers where they are no valid UTF-8."""
    try:
        return piece.decode()
    except UnicodeDecodeError:
        return list(piece)


def pieces_of(ids: Sequence[int], piece: Callable[[int], bytes]) -> dict[str, Piece]:
    """Tokens' bytes by id, as JSON."""
    return {str(token): shown(piece(token)) for token in ids}


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
        """Ends the frames of a reply; its settled turn delivers the rest."""
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
        """Marks what is new as delivered, for a page that asks for it instead of being told."""
        with self._lock:
            if self._turn is not None and (self._sent != len(self._text) or self._cut is not None or self._more()):
                self._seq, self._sent, self._cut = self._seq + 1, len(self._text), None

    def snapshot(self) -> Snapshot:
        """The running reply as far as frames have delivered it."""
        with self._lock:
            if self._turn is None:
                return Snapshot(self._seq, None, "", None, [])
            rows = self._rows(0)[1] if self._rows is not None and self._watching else None
            drafts = [text[:sent] for text, sent in zip(self._drafts, self._drafts_sent, strict=True)]
            return Snapshot(self._seq, self._turn, self._text[: self._sent], rows, drafts)


def units(text: str) -> int:
    """Length of a text in UTF-16 units, as a page counts."""
    return len(text.encode("utf-16-le")) // 2
