"""Plots of results, as SVG beside their JSON."""

from __future__ import annotations

import statistics
import textwrap
from collections.abc import Sequence
from typing import Any

from benchmarks.measure import RESULTS

SHADES = ("#bcd4e6", "#7fa8cc", "#3f78ad", "#123f6d")
OURS, THEIRS = "#123f6d", "#b5651d"


def replies(name: str, title: str, histories: dict[str, Any]) -> None:
    """A dot for each variant and history: time to the first token, and a token after it."""
    figure, axes = _figure(2, height=0.36 * len(next(iter(histories.values()))) + 1.4)
    names = list(next(iter(histories.values())))
    for axis, what, label in zip(axes, ("first", "each"), ("first token, ms", "each token after it, ms"), strict=True):
        for shade, (history, rows) in zip(SHADES[-len(histories) :], histories.items(), strict=True):
            medians = [statistics.median(rows[one][what]) for one in names]
            axis.plot(medians, range(len(names)), "o", color=shade, label=f"after {history} tokens")
        axis.set_xscale("log")
        axis.xaxis.set_major_formatter("{x:g}")
        axis.set_xlabel(label)
        axis.set_yticks(range(len(names)), names)
        axis.grid(axis="x", which="both", color="#dddddd", linewidth=0.5)
    axes[0].invert_yaxis()
    axes[1].legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    _save(figure, name, title)


def conversation(name: str, title: str, turns: Sequence[dict[str, Any]]) -> None:
    """Seconds a turn, by the tokens of its context."""
    figure, (axis,) = _figure(1, height=3.5)
    for key, label, colour in (("card", "card's loop", THEIRS), ("chat", "Chat", OURS)):
        axis.plot(range(1, len(turns) + 1), [turn[key] for turn in turns], ".-", color=colour, label=label)
    axis.set_xlabel("turn")
    axis.set_ylabel("seconds to the whole reply")
    axis.set_ylim(bottom=0)
    axis.legend(frameon=False)
    _save(figure, name, title)


def floor(name: str, title: str, rows: dict[str, Any]) -> None:
    """Milliseconds a token, and of them what reading the weights takes at least."""
    figure, (axis,) = _figure(1, height=0.5 * len(rows) + 1.2)
    places = range(len(rows))
    axis.barh(places, [row["median"] for row in rows.values()], color=SHADES[1], label="measured")
    axis.barh(places, [row["floor"] for row in rows.values()], color=SHADES[3], label="bytes / bandwidth", height=0.4)
    axis.set_yticks(places, list(rows))
    axis.invert_yaxis()
    axis.set_xlabel("ms a token")
    axis.legend(frameon=False)
    _save(figure, name, title)


def candidates(name: str, title: str, rows: dict[str, Any]) -> None:
    """Milliseconds a step, by how many candidates there are."""
    figure, (axis,) = _figure(1, height=3.5)
    for shade, (variant, row) in zip((THEIRS, *SHADES[1:]), rows.items(), strict=False):
        axis.plot(list(row["medians"]), list(row["medians"].values()), ".-", color=shade, label=variant)
    axis.set_xlabel("candidates")
    axis.set_ylabel("ms a step of all of them")
    axis.set_ylim(bottom=0)
    axis.legend(frameon=False)
    _save(figure, name, title)


def _figure(panels: int, *, height: float) -> tuple[Any, list[Any]]:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    mpl.rcParams |= {"svg.hashsalt": "benchmarks", "svg.fonttype": "none", "font.size": 9}
    mpl.rcParams |= {"axes.spines.top": False, "axes.spines.right": False}
    figure, axes = plt.subplots(
        1, panels, figsize=(5 + 3 * panels, height), sharey=True, squeeze=False, layout="constrained"
    )
    return figure, list(axes[0])


def _save(figure: Any, name: str, title: str) -> None:
    from matplotlib import pyplot as plt

    figure.suptitle("\n".join(textwrap.wrap(title, 90)), fontsize=10)
    file = RESULTS / f"{name}.svg"
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)
