"""One reply in each of the ways that a user has: the model card's loop, `generate` with its cache kept, the engine."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.weights import EOS
from dialogpt_widget import ChatModel, Settings
from dialogpt_widget.engine.models.transformers_network import CachedForward

NEW = 10  # tokens of the user's turn, which no cache has read yet


class MissingError(Exception):
    """A package that a variant needs is not installed."""


@dataclass(frozen=True, slots=True)
class Timed:
    """A reply's ids, and when each was there, in seconds since it was asked for."""

    ids: list[int]
    times: list[float]

    @property
    def first(self) -> float:
        """Milliseconds to the first token."""
        return self.times[0] * 1e3

    @property
    def each(self) -> float:
        """Milliseconds a token after the first."""
        return (self.times[-1] - self.times[0]) * 1e3 / (len(self.times) - 1)

    @property
    def total(self) -> float:
        """Seconds."""
        return self.times[-1]


class Variant(ABC):
    """A way to reply.

    Attributes:
        name: for the table.
        exact: whether it computes in float32, so that its ids are the card's.
    """

    name: str
    exact: bool = True

    def prepare(self, ids: Sequence[int]) -> None:
        """Reads what was said before the last `NEW` ids, where the variant keeps a cache over turns; here not."""
        del ids

    @abstractmethod
    def reply(self, ids: Sequence[int], count: int) -> Timed:
        """A greedy reply of so many tokens, none of them EOS."""


class _Clock:
    """A streamer that notes when each token comes; what it gets first is the prompt."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def put(self, _: Any) -> None:
        self.times.append(time.perf_counter())

    def end(self) -> None:
        """Nothing is held back."""


class Card(Variant):
    """The model card's loop: `generate` over the whole history, in float32."""

    name = "card's loop (generate, no cache kept)"

    def __init__(self, folder: Path, model: Any = None) -> None:
        from transformers import GPT2LMHeadModel
        from transformers.utils import logging

        logging.disable_progress_bar()
        self.model = model or GPT2LMHeadModel.from_pretrained(folder, dtype=torch.float32).eval()

    def reply(self, ids: Sequence[int], count: int) -> Timed:
        return self._generate(ids, count)

    def _generate(self, ids: Sequence[int], count: int, **more: Any) -> Timed:
        clock = _Clock()
        prompt = torch.tensor([list(ids)])
        began = time.perf_counter()
        out = self.model.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            min_new_tokens=count,
            max_new_tokens=count,
            do_sample=False,
            pad_token_id=EOS,
            streamer=clock,
            **more,
        )
        return Timed(out[0, len(ids) :].tolist(), [moment - began for moment in clock.times[1:]])

    def sampled(self, ids: Sequence[int], count: int, sequences: int) -> Timed:
        """So many sampled replies of so many tokens, none of them EOS; when each step of all of them was there."""
        moments = []

        def note(read: torch.Tensor, _: Any, **__: Any) -> torch.Tensor:
            moments.append(time.perf_counter() - began)
            return torch.zeros(len(read), dtype=torch.bool)

        prompt = torch.tensor([list(ids)])
        began = time.perf_counter()
        self.model.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            min_new_tokens=count,
            max_new_tokens=count,
            do_sample=True,
            top_k=40,
            top_p=0.9,
            num_return_sequences=sequences,
            pad_token_id=EOS,
            stopping_criteria=[note],
        )
        return Timed([], moments)

    @torch.inference_mode()
    def gap(self, ids: Sequence[int]) -> float:
        """How far apart the two best logits after some ids are, EOS barred."""
        logits = self.model(torch.tensor([list(ids)])).logits[0, -1]
        logits[EOS] = -torch.inf
        best = torch.topk(logits, 2).values
        return float(best[0] - best[1])


class KeptCache(Card):
    """`generate` that is handed its cache of the turns before."""

    name = "generate, cache kept over turns"

    def __init__(self, folder: Path, model: Any = None) -> None:
        super().__init__(folder, model)
        self._forward = CachedForward(self.model)
        self._cache: Any = None
        self._read: list[int] = []

    @torch.inference_mode()
    def prepare(self, ids: Sequence[int]) -> None:
        from transformers import DynamicCache

        known = list(ids[:-NEW])
        if self._cache is not None and known and self._read[: len(known)] == known:
            self._cache.crop(len(known) - self._cache.get_seq_length())
        else:
            self._cache = DynamicCache(config=self.model.config)
            if known:
                self._forward(torch.tensor([known]), self._cache)
        self._read = known

    def reply(self, ids: Sequence[int], count: int) -> Timed:
        made = self._generate(ids, count, **{self._forward.cache_name: self._cache})
        self._read = [*ids, *made.ids[:-1]]
        return made


class Engine(Variant):
    """This package's engine, with its cache kept over turns and every token recorded."""

    def __init__(self, folder: Path, precision: str, stored: str) -> None:
        self.name = f"engine, {precision} from a {stored} file" if precision == "float32" else f"engine, {precision}"
        self.exact = precision == "float32"
        self.model = ChatModel.from_pretrained(str(folder), device="cpu", precision=precision)

    def prepare(self, ids: Sequence[int]) -> None:
        if len(ids) <= NEW:
            self.model.forget()
        else:
            self.reply(ids[:-NEW], 1)

    def reply(self, ids: Sequence[int], count: int) -> Timed:
        settings = Settings(do_sample=False, min_new_tokens=count, max_new_tokens=count, max_context=1024)
        said, times = [], []
        began = time.perf_counter()
        for token in self.model.generate(ids, settings):
            times.append(time.perf_counter() - began)
            said.append(token.id)
        return Timed(said, times)


def engines(folders: dict[str, Path], rounded: Sequence[str] = ("bfloat16", "int8")) -> list[Engine]:
    """The engine in float32 and in the precisions that round, from folders with the same weights by their form."""
    exact = [Engine(folders[stored], "float32", stored) for stored in ("float32", "float16")]
    return exact + [Engine(folders["float16"], precision, "float16") for precision in rounded]


def first_difference(expected: Sequence[int], found: Sequence[int]) -> int | None:
    """The first place where two replies differ; None if they are equal."""
    for place, (one, other) in enumerate(zip(expected, found, strict=False)):
        if one != other:
            return place
    return None if len(expected) == len(found) else min(len(expected), len(found))
