"""Record of one decoding step: the token, what each filter removed, the dice, the alternatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from dialogpt_widget.dialogue.tokens import FILTERS, NO_ID, ORIGINS, row_type


class FilterLedger:
    """Record of one decoding step: the token, what each filter removed, the dice, the alternatives."""

    def __init__(self) -> None:
        self.left = 0
        self.count = [0] * len(FILTERS)
        self.mass = [0.0] * len(FILTERS)
        self._survivors: dict[int, set[int]] = {}
        self._removed: dict[int, set[int]] = {}

    def note(self, rule: int, before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
        """Records what a processor of the whole vocabulary barred; gives its scores back."""
        gone = ((after == -torch.inf) & (before > -torch.inf)).nonzero()[:, 0]
        self.count[rule] = len(gone)
        self.left -= len(gone)
        self._removed[rule] = set(gone.tolist())
        if len(gone):
            self.mass[rule] = float((before[gone] - torch.logsumexp(before, 0)).exp().sum())
        return after

    def bar(self, rule: int, token: int, mass: float) -> None:
        """Records that one token was barred, and its share of what was left."""
        self.count[rule], self.mass[rule], self._removed[rule] = 1, mass, {token}
        self.left -= 1

    def removed(self, token: int) -> bool:
        """Whether a token was barred."""
        return any(token in gone for gone in self._removed.values())

    def spare(self, token: int) -> None:
        """Takes back the removal of one token."""
        for rule, gone in self._removed.items():
            if token in gone:
                gone.remove(token)
                self.count[rule] -= 1
        self.left += 1

    def cut(self, rule: int, count: int, mass: float, survivors: np.ndarray) -> None:
        """Records what a warper removed, and whom it left."""
        self.count[rule] = count
        self.mass[rule] = max(0.0, mass) if count else 0.0
        self.left = len(survivors)
        self._survivors[rule] = set(survivors.tolist()) if count else set()

    def fates(self, ids: Sequence[int]) -> tuple[int, ...]:
        """For each token 0 if it was left to draw from, else 1 + the place in `FILTERS` of what removed it."""
        found = [0] * len(ids)
        for rule, count in enumerate(self.count):
            if not count:
                continue
            gone, left = self._removed.get(rule, ()), self._survivors.get(rule)
            for place, token in enumerate(ids):
                if not found[place] and (token in gone or (left is not None and token not in left)):
                    found[place] = rule + 1
        return tuple(found)


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
