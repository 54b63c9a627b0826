"""Runs the benchmarks: `python -m benchmarks [--quick] [name ...]`."""

from __future__ import annotations

import argparse

from benchmarks import files, inspect, overhead, page, start, watch
from benchmarks.measure import save

ALL = {
    "files": files.run,
    "overhead": overhead.run,
    "start": start.run,
    "page": page.run,
    "inspect": inspect.run,
    "watch": watch.run,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*ALL, []], help=f"which: {', '.join(ALL)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="smaller models and fewer rounds")
    options = parser.parse_args()
    for name in options.names or ALL:
        save(name, ALL[name](quick=options.quick))


if __name__ == "__main__":
    main()
