"""Sequences that share nothing, read side by side: before the shorter ones stand fillers, which nothing looks at."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from dialogpt_widget.engine.models.kv_cache import CacheSlots, CacheWrite, KVCache

if TYPE_CHECKING:
    from dialogpt_widget.engine.models.base import GPT2Shape

PREFILL_TOKENS = 1024  # tokens that are read at once, fillers included, so that a stop is heard in between
FILLER = 0  # any id will do

Read = Callable[[Tensor, CacheSlots], Tensor]


class LeftPaddedBatch(ABC):
    """Sequences that end at the same column, then rows, each of which goes on from one of them.

    Args:
        sequences: ids of each, none empty.
        origins: of each row, which sequence it goes on from.
        device: to read them on.
    """

    def __init__(self, sequences: Sequence[Sequence[int]], origins: Sequence[int], device: torch.device) -> None:
        longest = max(map(len, sequences))
        fillers = [longest - len(ids) for ids in sequences]
        given = [[*[FILLER] * missing, *ids] for missing, ids in zip(fillers, sequences, strict=True)]
        self._given, self._first = torch.tensor(given, device=device), torch.tensor(fillers, device=device)
        self._origins, self._rows = list(origins), list(range(len(origins)))
        self._length = 0

    def begin(self, stop: threading.Event) -> Tensor | None:
        """See `IndependentBatch`."""
        states, count = None, max(1, PREFILL_TOKENS // len(self._given))
        for start in range(0, self._given.shape[1], count):
            if stop.is_set():
                return None
            states = self._next(self._given[:, start : start + count])
        assert states is not None
        self._select(self._origins)
        return states[self._origins]

    def advance(self, rows: Sequence[int], ids: Sequence[int]) -> Tensor:
        """See `IndependentBatch`."""
        wanted = dict(zip(rows, ids, strict=True))
        if len(wanted) < len(self._rows):
            order = _closed(self._rows, wanted)
            self._select(order)
            self._rows = [self._rows[place] for place in order]
        states = self._next(torch.tensor([[wanted[row]] for row in self._rows], device=self._first.device))
        return states[[self._rows.index(row) for row in rows]]

    def _next(self, ids: Tensor) -> Tensor:
        """The states `[rows, ...]` after the last column of ids `[rows, n]`."""
        columns = torch.arange(self._length + ids.shape[1], device=ids.device)
        places = columns - self._first[:, None]
        states = self._forward(ids, places[:, self._length :].clamp(min=0), places >= 0)
        self._length += ids.shape[1]
        return states

    def _select(self, order: Sequence[int]) -> None:
        self._first = self._first[list(order)]
        self._reorder(list(order))

    @abstractmethod
    def _forward(self, ids: Tensor, places: Tensor, real: Tensor) -> Tensor:
        """The states `[rows, ...]` after the last column of some ids.

        Args:
            ids: `[rows, n]`.
            places: theirs, `[rows, n]`, each row's counted from its own beginning.
            real: which are no fillers, `[rows, t]`, these and all that were read before.
        """

    @abstractmethod
    def _reorder(self, order: list[int]) -> None:
        """Row `place` goes on from what row `order[place]` has read."""


class LeftPaddedGPT2(LeftPaddedBatch):
    """Rows of a `GPT2`.

    Args:
        sequences, origins, device: see `LeftPaddedBatch`.
        reader: gives the forward pass, see `GPT2.forward`, for so many rows at a time.
    """

    def __init__(
        self,
        sequences: Sequence[Sequence[int]],
        origins: Sequence[int],
        device: torch.device,
        reader: Callable[[int], Read],
    ) -> None:
        super().__init__(sequences, origins, device)
        self._reader, self._read = reader, reader(1)
        self._room = _MaskedKVCache()

    def begin(self, stop: threading.Event) -> Tensor | None:
        """See `IndependentBatch`."""
        states = super().begin(stop)
        self._read = self._reader(len(self._rows))
        return states

    def _forward(self, ids: Tensor, places: Tensor, real: Tensor) -> Tensor:
        self._room.places, self._room.real = places, real
        return self._read(ids, self._room)[:, -1]

    def _reorder(self, order: list[int]) -> None:
        self._room.reorder(order)


class _MaskedKVCache(KVCache):
    """Room for rows of which each has places of its own; see `LeftPaddedBatch` for what is set before a pass."""

    places: Tensor
    real: Tensor

    def begin(self, shape: GPT2Shape, like: Tensor, batch: int, count: int) -> CacheWrite:
        """See `CacheSlots`. A filler sees itself, for of nothing there is no mean."""
        begun = super().begin(shape, like, batch, count)
        mask = self.real[:, None]
        if begun.mask is not None:
            itself = torch.ones_like(begun.mask).tril(self.length).triu(self.length)
            mask = begun.mask & mask | itself
        return begun._replace(places=self.places, mask=mask[:, None])

    def reorder(self, order: list[int]) -> None:
        """See `LeftPaddedBatch`; only rows that change are copied."""
        assert self.store is not None
        if len(order) > self.store.shape[2]:
            self.store = self.store[:, :, order]
            return
        moved = [place for place, origin in enumerate(order) if place != origin]
        self.store[:, :, moved] = self.store[:, :, [order[place] for place in moved]]
        self.store = self.store[:, :, : len(order)]

    def _capacity(self, _: GPT2Shape, wanted: int) -> int:
        return wanted  # the column of a short sequence's last id may be beyond the model's positions


def _closed(rows: Sequence[int], wanted: Collection[int]) -> list[int]:
    """Places of the rows that are wanted: each stays at its place, and those at the end fill the holes."""
    left = [place for place, row in enumerate(rows) if row in wanted]
    behind = iter([place for place in left if place >= len(left)])
    return [place if rows[place] in wanted else next(behind) for place in range(len(left))]
