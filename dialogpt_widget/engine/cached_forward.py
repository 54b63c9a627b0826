"""The forward pass of a model of transformers with its cache, whatever this version calls that argument."""

from __future__ import annotations

import inspect
from typing import Any

import torch

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
