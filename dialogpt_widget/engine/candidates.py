"""Several replies to one context, decoded side by side: what they share is read once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

import torch

from dialogpt_widget.engine.decoding import Decoder
from dialogpt_widget.engine.kept import Kept
from dialogpt_widget.engine.network import Network, Side
from dialogpt_widget.engine.record import Token


class Candidates:
    """Iterate over it for each step's tokens, each with the number of its reply, from 0, in their order.

    A step reads one token of every reply that goes on; `ms` of a token is its share of that and its own choice.

    Args:
        network: that reads them.
        kept: what it has read.
        computing: the network to oneself, as long as a step takes.
        ids: the context, every turn followed by EOS.
        decoders: of each reply, with its own dice; the settings are the same.
        limit: longest reply, in tokens.
        stop: when set, no further step begins.
        states: of each reply a list to which each step's state is appended; None where they are not wanted.

    Attributes:
        said: ids of each reply so far, without EOS.
    """

    def __init__(
        self,
        network: Network,
        kept: Kept,
        computing: Callable[[], AbstractContextManager[None]],
        ids: Sequence[int],
        decoders: Sequence[Decoder],
        limit: int,
        stop: threading.Event,
        states: Sequence[list[torch.Tensor]] | None = None,
    ) -> None:
        self._network, self._kept, self._computing = network, kept, computing
        self._ids, self._decoders, self._limit, self._stop = list(ids), decoders, limit, stop
        self._side: Side | None = None
        self._moves = 0
        self._states = states
        self.said: list[list[int]] = [[] for _ in decoders]

    def __iter__(self) -> Iterator[list[tuple[int, Token]]]:
        """Yields the next token of every reply that goes on."""
        live = list(range(len(self._decoders)))
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
            if self._side is not None and self._moves == self._kept.moves:
                self._kept.extend(self.said[row][: self._side.settle(row)])
                self._side = None

    def _step(self, live: Sequence[int]) -> list[tuple[int, Token]]:
        began = time.perf_counter()
        with self._computing():
            states = self._advanced(live)
            if states is None:
                return []
            scores = self._decoders[live[0]].read(self._network.unembed(states))
            share = (time.perf_counter() - began) / len(live)
            chosen = []
            for place, row in enumerate(live):
                began = time.perf_counter() - share
                source = min(place, len(states) - 1)
                token = self._decoders[row].choose(scores[source], self.said[row], began=began)
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
        if self._side is None or self._moves != self._kept.moves:  # nothing was read yet, or something else meanwhile
            if self._kept.read(self._ids, self._stop) is None:
                return None
            self._side, self._moves = self._network.branches(len(self._decoders)), self._kept.moves
            unread = range(said)
        assert self._network.state is not None
        states = self._network.state[None]
        try:
            for place in unread:
                states = self._side.advance(live, [self.said[row][place] for row in live])
        except BaseException:
            self._kept.forget()
            raise
        return states
