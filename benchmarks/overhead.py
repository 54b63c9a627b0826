"""What a token's record costs: `generate` against a bare loop that chooses the same way, same weights, same cache."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import torch

from benchmarks.measure import bar, interleaved, table
from benchmarks.weights import random_weights, shape_of
from dialogpt_widget import Settings
from dialogpt_widget.engine.gpt2 import GPT2
from dialogpt_widget.engine.loading import Loaded
from dialogpt_widget.engine.machine import processors
from dialogpt_widget.engine.model import ChatModel

CONTEXT = 100
MOST = 1.03
Choose = Callable[[torch.Tensor], int]


def random_model(size: str, precision: str) -> ChatModel:
    """A GPT-2 of DialoGPT's shape with random weights on the CPU."""
    codec: Any = SimpleNamespace(eos=50256)
    network = GPT2(shape_of(size), random_weights(size), precision)
    return ChatModel(Loaded(network, codec, f"random-{size}", None, torch.device("cpu"), precision))


def run(*, quick: bool) -> dict[str, Any]:
    """Milliseconds a token of each variant, and their ratio to the bare loop, by precision and way to choose."""
    size, steps, rounds = ("small", 20, 5) if quick else ("medium", 24, 15)
    torch.set_num_threads(processors())
    results: dict[str, Any] = {"bars": []}
    for precision in ("float32", "int8"):
        chat = random_model(size, precision)
        for how, bare, settings in (
            ("greedy", _greedy, Settings(do_sample=False, max_new_tokens=steps)),
            ("sampled", _sampled, Settings(max_new_tokens=steps, seed=0)),
        ):
            title = f"Decoding, {how}, random weights of DialoGPT-{size}'s shape, {precision}, {rounds} rounds"
            rows = _compare(title, chat, bare, settings, steps, rounds)
            results[f"{precision}, {how}"] = rows
            ratio = rows["generate, all recorded"]["ratio"]
            results["bars"].append(bar(f"{precision}, {how}: with a record to without", ratio, most=MOST))
    return results


def _compare(
    title: str, chat: ChatModel, choose: Choose, settings: Settings, steps: int, rounds: int
) -> dict[str, Any]:
    ids = torch.randint(0, 50256, (CONTEXT,), generator=torch.Generator().manual_seed(1)).tolist()

    def recorded() -> float:
        chat.forget()
        tokens = chat.generate(ids, settings)
        next(tokens)
        began = time.perf_counter()
        count = sum(1 for _ in tokens)
        return (time.perf_counter() - began) * 1e3 / count

    variants = {
        "forward pass and choice": lambda: _bare(chat._network, ids, steps, choose),
        "generate, all recorded": recorded,
    }
    for warm in variants.values():
        warm()
    return table(title, interleaved(variants, rounds), "ms", {})


@torch.inference_mode()
def _bare(network: Any, ids: list[int], steps: int, choose: Choose) -> float:
    network.forget()
    token = choose(network.advance(ids))
    began = time.perf_counter()
    for _ in range(steps - 1):
        token = choose(network.advance([token]))
    return (time.perf_counter() - began) * 1e3 / (steps - 1)


def _greedy(logits: torch.Tensor) -> int:
    return int(logits.argmax())


def _sampled(logits: torch.Tensor) -> int:
    best = torch.topk(logits, 50)
    return int(best.indices[torch.multinomial(torch.softmax(best.values, 0), 1)])
