"""The threads that PyTorch computes with on a CPU, of which OpenMP keeps some for each of Python's threads."""

from __future__ import annotations

import ctypes
import functools
import sys
from pathlib import Path

_MAPS = Path("/proc/self/maps")
_SOFT = 1  # `omp_pause_soft` of OpenMP 5.0, section 3.2.44: what is ended is started again when it is needed


def let_go(*_: object) -> None:
    """Ends those that have helped the calling thread; its next computation starts others.

    GNU's OpenMP has all of them wait for work asleep, instead of awake for a moment, once they are more than there are
    processors. A reply that was decoded in a thread after the main thread had computed something took 1.6 to 1.8 times
    as long a token, until the main thread had let its helpers go.
    """
    if "torch" not in sys.modules:
        return
    for library in _gnu():
        library.omp_pause_resource_all(_SOFT)


@functools.cache
def _gnu() -> tuple[ctypes.CDLL, ...]:
    """GNU's OpenMP as often as it is loaded; none on other systems, whose OpenMP counts otherwise."""
    try:
        lines = _MAPS.read_text().splitlines()
    except OSError:
        return ()
    files = {line.split(maxsplit=5)[-1] for line in lines if "libgomp" in line}
    return tuple(library for file in sorted(files) if hasattr(library := ctypes.CDLL(file), "omp_pause_resource_all"))
