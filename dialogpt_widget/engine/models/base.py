"""What every network is to the rest of the engine, and how large a GPT-2 is."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch


@dataclass(frozen=True, slots=True)
class GPT2Shape:
    """How large a GPT-2 is.

    Attributes:
        layers: how many.
        width: of the residual stream.
        heads: of attention, in each layer.
        inner: width of the perceptrons' hidden layer.
        positions: the longest sequence.
        vocabulary: number of ids.
        epsilon: of the layer norms.
        tied: whether the token embeddings are the output layer as well.
    """

    layers: int
    width: int
    heads: int
    inner: int
    positions: int
    vocabulary: int
    epsilon: float = 1e-5
    tied: bool = True

    @property
    def parameters(self) -> int:
        """How many parameters it has."""
        return sum(math.prod(size) for size in self.weights().values())

    def weights(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every weight, as GPT-2's checkpoints name them."""
        w, inner = self.width, self.inner
        shapes: dict[str, tuple[int, ...]] = {"wte.weight": (self.vocabulary, w), "wpe.weight": (self.positions, w)}
        for layer in (f"h.{number}." for number in range(self.layers)):
            for norm in ("ln_1", "ln_2"):
                shapes |= {f"{layer}{norm}.weight": (w,), f"{layer}{norm}.bias": (w,)}
            for name, rows, columns in (
                ("attn.c_attn", w, 3 * w),
                ("attn.c_proj", w, w),
                ("mlp.c_fc", w, inner),
                ("mlp.c_proj", inner, w),
            ):
                shapes |= {f"{layer}{name}.weight": (rows, columns), f"{layer}{name}.bias": (columns,)}
        shapes |= {"ln_f.weight": (w,), "ln_f.bias": (w,)}
        return shapes if self.tied else shapes | {"lm_head.weight": (self.vocabulary, w)}


class SharedBatch(Protocol):
    """Several continuations of what a network has read, side by side, as long as that does not change."""

    def advance(self, rows: Sequence[int], ids: Sequence[int]) -> torch.Tensor:
        """Reads an id of each of some continuations; the states `[rows, ...]` after them.

        Args:
            rows: which continuations, each once; one that was left out does not come back.
            ids: one for each of them.
        """

    def settle(self, row: int) -> int:
        """Commits one continuation to the cache and discards the others; returns how many of its ids are kept."""


class IndependentBatch(Protocol):
    """Sequences that share nothing side by side, apart from what the network has read."""

    def begin(self, stop: threading.Event) -> torch.Tensor | None:
        """Reads the sequences; the states `[rows, ...]` after them, None when stopped."""

    def advance(self, rows: Sequence[int], ids: Sequence[int]) -> torch.Tensor:
        """Reads an id of each of some rows; see `SharedBatch`."""


class CausalLM(Protocol):
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

    def crop(self, count: int) -> None:
        """Crops the cache to the first `count` ids.

        Raises:
            ValueError, RuntimeError, AttributeError: this network's cache cannot do that.
        """

    def clear_cache(self) -> None:
        """Empties the cache and gives its memory back."""

    def branches(self, count: int) -> SharedBatch:
        """So many continuations of what was read, of which none has read more."""

    def rows(self, sequences: Sequence[Sequence[int]], origins: Sequence[int]) -> IndependentBatch:
        """Several rows, of which each is to go on from one of some sequences, by its place among them."""

    def states(self, ids: Sequence[int]) -> torch.Tensor:
        """The states `[n, ...]` after each of `ids`, without the cache."""

    def many(self, sequences: Sequence[Sequence[int]]) -> torch.Tensor:
        """The states `[b, n, ...]` after each id of `b` sequences, without the cache; `n` is the longest one's length.

        What stands after the end of a shorter one means nothing.
        """

    def unembed(self, states: torch.Tensor) -> torch.Tensor:
        """Logits `[..., vocabulary]` of states."""


def filled(sequences: Sequence[Sequence[int]]) -> torch.Tensor:
    """Sequences of ids as one tensor `[b, n]`; the shorter ones are filled up where a causal model never looks."""
    longest = max(map(len, sequences))
    return torch.tensor([[*ids, *[0] * (longest - len(ids))] for ids in sequences])
