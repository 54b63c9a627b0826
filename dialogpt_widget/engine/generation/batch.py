"""Several replies decoded side by side: to one context, or to many."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

import torch

from dialogpt_widget.engine.generation.sampler import Sampler
from dialogpt_widget.engine.generation.trace import Token
from dialogpt_widget.engine.models.base import CausalLM, SharedBatch
from dialogpt_widget.engine.models.kv_cache import PrefixCache

Step = list[tuple[int, Token]]


def batch(
    network: CausalLM,
    computing: Callable[[], AbstractContextManager[None]],
    contexts: Sequence[Sequence[int]],
    samplers: Sequence[Sampler],
    limits: Sequence[int],
    stop: threading.Event,
) -> Iterator[Step]:
    """Yields the next token of every reply that goes on, with the number of its context, from 0, in their order.

    What the network has read last stays as it is. A context that comes several times is read once. A reply that has
    ended takes no further time; `ms` of a token is its share of the step and its own choice.

    Args:
        network: that reads them.
        computing: the network to oneself, as long as a step takes.
        contexts: ids of each, every turn followed by EOS.
        samplers: of each reply, with its own dice.
        limits: longest reply to each, in tokens, at least 1.
        stop: when set, no further step begins.
    """
    different = list(dict.fromkeys(map(tuple, contexts)))
    places = {ids: place for place, ids in enumerate(different)}
    origins = [places[tuple(ids)] for ids in contexts]
    said: list[list[int]] = [[] for _ in contexts]
    live = list(range(len(contexts)))
    rows = None
    while live and not stop.is_set():
        began = time.perf_counter()
        with computing():
            if rows is None:
                rows = network.rows(different, origins)
                states = rows.begin(stop)
                if states is None:
                    return
            else:
                states = rows.advance(live, [said[row][-1] for row in live])
            logits = network.unembed(states)
            share = (time.perf_counter() - began) / len(live)
            chosen = []
            for place, row in enumerate(live):
                began = time.perf_counter() - share
                chosen.append((row, samplers[row].choose(logits[place], said[row], began=began)))
        yield chosen
        for row, token in chosen:
            said[row].append(token.id)
        live = [row for row, token in chosen if not token.eos and len(said[row]) < limits[row]]


class CandidateBatch:
    """Iterate over it for each step's tokens, each with the number of its reply, from 0, in their order.

    A step reads one token of every reply that goes on; `ms` of a token is its share of that and its own choice.

    Args:
        network: that reads them.
        kept: what it has read.
        computing: the network to oneself, as long as a step takes.
        ids: the context, every turn followed by EOS.
        samplers: of each reply, with its own dice; the settings are the same.
        limit: longest reply, in tokens.
        stop: when set, no further step begins.
        states: of each reply a list to which each step's state is appended; None where they are not wanted.

    Attributes:
        said: ids of each reply so far, without EOS.
    """

    def __init__(
        self,
        network: CausalLM,
        prefix_cache: PrefixCache,
        computing: Callable[[], AbstractContextManager[None]],
        ids: Sequence[int],
        samplers: Sequence[Sampler],
        limit: int,
        stop: threading.Event,
        states: Sequence[list[torch.Tensor]] | None = None,
    ) -> None:
        self._network, self._prefix_cache, self._computing = network, prefix_cache, computing
        self._ids, self._samplers, self._limit, self._stop = list(ids), samplers, limit, stop
        self._side: SharedBatch | None = None
        self._moves = 0
        self._states = states
        self.said: list[list[int]] = [[] for _ in samplers]

    def __iter__(self) -> Iterator[list[tuple[int, Token]]]:
        """Yields the next token of every reply that goes on."""
        live = list(range(len(self._samplers)))
        for _ in range(self._limit):
            chosen = self._step(live)
            if chosen:
                yield chosen
            live = [row for row, token in chosen if not token.eos]
            if not live:
                return

    def keep(self, row: int) -> None:
        """Has the model go on from what it has read of a reply, so that the next context that begins with it is short.

        Nothing happens where the model has read something else meanwhile.
        """
        with self._computing():
            if self._side is not None and self._moves == self._prefix_cache.moves:
                self._prefix_cache.extend(self.said[row][: self._side.settle(row)])
                self._side = None

    def _step(self, live: Sequence[int]) -> list[tuple[int, Token]]:
        began = time.perf_counter()
        with self._computing():
            states = self._advanced(live)
            if states is None:
                return []
            scores = self._samplers[live[0]].read(self._network.unembed(states))
            share = (time.perf_counter() - began) / len(live)
            chosen = []
            for place, row in enumerate(live):
                began = time.perf_counter() - share
                source = min(place, len(states) - 1)
                token = self._samplers[row].choose(scores[source], self.said[row], began=began)
                if self._states is not None:
                    self._states[row].append(states[source].clone())
                chosen.append((row, token))
        for row, token in chosen:
            if not token.eos:
                self.said[row].append(token.id)
        return chosen

    def _advanced(self, live: Sequence[int]) -> torch.Tensor | None:
        """The states after all that was said, `[rows, ...]`, or `[1, ...]` after the context; None when stopped."""
        if self._stop.is_set():
            return None
        said = len(self.said[live[0]])
        unread = range(said - 1, said)
        if (
            self._side is None or self._moves != self._prefix_cache.moves
        ):  # nothing was read yet, or something else meanwhile
            if self._prefix_cache.read(self._ids, self._stop) is None:
                return None
            self._side, self._moves = self._network.branches(len(self._samplers)), self._prefix_cache.moves
            unread = range(said)
        assert self._network.state is not None
        states = self._network.state[None]
        try:
            for place in unread:
                states = self._side.advance(live, [self.said[row][place] for row in live])
        except BaseException:
            self._prefix_cache.clear()
            raise
        return states
