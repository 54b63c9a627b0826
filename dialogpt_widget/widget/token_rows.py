"""Token rows as they cross to the page: at most 100 bytes a token with ten alternatives.

`js/inspect/tokens/rows.js` reads them. Little-endian, packed. What a page can see no difference in is halved:
entropies, masses, milliseconds and alternatives are float16.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dialogpt_widget.dialogue.detokenize import token_lengths
from dialogpt_widget.dialogue.tokens import ALTERNATIVES, FILTERS, NO_ID, turn_rows
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.widget.protocol import Piece, TokensState

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
