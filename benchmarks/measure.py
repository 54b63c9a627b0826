"""Interleaved runs, medians, ratios and bars."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"
PACKAGES = ("torch", "transformers", "numpy", "anywidget", "ipywidgets")
PEERS = ("ctranslate2", "onnxruntime")


def interleaved(variants: dict[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Runs each variant once a round, so that whatever disturbs the machine disturbs all of them."""
    times: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, run in variants.items():
            times[name].append(run())
    return times


def table(title: str, times: dict[str, list[float]], unit: str, bars: dict[str, str]) -> dict[str, Any]:
    """Prints medians and ratios to the first variant; returns the rows.

    The ratio is the median over rounds of the ratio within a round, which a slow spell of the machine moves least.
    """
    base = next(iter(times))
    print(f"\n{title}")
    print(f"  {'':38}{'median':>9} {unit:4}{'ratio':>7}  {'range of ratios':>15}  bar")
    rows = {}
    for name, values in times.items():
        ratios = [value / other for value, other in zip(values, times[base], strict=True)]
        spread = f"{min(ratios):.2f}-{max(ratios):.2f}"
        row = {"median": statistics.median(values), "unit": unit, "ratio": statistics.median(ratios), "all": values}
        print(f"  {name:38}{row['median']:9.2f} {unit:4}{row['ratio']:7.3f}  {spread:>15}  {bars.get(name, '')}")
        rows[name] = row
    return rows


def times_faster(slow: Sequence[float], fast: Sequence[float]) -> float:
    """How many times the second is faster: the median over rounds of the ratio within a round."""
    return statistics.median(one / other for one, other in zip(slow, fast, strict=True))


def bar(what: str, value: float, *, least: float | None = None, most: float | None = None) -> dict[str, Any]:
    """Prints a value beside what it must reach; returns both."""
    held = (least is None or value >= least) and (most is None or value <= most)
    wanted = f"at least {least:g}" if least is not None else f"at most {most:g}"
    print(f"  {'  ' if held else '! '}{what}: {value:.3g} ({wanted})")
    return {"what": what, "value": value, "bar": wanted, "held": held}


def named(name: str, *, quick: bool) -> str:
    """What results are called: those of a quick run are kept apart, for they say less."""
    return f"quick/{name}" if quick else name


def save(name: str, results: dict[str, Any]) -> None:
    """Writes results with the machine and the versions they were measured on."""
    import torch

    about = {
        "machine": platform.machine(),
        "processor": _processor(),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": platform.system(),
        "python": platform.python_version(),
        "threads": torch.get_num_threads(),
        "versions": {package: version(package) for package in PACKAGES} | _installed(PEERS),
    }
    file = RESULTS / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"about": about, "results": results}, indent=1) + "\n")
    print(f"  written to benchmarks/results/{name}.json")


def _installed(packages: Sequence[str]) -> dict[str, str]:
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
