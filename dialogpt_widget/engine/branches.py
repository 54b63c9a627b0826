"""Several continuations of one sequence, read side by side behind one copy of what they share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from dialogpt_widget.engine.cache import Begun, Cache, Room

if TYPE_CHECKING:
    from dialogpt_widget.engine.gpt2 import Shape

Read = Callable[[Tensor, Room], Tensor]


class Branches(Cache):
    """Room for the ids of all branches in the order in which they are read.

    Each branch sees what all of them share and its own ids. To the forward pass one id of each of `n` branches is a
    sequence of `n` ids, so that what is shared is stored once and read once a step.

    Args:
        trunk: the cache of what they share, whose ids must not change as long as the branches grow.
        count: how many branches.
        read: the forward pass, see `GPT2.forward`.
    """

    def __init__(self, trunk: Cache, count: int, read: Read) -> None:
        super().__init__()
        self._trunk, self._read = trunk, read
        self.length, self.store = trunk.length, trunk.store
        self._shared = trunk.length
        self._own: list[list[int]] = [[] for _ in range(count)]
        self._rows: Sequence[int] = range(count)
        self._seen: Tensor | None = None

    def begin(self, shape: Shape, like: Tensor, batch: int, count: int) -> Begun:
        """See `Room`; the ids are one of each of the branches that were last named."""
        assert batch == 1
        assert count == len(self._rows)
        begun = super().begin(shape, like, batch, count)
        seen = self._grown_mask(self.length + count, like.device)
        for place, row in enumerate(self._rows, self.length):
            seen[row, place] = True
        rows = torch.tensor(list(self._rows), device=like.device)
        places = torch.tensor([self._shared + len(self._own[row]) for row in self._rows], device=like.device)
        return begun._replace(places=places, mask=seen[rows, : self.length + count])

    def end(self, count: int) -> None:
        """See `Room`."""
        for place, row in enumerate(self._rows, self.length):
            self._own[row].append(place)
        super().end(count)

    def advance(self, rows: Sequence[int], ids: Sequence[int]) -> Tensor:
        """See `Side`."""
        assert self.store is not None
        self._rows = rows
        return self._read(torch.tensor([list(ids)], device=self.store.device), self)[0]

    def settle(self, row: int) -> int:
        """See `Side`."""
        assert self.store is not None
        self._trunk.append(self.store[..., self._own[row], :])
        return len(self._own[row])

    def _capacity(self, _: Shape, wanted: int) -> int:
        return wanted  # of all branches together, whatever the positions

    def _grown_mask(self, total: int, device: torch.device) -> Tensor:
        if self._seen is None or self._seen.shape[1] < total:
            old, count = self._seen, len(self._own)
            self._seen = torch.zeros(count, 2 * total, dtype=torch.bool, device=device)
            self._seen[:, : self._shared] = True
            if old is not None:
                self._seen[:, : old.shape[1]] = old
        return self._seen
