"""Keys and values of the ids that a GPT-2 has read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import torch
from torch import Tensor

from dialogpt_widget.engine.models.base import CausalLM

if TYPE_CHECKING:
    from dialogpt_widget.engine.models.base import GPT2Shape

FIRST_CAPACITY = 128  # tokens that a cache has room for at first


class CacheWrite(NamedTuple):
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


class CacheSlots(Protocol):
    """Where a forward pass puts its keys and values, and what it may see there."""

    def begin(self, shape: GPT2Shape, like: Tensor, /, batch: int, count: int) -> CacheWrite:
        """Makes room for `count` ids more.

        Args:
            shape: of the model.
            like: a tensor of its dtype on its device.
            batch: how many sequences.
            count: how many new ids, of each.
        """

    def end(self, count: int) -> None:
        """The ids were read."""


class KVCache:
    """Room that grows with what is read: `[layers, 2, b, h, capacity, w / h]`, of which `length` are filled."""

    def __init__(self) -> None:
        self.length = 0
        self.store: Tensor | None = None

    def begin(self, shape: GPT2Shape, like: Tensor, batch: int, count: int) -> CacheWrite:
        """See `CacheSlots`."""
        start, total = self.length, self.length + count
        if self.store is None or total > self.store.shape[4]:
            self.store = self._grown(shape, like, batch, total)
        mask = None
        if count > 1:  # each new id sees those before it and itself
            mask = torch.ones(count, total, dtype=torch.bool, device=like.device).tril(start)
        known, new = self.store[..., :total, :].unbind(), self.store[..., start:total, :].unbind()
        return CacheWrite(slice(start, total), mask, known, new)

    def end(self, count: int) -> None:
        """See `CacheSlots`."""
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

    def _capacity(self, shape: GPT2Shape, wanted: int) -> int:
        return min(wanted, shape.positions)

    def _grown(self, shape: GPT2Shape, like: Tensor, batch: int, total: int) -> Tensor:
        """The store with room for `total` ids, at least twice as many as before."""
        old = self.store
        wanted = max(total, FIRST_CAPACITY, 2 * (0 if old is None else old.shape[4]))
        store = like.new_empty(_size(shape, batch, self._capacity(shape, wanted)))
        if old is not None:
            store[..., : self.length, :] = old[..., : self.length, :]
        return store


class StaticKVCache(KVCache):
    """Room for one sequence as long as the model can read, and for one id more, at an address that never changes."""

    def __init__(self, shape: GPT2Shape, like: Tensor) -> None:
        super().__init__()
        # zeros, for what is masked is multiplied by 0, which NaN in uninitialised memory would survive
        self.store: Tensor = like.new_zeros(_size(shape, 1, shape.positions + 1))


class StaticCacheSlot:
    """One place of a fixed cache. Which, is in a tensor, so that a recorded pass can be replayed at any place.

    Attributes:
        place: `[1]`.
    """

    def __init__(self, cache: StaticKVCache) -> None:
        self._store = cache.store
        self._all = torch.arange(self._store.shape[4], device=self._store.device)
        self.place = self._all[-1:].clone()  # the spare one, which no sequence reaches

    def begin(self, shape: GPT2Shape, _like: Tensor, batch: int, count: int) -> CacheWrite:
        """See `CacheSlots`."""
        assert (batch, count) == (1, 1)
        place, known = self.place.clamp(max=shape.positions - 1), self._store.unbind()
        return CacheWrite(place, (self._all <= self.place)[None], known, known, self.place)

    def end(self, count: int) -> None:
        """The place is moved from outside."""


def _size(shape: GPT2Shape, batch: int, capacity: int) -> tuple[int, ...]:
    return shape.layers, 2, batch, shape.heads, capacity, shape.width // shape.heads


Read = Callable[[Tensor, CacheSlots], Tensor]


class SharedPrefixBatch(KVCache):
    """Room for the ids of all branches in the order in which they are read.

    Each branch sees what all of them share and its own ids. To the forward pass one id of each of `n` branches is a
    sequence of `n` ids, so that what is shared is stored once and read once a step.

    Args:
        trunk: the cache of what they share, whose ids must not change as long as the branches grow.
        count: how many branches.
        read: the forward pass, see `GPT2.forward`.
    """

    def __init__(self, trunk: KVCache, count: int, read: Read) -> None:
        super().__init__()
        self._trunk, self._read = trunk, read
        self.length, self.store = trunk.length, trunk.store
        self._shared = trunk.length
        self._own: list[list[int]] = [[] for _ in range(count)]
        self._rows: Sequence[int] = range(count)
        self._seen: Tensor | None = None

    def begin(self, shape: GPT2Shape, like: Tensor, batch: int, count: int) -> CacheWrite:
        """See `CacheSlots`; the ids are one of each of the branches that were last named."""
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
        """See `CacheSlots`."""
        for place, row in enumerate(self._rows, self.length):
            self._own[row].append(place)
        super().end(count)

    def advance(self, rows: Sequence[int], ids: Sequence[int]) -> Tensor:
        """See `SharedBatch`."""
        assert self.store is not None
        self._rows = rows
        return self._read(torch.tensor([list(ids)], device=self.store.device), self)[0]

    def settle(self, row: int) -> int:
        """See `SharedBatch`."""
        assert self.store is not None
        self._trunk.append(self.store[..., self._own[row], :])
        return len(self._own[row])

    def _capacity(self, _: GPT2Shape, wanted: int) -> int:
        return wanted  # of all branches together, whatever the positions

    def _grown_mask(self, total: int, device: torch.device) -> Tensor:
        if self._seen is None or self._seen.shape[1] < total:
            old, count = self._seen, len(self._own)
            self._seen = torch.zeros(count, 2 * total, dtype=torch.bool, device=device)
            self._seen[:, : self._shared] = True
            if old is not None:
                self._seen[:, : old.shape[1]] = old
        return self._seen


PREFILL = 256  # tokens of a long context that are read at once, so that a stop is heard in between


class PrefixCache:
    """The sequence that a network has read last.

    Attributes:
        ids: the sequence.
        reused: how many ids, of those that were asked for last, had been read already.
        moves: how often it changed.
    """

    def __init__(self, network: CausalLM) -> None:
        self._network = network
        self.ids: list[int] = []
        self.reused = self.moves = 0

    def read(self, ids: list[int], stop: threading.Event) -> torch.Tensor | None:
        """Logits `[vocabulary]` after `ids`, of which only those are read that were not; None when stopped."""
        logits = None
        self.moves += 1
        try:
            start = self.reused = self._crop(ids)
            for begin in range(start, len(ids), PREFILL):
                if stop.is_set():
                    return None
                piece = ids[begin : begin + PREFILL]
                logits = self._network.advance(piece)
                self.ids.extend(piece)
        except BaseException:
            self.clear()
            raise
        return logits

    def extend(self, ids: Sequence[int]) -> None:
        """Appends ids that are already in the KV cache."""
        self.moves += 1
        self.ids.extend(ids)

    def clear(self) -> None:
        """Gives back the memory; the next sequence is read from its beginning."""
        self.moves += 1
        self._network.clear_cache()
        self.ids = []

    def _crop(self, ids: list[int]) -> int:
        """Crops the cache to what it shares with `ids`; returns how many of these need not be read again."""
        same = min(len(self.ids), len(ids) - 1)
        if self.ids[:same] != ids[:same]:
            same = next(place for place in range(same) if self.ids[place] != ids[place])
        if same > 0:
            try:
                self._network.crop(same)
                del self.ids[same:]
                return same
            except (RuntimeError, ValueError, AttributeError):  # a cache that cannot be cropped, such as a state space
                pass
        self.clear()
        return 0
