"""What several candidates cost in place of one, and in place of `generate` with so many sequences."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import Any

import torch

from benchmarks import plots
from benchmarks.measure import bar, named, times_faster
from benchmarks.reply import EXACT, HALF, SETTLE, prompt_of
from benchmarks.variants import Card, Engine, Timed, engines
from benchmarks.weights import checkpoints
from dialogpt_widget import Settings
from dialogpt_widget.engine.loading.machine import processors

HISTORY = 100
COUNTS = (1, 5, 10)
MOST = 2.5  # times the time of a step of one reply


def run(*, quick: bool, size: str | None = None) -> dict[str, Any]:
    """Milliseconds a step of 1, 5 and 10 candidates of the engine, and of the card's `generate`."""
    size = size or ("small" if quick else "medium")
    rounds, steps = (1, 8) if quick else (7, 20)
    torch.set_num_threads(processors())
    with checkpoints(size, "float32", "float16") as folders:
        ours = engines(folders, () if quick else ("int8",))
        times = _times([Card(folders["float32"]), *ours], rounds, steps)
    title = f"Candidates after {HISTORY} tokens, random weights of DialoGPT-{size}'s shape, {rounds} rounds"
    print(f"\n{title}\n  {'':38}{'ms a step of 1':>14}{'5':>8}{'10':>8}{'times one:  5':>17}{'10':>7}")
    rows: dict[str, Any] = {}
    for name, by_count in times.items():
        medians = [statistics.median(by_count[count]) for count in COUNTS]
        ratios = [times_faster(by_count[count], by_count[1]) for count in COUNTS[1:]]
        one, five, ten = medians
        print(f"  {name:38}{one:14.1f}{five:8.1f}{ten:8.1f}{ratios[0]:17.2f}{ratios[1]:7.2f}")
        rows[name] = {"medians": dict(zip(COUNTS, medians, strict=True)), "ratios": ratios, "all": by_count}
    bars = [bar(f"{name}: a step of 10, times one", rows[name]["ratios"][-1], most=MOST) for name in (EXACT, HALF)]
    plots.candidates(named("candidates", quick=quick), title, rows)
    return {"size": size, "rows": rows, "bars": bars}


def _times(variants: Sequence[Card | Engine], rounds: int, steps: int) -> dict[str, dict[int, list[float]]]:
    times: dict[str, dict[int, list[float]]] = {one.name: {count: [] for count in COUNTS} for one in variants}
    for turn in range(rounds + 1):
        ids = prompt_of(HISTORY, turn)
        for one in variants:
            for count in COUNTS:
                one.prepare(ids)
                time.sleep(SETTLE)
                each = _step(one, ids, count, steps)
                if turn:
                    times[one.name][count].append(each)
    return times


def _step(variant: Card | Engine, ids: Sequence[int], count: int, steps: int) -> float:
    """Milliseconds a step after the first, of sampled replies of the same length."""
    if isinstance(variant, Card):
        return variant.sampled(ids, steps, count).each
    settings = Settings(seed=1, min_new_tokens=steps, max_new_tokens=steps, max_context=1024)
    moments = []
    began = time.perf_counter()
    for step in variant.model.generate_many(ids, settings, count=count):
        assert len(step) == count
        moments.append(time.perf_counter() - began)
    return Timed([], moments).each
