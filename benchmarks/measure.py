"""Interleaved runs, medians and ratios."""

from __future__ import annotations

import json
import platform
import statistics
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"
PACKAGES = ("torch", "transformers", "numpy", "anywidget", "ipywidgets")


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
    print(f"  {'':34}{'median':>9} {unit:4}{'ratio':>7}  {'range of ratios':>15}  bar")
    rows = {}
    for name, values in times.items():
        ratios = [value / other for value, other in zip(values, times[base], strict=True)]
        ratio = statistics.median(ratios)
        spread = f"{min(ratios):.2f}-{max(ratios):.2f}"
        print(f"  {name:34}{statistics.median(values):9.2f} {unit:4}{ratio:7.3f}  {spread:>15}  {bars.get(name, '')}")
        rows[name] = {"median": statistics.median(values), "unit": unit, "ratio": ratio, "all": values}
    return rows


def save(name: str, results: dict[str, Any]) -> None:
    """Writes results with the machine and the versions they were measured on."""
    import torch

    about = {
        "machine": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "threads": torch.get_num_threads(),
        "versions": {package: version(package) for package in PACKAGES},
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps({"about": about, "results": results}, indent=1) + "\n")
