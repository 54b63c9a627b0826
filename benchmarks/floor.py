"""How far each precision of the engine is from what the memory's bandwidth allows."""

from __future__ import annotations

import statistics
import time
from typing import Any

import torch

from benchmarks import plots
from benchmarks.bandwidth import Memory, read_a_token
from benchmarks.measure import bar, named
from benchmarks.reply import BRAIN, EXACT, HALF, INTEGER, SETTLE, prompt_of
from benchmarks.variants import engines
from benchmarks.weights import checkpoints, shape_of
from dialogpt_widget.engine.loading.machine import processors

HISTORY = 100
STEPS = 20
STORED = {  # bytes a weight
    EXACT: 4,
    HALF: 2,
    BRAIN: 2,
    INTEGER: 1,
}
BARS = {EXACT: 2.2, INTEGER: 2.4}


def run(*, quick: bool, size: str | None = None) -> dict[str, Any]:
    """Milliseconds a token of each precision over bytes it reads by bandwidth."""
    size = size or ("small" if quick else "medium")
    rounds = 1 if quick else 9
    torch.set_num_threads(processors())
    memory, weights = Memory(), read_a_token(shape_of(size))
    with checkpoints(size, "float32", "float16") as folders:
        variants = {one.name: one for one in engines(folders, ("int8",) if quick else ("bfloat16", "int8"))}
    times: dict[str, list[float]] = {name: [] for name in variants}
    speeds = []
    for turn in range(rounds + 1):
        ids = prompt_of(HISTORY, turn)
        time.sleep(SETTLE)
        speeds.append(memory.read())
        for name, one in variants.items():
            one.prepare(ids)
            time.sleep(SETTLE)
            each = one.reply(ids, STEPS).each
            if turn:
                times[name].append(each)
    speed = max(speeds)
    title = f"A token after {HISTORY} tokens, random weights of DialoGPT-{size}'s shape, {rounds} rounds"
    print(f"\n{title}\n  memory: {speed / 1e9:.1f} GB/s over {memory.bytes / 2**20:.0f} MiB, {len(speeds)} times")
    rows: dict[str, Any] = {}
    print(f"  {'':38}{'bytes read':>12}{'floor, ms':>11}{'ms a token':>12}{'distance':>10}")
    for name, values in times.items():
        read = weights * STORED[name]
        least = read / speed * 1e3
        each = statistics.median(values)
        print(f"  {name:38}{read / 1e6:9.0f} MB{least:11.2f}{each:12.2f}{each / least:10.2f}")
        rows[name] = {"bytes": read, "floor": least, "median": each, "distance": each / least, "all": values}
    print(f"  bytes: {weights:,} weights of the linear maps and the output layer, 4 each in float32, 2 where a float16")
    print("  file stays as it is and in bfloat16, 1 in int8")
    bars = [bar(f"{name}: distance to the floor", rows[name]["distance"], most=most) for name, most in BARS.items()]
    plots.floor(named("floor", quick=quick), title, rows)
    return {"size": size, "bytes a second": speed, "all speeds": speeds, "rows": rows, "bars": bars}
