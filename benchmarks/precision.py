"""What each precision costs in exactness, beside what it saves in time."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.reply import SETTLE, prompt_of
from benchmarks.weights import checkpoints
from dialogpt_widget import ChatModel, Settings
from dialogpt_widget.engine.loading.machine import processors
from dialogpt_widget.engine.loading.precision import NOTABLE

PRECISIONS = ("float32", "float16", "bfloat16", "int8")
HISTORY = 100
STEPS = 20


def run(*, quick: bool, size: str | None = None) -> dict[str, Any]:
    """Divergence from float32 and agreement with it, and milliseconds a token, of the embedded and a random model.

    The random one is left out where it is to be quick, unless its size is named.
    """
    torch.set_num_threads(processors())
    results = {"mini": _measure("the embedded model", "mini", 3 if quick else 9)}
    if quick and not size:
        return results
    size = size or "medium"
    with checkpoints(size, "float16") as folders:
        title = f"random weights of DialoGPT-{size}'s shape"
        return results | {size: _measure(title, folders["float16"], 2 if quick else 7)}


def _measure(title: str, name: str | Path, rounds: int) -> dict[str, Any]:
    models = {
        precision: ChatModel.from_pretrained(str(name), device="cpu", precision=precision) for precision in PRECISIONS
    }
    times: dict[str, list[float]] = {precision: [] for precision in models}
    for turn in range(rounds + 1):
        for precision, model in models.items():
            time.sleep(SETTLE)
            each = _each(model, [token % model.vocabulary for token in prompt_of(HISTORY, turn)])
            if turn:
                times[precision].append(each)
    print(f"\nExactness of {title}, {rounds} rounds")
    print(f"  {'':12}{'nat from float32':>18}{'same first choice':>19}{'places':>8}{'ms a token':>12}")
    rows: dict[str, Any] = {}
    for precision, model in models.items():
        found, each = model.exactness, statistics.median(times[precision])
        kl, same, places = (found.kl, found.agreement, found.positions) if found else (0.0, 1.0, 0)
        warned = "  said in the widget" if found and found.notable else ""
        print(f"  {precision:12}{kl:18.2g}{same:19.1%}{places:8}{each:12.2f}{warned}")
        rows[precision] = {"kl": kl, "agreement": same, "positions": places, "each": each, "all": times[precision]}
    return rows | {"notable": NOTABLE}


def _each(model: ChatModel, ids: list[int]) -> float:
    model.forget()
    settings = Settings(do_sample=False, min_new_tokens=STEPS, max_new_tokens=STEPS)
    times = [time.perf_counter() for _ in model.generate(ids, settings)]
    return (times[-1] - times[0]) * 1e3 / (len(times) - 1)
