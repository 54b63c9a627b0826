"""What tests of decoding share: greedy settings, random ids, a reply's ids, and what the network reads meanwhile."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from dialogpt_widget.engine.model import ChatModel
from dialogpt_widget.settings import Settings

GREEDY = Settings(do_sample=False, min_new_tokens=0)


def reply_ids(model: ChatModel, ids: list[int], settings: Settings = GREEDY, **more: Any) -> list[int]:
    return [token.id for token in model.generate(ids, settings, **more)]


@contextmanager
def forwards(model: ChatModel, then: Callable[[], object] = lambda: None) -> Iterator[list[int]]:
    """The lengths of the pieces that the network reads meanwhile; `then` is called after each."""
    seen: list[int] = []
    network = model._network
    advance = network.advance

    def noted(ids: Sequence[int]) -> torch.Tensor:
        seen.append(len(ids))
        logits = advance(ids)
        then()
        return logits

    network.advance = noted  # type: ignore[method-assign]
    try:
        yield seen
    finally:
        del network.advance


def some_ids(count: int, seed: int = 0, vocabulary: int = 299) -> list[int]:
    dice = random.Random(seed)
    return [dice.randrange(vocabulary) for _ in range(count)]
