"""A token that was chosen, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dialogpt_widget.dialogue.tokens import NO_ID, ORIGINS, row_type


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was chosen and how; the columns of `TokenTable` of the same names say what each value means."""

    id: int
    eos: bool
    position: int
    origin: str
    logprob: float
    logprob_used: float
    rank: int
    entropy: float
    entropy_used: float
    kept: int
    cut_count: tuple[int, ...]
    cut_mass: tuple[float, ...]
    draw: float
    ms: float
    alt_id: tuple[int, ...]
    alt_logprob: tuple[float, ...]
    alt_fate: tuple[int, ...]


def token_rows(tokens: Sequence[Token], vocabulary: int, start: int = 0) -> np.ndarray:
    """The tokens of a reply as rows of `row_type(vocabulary)`; what depends on the path is left 0.

    Args:
        tokens: in order.
        vocabulary: number of ids that the model knows.
        start: tokens of context before the reply, so that `position` is the slot in which each was scored.
    """
    rows = np.zeros(len(tokens), row_type(vocabulary))
    same = [name for name in Token.__dataclass_fields__ if not name.startswith("alt_") and name != "origin"]
    for name in same:
        if tokens:
            rows[name] = [getattr(token, name) for token in tokens]
    rows["position"] += start
    for row, token in zip(rows, tokens, strict=True):
        row["origin"] = ORIGINS.index(token.origin)
        found = len(token.alt_id)
        row["alt_id"], row["alt_logprob"] = NO_ID, np.nan
        row["alt_id"][:found] = token.alt_id
        row["alt_logprob"][:found] = token.alt_logprob
        row["alt_fate"][:found] = token.alt_fate
    return rows
