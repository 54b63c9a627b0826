"""How fast this machine's memory is read, which no model that reads its weights for each token can outrun."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import torch

from dialogpt_widget.engine.models.base import GPT2Shape

LEAST = 2**29  # bytes of the buffer
CACHES = 8  # times the largest cache, at least
_WIDTH = 8192  # columns of the buffer


class Memory:
    """A buffer much larger than the caches, written before it is read."""

    def __init__(self) -> None:
        size = max(LEAST, CACHES * largest_cache())
        self._buffer = torch.empty(size // 4 // _WIDTH, _WIDTH)
        self._buffer.uniform_()
        self._vector = torch.rand(_WIDTH)
        self.bytes = self._buffer.numel() * 4

    def read(self, times: int = 5) -> float:
        """Bytes a second, the best of several reads in each of several ways, by all threads."""
        ways: tuple[Callable[[], object], ...] = (
            self._buffer.sum,
            self._buffer.amax,
            lambda: torch.mv(self._buffer, self._vector),
        )
        return max(self.bytes / _seconds(way) for _ in range(times) for way in ways)


def largest_cache() -> int:
    """Bytes of the largest cache of the first processor; 0 where the system does not tell."""
    sizes = [0]
    for file in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"):
        text = file.read_text().strip()
        sizes.append(int(text[:-1]) * {"K": 2**10, "M": 2**20}.get(text[-1], 1))
    return max(sizes)


def read_a_token(shape: GPT2Shape) -> int:
    """Weights that each token's step reads whole: those of the linear maps and of the output layer.

    Biases, norms, one row of each embedding, and keys and values are left out: below 1 % together at 100 tokens.
    """
    layer = shape.width * (3 * shape.width + shape.width + 2 * shape.inner)
    return shape.layers * layer + shape.vocabulary * shape.width


def _seconds(way: Callable[[], object]) -> float:
    began = time.perf_counter()
    way()
    return time.perf_counter() - began
