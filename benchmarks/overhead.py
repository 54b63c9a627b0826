"""What a token's record costs: the same weights, the same cache and the same choice with a record and without."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import torch
from transformers.generation.logits_process import TopPLogitsWarper

from benchmarks.measure import bar
from benchmarks.weights import random_weights, shape_of, talk
from dialogpt_widget import Settings
from dialogpt_widget.engine.loading.loader import Loaded
from dialogpt_widget.engine.loading.machine import processors
from dialogpt_widget.engine.model import ChatModel
from dialogpt_widget.engine.models.gpt2 import GPT2

CONTEXT = 100
DEFAULTS = Settings()
MOST = 1.03
Choose = Callable[[torch.Tensor], int]


@dataclass(slots=True)
class Clock:
    """Steps of one reply, in seconds.

    Half of them make a bare choice after the forward pass as well, whose logits no cache holds any more than those that
    the record is made of in the other half.
    """

    choose: Choose
    passes: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    recorded: list[float] = field(default_factory=list)

    def around(self, advance: Callable[[Sequence[int]], torch.Tensor]) -> Callable[[Sequence[int]], torch.Tensor]:
        """The forward pass, timed."""

        def timed(ids: Sequence[int]) -> torch.Tensor:
            began = time.perf_counter()
            logits = advance(ids)
            self.passes.append(time.perf_counter() - began)
            if len(self.passes) % 2 == 0:
                began = time.perf_counter()
                self.choose(logits)
                self.bare.append(time.perf_counter() - began)
            return logits

        return timed

    def step(self, tokens: Any) -> None:
        """The next token of a reply."""
        began = time.perf_counter()
        next(tokens)
        if len(self.passes) % 2:
            self.recorded.append(time.perf_counter() - began - self.passes[-1])


def random_model(size: str, precision: str = "float32") -> ChatModel:
    """A GPT-2 of DialoGPT's shape with random weights on the CPU."""
    tokenizer: Any = SimpleNamespace(eos=50256)
    network = GPT2(shape_of(size), random_weights(size), precision)
    return ChatModel(Loaded(network, tokenizer, f"random-{size}", None, torch.device("cpu"), precision))


def run(*, quick: bool) -> dict[str, Any]:
    """Milliseconds of a step's parts, and a step with a record to one without, by precision and way to choose."""
    size, steps, rounds = ("small", 20, 5) if quick else ("medium", 24, 15)
    torch.set_num_threads(processors())
    results: dict[str, Any] = {"bars": []}
    for precision in ("float32", "int8"):
        chat = random_model(size, precision)
        for how, choose in (("greedy", _greedy), ("sampled", _sampled)):
            settings = Settings(do_sample=how == "sampled", max_new_tokens=steps + 1, seed=0)
            clock = Clock(choose)
            for _ in range(rounds):
                _reply(chat, settings, clock)
            print(f"\nA step, {how}, random weights of DialoGPT-{size}'s shape, {precision}, {len(clock.passes)} steps")
            results[f"{precision}, {how}"] = row = _medians(clock)
            print("".join(f"  {name:34}{value:9.2f} ms\n" for name, value in row.items()), end="")
            ratio = (row["forward pass"] + row["choice and record"]) / (row["forward pass"] + row["choice alone"])
            results["bars"].append(bar(f"{precision}, {how}: with a record to without", ratio, most=MOST))
    return results


def _reply(chat: ChatModel, settings: Settings, clock: Clock) -> None:
    chat.forget()
    tokens = chat.generate(talk(CONTEXT), settings)
    next(tokens)
    network: Any = chat._network
    network.advance = clock.around(network.advance)
    for _ in range(settings.max_new_tokens - 1):
        clock.step(tokens)
    del network.advance


def _medians(clock: Clock) -> dict[str, float]:
    parts = {"forward pass": clock.passes, "choice alone": clock.bare, "choice and record": clock.recorded}
    return {name: statistics.median(values) * 1e3 for name, values in parts.items()}


def _greedy(logits: torch.Tensor) -> int:
    return int(logits.argmax())


def _sampled(logits: torch.Tensor) -> int:
    """By the default settings: top-k, then top-p, then one draw."""
    best = torch.topk(logits, DEFAULTS.top_k)
    scores = TopPLogitsWarper(DEFAULTS.top_p)(None, best.values[None])[0]
    return int(best.indices[torch.multinomial(torch.softmax(scores, 0), 1)])
