"""Keys and values of the ids that a GPT-2 has read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import torch
from torch import Tensor

if TYPE_CHECKING:
    from dialogpt_widget.engine.gpt2 import Shape

FIRST_CAPACITY = 128  # tokens that a cache has room for at first


class Begun(NamedTuple):
    """What a forward pass needs to know of its room.

    Attributes:
        places: of the new ids.
        mask: of attention; None if all is seen.
        known: of each layer all keys and values, `[2, b, h, t, w / h]`, the new ones not yet in them.
        new: those of the new ids, `[2, b, h, n, w / h]`, as parts of `known`; where it is `at` that says which, all.
        at: the only place `[1]` of a recorded pass; None where `new` is known.
    """

    places: slice | Tensor
    mask: Tensor | None
    known: Sequence[Tensor]
    new: Sequence[Tensor]
    at: Tensor | None = None


class Room(Protocol):
    """Where a forward pass puts its keys and values, and what it may see there."""

    def begin(self, shape: Shape, like: Tensor, /, batch: int, count: int) -> Begun:
        """Makes room for `count` ids more.

        Args:
            shape: of the model.
            like: a tensor of its dtype on its device.
            batch: how many sequences.
            count: how many new ids, of each.
        """

    def end(self, count: int) -> None:
        """The ids were read."""


class Cache:
    """Room that grows with what is read: `[layers, 2, b, h, capacity, w / h]`, of which `length` are filled."""

    def __init__(self) -> None:
        self.length = 0
        self.store: Tensor | None = None

    def begin(self, shape: Shape, like: Tensor, batch: int, count: int) -> Begun:
        """See `Room`."""
        start, total = self.length, self.length + count
        if self.store is None or total > self.store.shape[4]:
            self.store = self._grown(shape, like, batch, total)
        mask = None
        if count > 1:  # each new id sees those before it and itself
            mask = torch.ones(count, total, dtype=torch.bool, device=like.device).tril(start)
        known, new = self.store[..., :total, :].unbind(), self.store[..., start:total, :].unbind()
        return Begun(slice(start, total), mask, known, new)

    def end(self, count: int) -> None:
        """See `Room`."""
        self.length += count

    def append(self, read: Tensor) -> None:
        """Adds keys and values `[layers, 2, b, h, n, w / h]` that were read elsewhere."""
        assert self.store is not None
        end = self.length + read.shape[4]
        if end > self.store.shape[4]:
            self.store = torch.cat([self.store[..., : self.length, :], read], 4)
        else:
            self.store[..., self.length : end, :] = read
        self.length = end

    def _capacity(self, shape: Shape, wanted: int) -> int:
        return min(wanted, shape.positions)

    def _grown(self, shape: Shape, like: Tensor, batch: int, total: int) -> Tensor:
        """The store with room for `total` ids, at least twice as many as before."""
        old = self.store
        wanted = max(total, FIRST_CAPACITY, 2 * (0 if old is None else old.shape[4]))
        store = like.new_empty(_size(shape, batch, self._capacity(shape, wanted)))
        if old is not None:
            store[..., : self.length, :] = old[..., : self.length, :]
        return store


class FixedCache(Cache):
    """Room for one sequence as long as the model can read, and for one id more, at an address that never changes."""

    def __init__(self, shape: Shape, like: Tensor) -> None:
        super().__init__()
        # zeros, for what is masked is multiplied by 0, which NaN in uninitialised memory would survive
        self.store: Tensor = like.new_zeros(_size(shape, 1, shape.positions + 1))


class Slot:
    """One place of a fixed cache. Which, is in a tensor, so that a recorded pass can be replayed at any place.

    Attributes:
        place: `[1]`.
    """

    def __init__(self, cache: FixedCache) -> None:
        self._store = cache.store
        self._all = torch.arange(self._store.shape[4], device=self._store.device)
        self.place = self._all[-1:].clone()  # the spare one, which no sequence reaches

    def begin(self, shape: Shape, _like: Tensor, batch: int, count: int) -> Begun:
        """See `Room`."""
        assert (batch, count) == (1, 1)
        place, known = self.place.clamp(max=shape.positions - 1), self._store.unbind()
        return Begun(place, (self._all <= self.place)[None], known, known, self.place)

    def end(self, count: int) -> None:
        """The place is moved from outside."""


def _size(shape: Shape, batch: int, capacity: int) -> tuple[int, ...]:
    return shape.layers, 2, batch, shape.heads, capacity, shape.width // shape.heads
