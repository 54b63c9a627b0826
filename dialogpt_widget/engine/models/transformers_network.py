"""The forward pass of a model of transformers with its cache, whatever this version calls that argument."""

from __future__ import annotations

import copy
import inspect
import math
import threading
from collections.abc import Callable, Collection, Sequence
from typing import Any

import torch
from torch import Tensor

from dialogpt_widget.engine.models.base import IndependentBatch, SharedBatch, filled
from dialogpt_widget.engine.models.batching import LeftPaddedBatch

CACHE_NAMES = ("cache", "past_key_values")  # from transformers 5.40 on, and before


class CachedForward:
    """Calls a model of transformers with ids and a cache.

    Args:
        model: of transformers.

    Attributes:
        cache_name: name of the argument and of the output that is the cache, as the model's `forward` spells it.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        accepted = inspect.signature(model.forward).parameters
        self.cache_name = next((name for name in CACHE_NAMES if name in accepted), CACHE_NAMES[-1])

    def __call__(self, ids: torch.Tensor, cache: Any, **options: Any) -> tuple[torch.Tensor, Any]:
        """Reads ids after those that a cache holds.

        Args:
            ids: `[rows, n]`.
            cache: of the same rows; None for an empty one.
            **options: what else `forward` is given.

        Returns:
            The logits `[rows, n or 1, vocabulary]` and the cache with the new ids.
        """
        out = self._model(input_ids=ids, use_cache=True, **{self.cache_name: cache}, **options)
        return out.logits, getattr(out, self.cache_name)


class TransformersCausalLM:
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
        """See `CausalLM`."""
        last, self._cache = self._read(ids, self._cache)
        self.state, self._length = last, self._length + len(ids)
        return last

    def crop(self, count: int) -> None:
        """See `CausalLM`."""
        if self._cache is None:
            raise ValueError("This model keeps no cache.")
        if count < self._length:
            self._cache.crop(count - self._length)
            self._length = count

    def clear_cache(self) -> None:
        """See `CausalLM`."""
        self._cache, self._length = None, 0

    def branches(self, count: int) -> SharedBatch:
        """See `CausalLM`."""
        return RepeatedCacheBatch(self._model, self._cache, count)

    def rows(self, sequences: Sequence[Sequence[int]], origins: Sequence[int]) -> IndependentBatch:
        """See `CausalLM`."""
        if self._pads:
            return LeftPaddedTransformers(self._model, sequences, origins, self._last_only)
        return SequentialBatch(self._read, [sequences[one] for one in origins])

    def unembed(self, states: torch.Tensor) -> torch.Tensor:
        """See `CausalLM`."""
        return states

    def states(self, ids: Sequence[int]) -> torch.Tensor:
        """See `CausalLM`."""
        return self.many([ids])[0]

    def many(self, sequences: Sequence[Sequence[int]]) -> torch.Tensor:
        """See `CausalLM`."""
        every: torch.Tensor = self._model(input_ids=filled(sequences).to(self._model.device)).logits
        return every

    def _read(self, ids: Sequence[int], cache: Any) -> tuple[torch.Tensor, Any]:
        given = torch.tensor([list(ids)], device=self._model.device)
        logits, cache = self._forward(given, cache, **self._last_only)
        return logits[0, -1], cache


def _positions(model: Any, tokenizer: Any) -> int | None:
    positions = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if isinstance(positions, int) and positions > 0:
        return positions
    longest = getattr(tokenizer, "model_max_length", math.inf)
    return int(longest) if longest < 1e9 else None


class RepeatedCacheBatch:
    """Continuations that a model of transformers reads as a batch; one by one where its cache cannot be repeated.

    Args:
        model: of transformers.
        cache: of what they share, which is left as it is.
        count: how many continuations.
    """

    def __init__(self, model: Any, cache: Any, count: int) -> None:
        self._model, self._forward = model, CachedForward(model)
        self._batches = [(list(range(count)), copy.deepcopy(cache))]
        try:
            self._batches[0][1].batch_repeat_interleave(count)
        except (AttributeError, NotImplementedError):  # such as a state space
            self._batches = [([row], copy.deepcopy(cache)) for row in range(count)]

    def advance(self, rows: Sequence[int], ids: Sequence[int]) -> torch.Tensor:
        """See `SharedBatch`."""
        wanted = dict(zip(rows, ids, strict=True))
        self._batches = [(left, cache) for own, cache in self._batches if (left := _narrowed(own, cache, wanted))]
        logits: dict[int, torch.Tensor] = {}
        for place, (own, cache) in enumerate(self._batches):
            given = torch.tensor([[wanted[row]] for row in own], device=self._model.device)
            found, read = self._forward(given, cache)
            self._batches[place] = own, read
            logits |= dict(zip(own, found[:, -1], strict=True))
        return torch.stack([logits[row] for row in rows])

    def settle(self, _: int) -> int:
        """See `SharedBatch`; keeps nothing, so that the ids are read again."""
        return 0


def _narrowed(own: list[int], cache: Any, wanted: dict[int, int]) -> list[int]:
    """Crops a batch to the rows that go on; returns which those are."""
    places = [place for place, row in enumerate(own) if row in wanted]
    if 0 < len(places) < len(own):
        cache.batch_select_indices(torch.tensor(places))
    return [own[place] for place in places]


ATTENTION = {"full_attention", "sliding_attention"}  # kinds of layers that a mask keeps from seeing fillers


class LeftPaddedTransformers(LeftPaddedBatch):
    """Rows of a model of transformers whose layers a mask keeps from seeing fillers, see `pads`.

    Args:
        model: of transformers.
        sequences, origins: see `LeftPaddedBatch`.
        options: what else its forward pass is given.
    """

    def __init__(
        self, model: Any, sequences: Sequence[Sequence[int]], origins: Sequence[int], options: dict[str, Any]
    ) -> None:
        super().__init__(sequences, origins, model.device)
        self._model, self._read, self._options = model, CachedForward(model), options
        self._cache: Any = None

    def _forward(self, ids: Tensor, places: Tensor, real: Tensor) -> Tensor:
        logits, self._cache = self._read(
            ids, self._cache, attention_mask=real.long(), position_ids=places, **self._options
        )
        return logits[:, -1]

    def _reorder(self, order: list[int]) -> None:
        self._cache.batch_select_indices(torch.tensor(order, device=self._model.device))


class SequentialBatch:
    """Rows of a model that would see fillers, such as a state space: one by one.

    Args:
        read: reads ids after what a cache holds, None at first; the logits `[vocabulary]` after them and the cache.
        sequences: ids of each row.
    """

    def __init__(
        self, read: Callable[[Sequence[int], Any], tuple[Tensor, Any]], sequences: Sequence[Sequence[int]]
    ) -> None:
        self._read, self._sequences = read, sequences
        self._caches: list[Any] = [None] * len(sequences)

    def begin(self, stop: threading.Event) -> Tensor | None:
        """See `IndependentBatch`."""
        states = []
        for row, ids in enumerate(self._sequences):
            if stop.is_set():
                return None
            states.append(self._next(row, ids))
        return torch.stack(states)

    def advance(self, rows: Sequence[int], ids: Sequence[int]) -> Tensor:
        """See `IndependentBatch`."""
        return torch.stack([self._next(row, [token]) for row, token in zip(rows, ids, strict=True)])

    def _next(self, row: int, ids: Sequence[int]) -> Tensor:
        state, self._caches[row] = self._read(ids, self._caches[row])
        return state


def pads(model: Any, accepted: Collection[str]) -> bool:
    """Whether a model of transformers can be kept from seeing fillers.

    Args:
        model: of transformers.
        accepted: what its forward pass can be given.
    """
    kinds = getattr(model.config.get_text_config(), "layer_types", None) or ()
    told = {"attention_mask", "position_ids"} <= set(accepted)
    return told and not getattr(model, "_is_stateful", False) and ATTENTION.issuperset(kinds)
