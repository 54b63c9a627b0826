"""What a token's record costs: `generate` against a bare loop of forward pass and argmax, same weights, same cache."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import torch
from transformers import DynamicCache, GPT2Config, GPT2LMHeadModel

from benchmarks.measure import interleaved, table
from dialogpt_widget import Settings
from dialogpt_widget.engine.loading import Loaded
from dialogpt_widget.engine.model import ChatModel

SIZES = {"small": (12, 768, 12), "medium": (24, 1024, 16), "large": (36, 1280, 20)}
CONTEXT = 100


def random_model(size: str) -> ChatModel:
    """A GPT-2 of DialoGPT's shape with random weights, float32 on the CPU."""
    layers, width, heads = SIZES[size]
    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(n_layer=layers, n_embd=width, n_head=heads)).eval()
    tokenizer = SimpleNamespace(eos_token_id=50256)
    return ChatModel(Loaded(model, tokenizer, f"random-{size}", None, torch.device("cpu"), "float32"))


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
        "bare forward + argmax": lambda: _bare(chat._model, ids, steps),
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
def _bare(model: Any, ids: list[int], steps: int) -> float:
    cache = DynamicCache(config=model.config)
    token = model(torch.tensor([ids]), past_key_values=cache, use_cache=True, logits_to_keep=1).logits[0, -1].argmax()
    began = time.perf_counter()
    for _ in range(steps - 1):
        out = model(token.view(1, 1), past_key_values=cache, use_cache=True, logits_to_keep=1)
        token = out.logits[0, -1].argmax()
        token.item()
    return (time.perf_counter() - began) * 1e3 / (steps - 1)
