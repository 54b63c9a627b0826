"""What the chat asks of a network, and how any causal language model of transformers gives it."""

from __future__ import annotations

import inspect
import math
import threading
from collections.abc import Sequence
from typing import Any, Protocol

import torch

from dialogpt_widget.engine.cached_forward import CachedForward
from dialogpt_widget.engine.copies import Copies
from dialogpt_widget.engine.padded import Apart, PaddedModel, pads


class Side(Protocol):
    """Several continuations of what a network has read, side by side, as long as that does not change."""

    def advance(self, rows: Sequence[int], ids: Sequence[int]) -> torch.Tensor:
        """Reads an id of each of some continuations; the states `[rows, ...]` after them.

        Args:
            rows: which continuations, each once; one that was left out does not come back.
            ids: one for each of them.
        """

    def settle(self, row: int) -> int:
        """Has the network go on from what a continuation has read, of which it keeps so many ids; the others end."""


class Rows(Protocol):
    """Sequences that share nothing side by side, apart from what the network has read."""

    def begin(self, stop: threading.Event) -> torch.Tensor | None:
        """Reads the sequences; the states `[rows, ...]` after them, None when stopped."""

    def advance(self, rows: Sequence[int], ids: Sequence[int]) -> torch.Tensor:
        """Reads an id of each of some rows; see `Side`."""


class Network(Protocol):
    """A causal language model with the cache of the one sequence that it has read last.

    Attributes:
        vocabulary: number of ids.
        positions: the longest sequence it can take; None where it has no limit.
        parameters: how many it has.
        state: what `unembed` makes the last step's logits of again.
        compact: whether states are small beside logits, so that many can be kept.
        embeddings: of the tokens, `[vocabulary, width]`.
    """

    vocabulary: int
    positions: int | None
    parameters: int
    state: torch.Tensor | None
    compact: bool
    embeddings: torch.Tensor

    def advance(self, ids: Sequence[int]) -> torch.Tensor:
        """Reads ids after what is cached; logits `[vocabulary]` after the last of them."""

    def keep(self, count: int) -> None:
        """Forgets all but the first `count` ids that were read.

        Raises:
            ValueError, RuntimeError, AttributeError: this network's cache cannot do that.
        """

    def forget(self) -> None:
        """Forgets what was read and gives the memory back."""

    def branches(self, count: int) -> Side:
        """So many continuations of what was read, of which none has read more."""

    def rows(self, sequences: Sequence[Sequence[int]], origins: Sequence[int]) -> Rows:
        """Several rows, of which each is to go on from one of some sequences, by its place among them."""

    def states(self, ids: Sequence[int]) -> torch.Tensor:
        """The states `[n, ...]` after each of `ids`, without the cache."""

    def many(self, sequences: Sequence[Sequence[int]]) -> torch.Tensor:
        """The states `[b, n, ...]` after each id of `b` sequences, without the cache; `n` is the longest one's length.

        What stands after the end of a shorter one means nothing.
        """

    def unembed(self, states: torch.Tensor) -> torch.Tensor:
        """Logits `[..., vocabulary]` of states."""


class TransformersNetwork:
    """A causal language model of transformers.

    Args:
        model: in evaluation mode, on its device.
        tokenizer: asked for the longest sequence where the model's configuration does not say it.

    Its states are the logits themselves: what happens between hidden states and logits differs between architectures.
    """

    compact = False

    def __init__(self, model: Any, tokenizer: Any = None) -> None:
        self._model, self._forward = model, CachedForward(model)
        self.embeddings: torch.Tensor = model.get_input_embeddings().weight
        self.vocabulary = int(model.get_output_embeddings().weight.shape[0])
        self.positions = _positions(model, tokenizer)
        self.parameters = sum(weight.numel() for weight in model.parameters())
        accepted = inspect.signature(model.forward).parameters
        self._last_only = {"logits_to_keep": 1} if "logits_to_keep" in accepted else {}
        self._pads = pads(model, accepted)
        self._cache: Any = None
        self._length = 0
        self.state: torch.Tensor | None = None

    def advance(self, ids: Sequence[int]) -> torch.Tensor:
        """See `Network`."""
        last, self._cache = self._read(ids, self._cache)
        self.state, self._length = last, self._length + len(ids)
        return last

    def keep(self, count: int) -> None:
        """See `Network`."""
        if self._cache is None:
            raise ValueError("This model keeps no cache.")
        if count < self._length:
            self._cache.crop(count - self._length)
            self._length = count

    def forget(self) -> None:
        """See `Network`."""
        self._cache, self._length = None, 0

    def branches(self, count: int) -> Side:
        """See `Network`."""
        return Copies(self._model, self._cache, count)

    def rows(self, sequences: Sequence[Sequence[int]], origins: Sequence[int]) -> Rows:
        """See `Network`."""
        if self._pads:
            return PaddedModel(self._model, sequences, origins, self._last_only)
        return Apart(self._read, [sequences[one] for one in origins])

    def unembed(self, states: torch.Tensor) -> torch.Tensor:
        """See `Network`."""
        return states

    def states(self, ids: Sequence[int]) -> torch.Tensor:
        """See `Network`."""
        return self.many([ids])[0]

    def many(self, sequences: Sequence[Sequence[int]]) -> torch.Tensor:
        """See `Network`."""
        every: torch.Tensor = self._model(input_ids=filled(sequences).to(self._model.device)).logits
        return every

    def _read(self, ids: Sequence[int], cache: Any) -> tuple[torch.Tensor, Any]:
        given = torch.tensor([list(ids)], device=self._model.device)
        logits, cache = self._forward(given, cache, **self._last_only)
        return logits[0, -1], cache


def filled(sequences: Sequence[Sequence[int]]) -> torch.Tensor:
    """Sequences of ids as one tensor `[b, n]`; the shorter ones are filled up where a causal model never looks."""
    longest = max(map(len, sequences))
    return torch.tensor([[*ids, *[0] * (longest - len(ids))] for ids in sequences])


def _positions(model: Any, tokenizer: Any) -> int | None:
    positions = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if isinstance(positions, int) and positions > 0:
        return positions
    longest = getattr(tokenizer, "model_max_length", math.inf)
    return int(longest) if longest < 1e9 else None
