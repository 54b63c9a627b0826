"""Kernels on one machine: what each further one adds for the weights that the others hold already."""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks import smaps
from benchmarks.measure import bar
from benchmarks.weights import checkpoints, weights_file

KERNELS = 4
MOST = 0.4  # of the file's size
STAGES = ("imported", "mini", "mini ran", "random", "random ran")
KERNEL = """
import gc, sys
import torch
from dialogpt_widget import ChatModel, Settings
import dialogpt_widget.engine.model

def stage():
    gc.collect()
    print("ready", flush=True)
    sys.stdin.readline()

def load(name):
    models.append(ChatModel.from_pretrained(name, device="cpu", precision="float32"))
    stage()
    list(models[-1].generate(list(range(100, 130)), Settings(seed=0, max_new_tokens=5, min_new_tokens=5)))
    stage()

models = []
torch.rand(512, 512) @ torch.rand(512, 512)
stage()
load("mini")
load(sys.argv[1])
"""
Stages = dict[str, dict[str, int]]


def run(*, quick: bool, size: str | None = None) -> dict[str, Any]:
    """Proportional memory of kernels that load the same models at the same time."""
    del quick
    size = size or "small"
    if not Path("/proc/self/smaps").is_file():
        print("\nMemory of several kernels: left out, this system does not tell what processes share")
        return {"left out": "no /proc/self/smaps"}
    with checkpoints(size, "float32") as folders:
        alone = kernels(folders["float32"], 1)
        together = kernels(folders["float32"], KERNELS)
        sizes = {"mini": _widened(), "random": weights_file(folders["float32"]).stat().st_size}
    results: dict[str, Any] = {"size": size, "kernels": KERNELS, "bars": []}
    print(f"\n{KERNELS} kernels at once: embedded model, then random weights of DialoGPT-{size}'s shape, float32")
    print("  PSS of the weights' file; what loading took beside it; what 35 tokens took, keys and values among it")
    print(f"  {'':10}{'file':>10}{'mapped':>10}{'its own':>10}{'of the file':>13}{'alone':>8}{'running':>10}")
    for name, bytes_ in sizes.items():
        row = {
            "file": bytes_,
            "mapped": statistics.median(one[f"{name} ran"]["mapped"] for one in together),  # pages are mapped once read
            "own": statistics.median(one[name]["own"] for one in together),
            "running": statistics.median(one[f"{name} ran"]["own"] for one in together),
        }
        share = (row["mapped"] + row["own"]) / bytes_
        single = (alone[0][f"{name} ran"]["mapped"] + alone[0][name]["own"]) / bytes_
        sizes_ = "".join(f"{row[key] / 1e6:7.1f} MB" for key in ("file", "mapped", "own"))
        print(f"  {name:10}{sizes_}{share:13.2f}{single:8.2f}{row['running'] / 1e6:7.1f} MB")
        results[name] = row | {"share": share, "alone": single}
        results["bars"].append(bar(f"{name}: PSS of a kernel's weights over the file's size", share, most=MOST))
    last = STAGES[-1]
    whole, single = statistics.median(one[last]["whole"] for one in together), alone[0][last]["whole"]
    print(f"  a whole kernel: {whole / 1e6:.0f} MB of PSS; one alone {single / 1e6:.0f} MB")
    return results | {"together": together, "alone": alone}


def kernels(folder: Path, count: int) -> list[Stages]:
    """What each stage of loading added to each of so many processes, once all had reached it, in bytes of PSS."""
    file = str(weights_file(folder).resolve())
    command = [sys.executable, "-c", KERNEL, str(folder)]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(count)
    ]
    try:
        told: list[Stages] = [{} for _ in running]
        before = [0] * count
        for stage in STAGES:
            for one in running:
                assert one.stdout is not None
                assert one.stdout.readline() == "ready\n", "a kernel ended"
            for place, one in enumerate(running):
                of = smaps.of_process(one.pid)
                mapped = smaps.pss(of, file.__eq__ if stage.startswith("random") else _is_copy)
                anonymous = smaps.anonymous(of)
                told[place][stage] = {
                    "mapped": mapped,
                    "own": anonymous - before[place],
                    "whole": smaps.pss(of, lambda _: True),
                }
                before[place] = anonymous
            for one in running:
                assert one.stdin is not None
                one.stdin.write("\n")
                one.stdin.flush()
        return told
    finally:
        for one in running:
            one.kill()
            one.wait()


def _is_copy(path: str) -> bool:
    return "/dialogpt-widget/" in path and path.endswith(".safetensors")


def _widened() -> int:
    from dialogpt_widget.engine.loading.precision import cache_path

    (copy,) = cache_path("any").parent.glob("*.safetensors")
    return copy.stat().st_size
