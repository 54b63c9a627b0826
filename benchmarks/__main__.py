"""Runs the benchmarks: `python -m benchmarks [--quick] [--size SIZE] [name ...]`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks import (
    candidates,
    conversation,
    files,
    floor,
    inspect,
    load,
    memory,
    overhead,
    page,
    precision,
    reply,
    start,
    watch,
    wire,
)
from benchmarks.measure import named, save
from benchmarks.weights import SIZES

ALL: dict[str, Callable[..., dict[str, Any]]] = {
    "reply": reply.run,
    "conversation": conversation.run,
    "candidates": candidates.run,
    "floor": floor.run,
    "precision": precision.run,
    "overhead": overhead.run,
    "load": load.run,
    "memory": memory.run,
    "start": start.run,
    "files": files.run,
    "wire": wire.run,
    "page": page.run,
    "inspect": inspect.run,
    "watch": watch.run,
}
EPILOG = (
    "Results go to benchmarks/results, those of --quick to benchmarks/results/quick. A bar is what a figure is meant "
    "to reach on a quiet machine of two cores, in a full run; ! marks one that was missed. All of them take about an "
    "hour, the quick ones five minutes. Nothing else should run meanwhile."
)
SLOW = ("page", "inspect", "watch")  # in a browser, and as long as all else
SIZED = ("reply", "conversation", "candidates", "floor", "precision", "load", "memory")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__, epilog=EPILOG)
    parser.add_argument(
        "names", nargs="*", metavar="name", choices=[*ALL, []], help=f"which: {', '.join(ALL)} (default: all)"
    )
    quick = f"smaller models and fewer rounds; {', '.join(SLOW)} only where they are named"
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument("--size", choices=SIZES, help=f"of the random weights in {', '.join(SIZED)}")
    options = parser.parse_args()
    faults: list[str] = []
    for name in options.names or [name for name in ALL if not (options.quick and name in SLOW)]:
        sized = {"size": options.size} if options.size and name in SIZED else {}
        began = time.perf_counter()
        results = ALL[name](quick=options.quick, **sized)
        save(named(name, quick=options.quick), results)
        print(f"\n({name}: {time.perf_counter() - began:.0f} s)", flush=True)
        faults += [f"{name}: {fault}" for fault in results.get("faults", ())]
    if faults:
        sys.exit("Ids that must be equal are not:\n  " + "\n  ".join(faults))


if __name__ == "__main__":
    main()
