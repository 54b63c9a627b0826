"""How probable given ids are after others, many in one forward pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np
import torch

from dialogpt_widget.engine.network import Network

AT_ONCE = 4096  # tokens in a forward pass, fillers included

T = TypeVar("T")
Pair = tuple[Sequence[int], Sequence[int]]


def log_likelihoods(network: Network, pairs: Sequence[Pair]) -> list[np.ndarray]:
    """Natural logarithms of the probabilities of ids after others.

    Args:
        network: that is asked, without its cache.
        pairs: ids that are given, at least one, and ids that come after them; together what the network can read.

    Returns:
        Of each pair `[n]`, float64, for its `n` ids that come after.
    """
    return [logs for some in batches(pairs, _length) for logs in _batch(network, some)]


def _length(pair: Pair) -> int:
    return len(pair[0]) + len(pair[1])


def _batch(network: Network, pairs: Sequence[Pair]) -> Iterator[np.ndarray]:
    states = network.many([[*given, *asked] for given, asked in pairs])
    for row, (given, asked) in zip(states, pairs, strict=True):
        logits = network.unembed(row[len(given) - 1 : len(given) + len(asked) - 1]).float()
        ids = torch.tensor(list(asked), dtype=torch.long, device=logits.device)
        yield torch.log_softmax(logits, -1).gather(1, ids[:, None])[:, 0].double().cpu().numpy()


def batches(items: Sequence[T], length: Callable[[T], int]) -> Iterator[list[T]]:
    """Items in their order, as many at once as make `AT_ONCE` tokens.

    Args:
        items: what is read, each of it one sequence.
        length: tells an item's number of ids.
    """
    some: list[T] = []
    longest = 0
    for item in items:
        if some and max(longest, length(item)) * (len(some) + 1) > AT_ONCE:
            yield some
            some, longest = [], 0
        some, longest = [*some, item], max(longest, length(item))
    if some:
        yield some
