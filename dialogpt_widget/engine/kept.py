"""What a network has read last, and how much of it the next sequence shares."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import torch

from dialogpt_widget.engine.network import Network

PREFILL = 256  # tokens of a long context that are read at once, so that a stop is heard in between


class Kept:
    """The sequence that a network has read last.

    Attributes:
        ids: the sequence.
        reused: how many ids, of those that were asked for last, had been read already.
        moves: how often it changed.
    """

    def __init__(self, network: Network) -> None:
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
            self.forget()
            raise
        return logits

    def extend(self, ids: Sequence[int]) -> None:
        """These were read behind the sequence."""
        self.moves += 1
        self.ids.extend(ids)

    def forget(self) -> None:
        """Gives back the memory; the next sequence is read from its beginning."""
        self.moves += 1
        self._network.forget()
        self.ids = []

    def _crop(self, ids: list[int]) -> int:
        """Forgets what is not shared with `ids`; returns how many of them need not be read again."""
        same = min(len(self.ids), len(ids) - 1)
        if self.ids[:same] != ids[:same]:
            same = next(place for place in range(same) if self.ids[place] != ids[place])
        if same > 0:
            try:
                self._network.keep(same)
                del self.ids[same:]
                return same
            except (RuntimeError, ValueError, AttributeError):  # a cache that cannot be cropped, such as a state space
                pass
        self.forget()
        return 0
