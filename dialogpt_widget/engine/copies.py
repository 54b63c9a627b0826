"""Several continuations of one sequence, each behind a copy of the cache of what they share."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch

from dialogpt_widget.engine.cached_forward import CachedForward


class Copies:
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
        """See `Side`."""
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
        """See `Side`: nothing of it; it is read again."""
        return 0


def _narrowed(own: list[int], cache: Any, wanted: dict[int, int]) -> list[int]:
    """Leaves of a batch the rows that go on; which those are."""
    places = [place for place, row in enumerate(own) if row in wanted]
    if 0 < len(places) < len(own):
        cache.batch_select_indices(torch.tensor(places))
    return [own[place] for place in places]
