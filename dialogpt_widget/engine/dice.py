"""The numbers that replies are drawn with."""

from __future__ import annotations

import secrets

import numpy as np

SEED_BITS = 32  # of a seed that is drawn; a browser's numbers hold 53


def dice(seed: int, reply: int, position: int) -> float:
    """The uniform number in [0, 1) for one place of one reply, whatever was drawn before.

    Philox is a counter-based generator (Salmon et al., 2011, "Parallel random numbers: as easy as 1, 2, 3"), so that
    pausing, stepping, forking or comparing never shifts the dice.
    """
    bits = np.random.Philox(key=[seed, reply], counter=[position, 0, 0, 0])
    return float(np.random.Generator(bits).random(dtype=np.float32))


def first_dice(seed: int, reply: int, count: int) -> np.ndarray:
    """`dice` of a reply's first positions, in one go: a position's is the first of the four numbers of its block."""
    numbers = np.random.Philox(key=[seed, reply]).random_raw(4 * count)[::4]
    return ((numbers & 0xFFFFFFFF) >> np.uint64(8)) / 2**24


def draw_seed() -> int:
    """A seed from the operating system's randomness."""
    return secrets.randbits(SEED_BITS)
