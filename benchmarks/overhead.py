"""What a token's record costs: `generate` against a bare loop of forward pass and argmax, same weights, same cache."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import torch

from benchmarks.measure import interleaved, table
from benchmarks.weights import shape_of
from dialogpt_widget import Settings
from dialogpt_widget.engine.gpt2 import GPT2
from dialogpt_widget.engine.loading import Loaded
from dialogpt_widget.engine.model import ChatModel

CONTEXT = 100


def random_model(size: str) -> ChatModel:
    """A GPT-2 of DialoGPT's shape with random weights, float32 on the CPU."""
    shape = shape_of(size)
    random = torch.Generator().manual_seed(0)
    weights = {name: torch.randn(size, generator=random) * 0.02 for name, size in shape.weights().items()}
    codec: Any = SimpleNamespace(eos=50256)
    return ChatModel(Loaded(GPT2(shape, weights), codec, f"random-{size}", None, torch.device("cpu"), "float32"))


def run(*, quick: bool) -> dict[str, Any]:
    """Milliseconds a token of each variant, and their ratio to the bare loop."""
    size, steps, rounds = ("small", 20, 5) if quick else ("medium", 24, 9)
    chat = random_model(size)
    ids = torch.randint(0, 50256, (CONTEXT,), generator=torch.Generator().manual_seed(1)).tolist()
    greedy = Settings(do_sample=False, max_new_tokens=steps)
    sampled = Settings(max_new_tokens=steps, seed=0)

    def engine(settings: Settings) -> float:
        chat.forget()
        tokens = chat.generate(ids, settings)
        next(tokens)
        began = time.perf_counter()
        count = sum(1 for _ in tokens)
        return (time.perf_counter() - began) * 1e3 / count

    variants = {
        "bare forward + argmax": lambda: _bare(chat._network, ids, steps),
        "generate, greedy, all recorded": lambda: engine(greedy),
        "generate, sampled, all recorded": lambda: engine(sampled),
    }
    for warm in variants.values():
        warm()
    times = interleaved(variants, rounds)
    title = (
        f"Decoding, random weights of DialoGPT-{size}'s shape, float32, {CONTEXT} tokens of context, {rounds} rounds"
    )
    return table(title, times, "ms", dict.fromkeys(list(variants)[1:], "at most 1.05"))


@torch.inference_mode()
def _bare(network: Any, ids: list[int], steps: int) -> float:
    network.forget()
    token = int(network.advance(ids).argmax())
    began = time.perf_counter()
    for _ in range(steps - 1):
        token = int(network.advance([token]).argmax())
    return (time.perf_counter() - began) * 1e3 / (steps - 1)
