"""What this process may use of the machine: memory and processors, containers' limits included."""

from __future__ import annotations

import ctypes
import functools
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

_CGROUPS = Path("/sys/fs/cgroup")
FEW_CORES = 4  # with as many, memory is read as fast as it can be by one thread each
_UNLIMITED = 2**60  # cgroup v1 writes a huge number for "no limit"


def available_memory() -> int:
    """Bytes that this process may still take: the least of what the host, its cgroups and its rlimits leave."""
    return min([int(psutil.virtual_memory().available), *_cgroup_room(), *_rlimit_room()])


def processors() -> int:
    """How many processors this process may keep busy: its affinity and its cgroups' CPU quota, at least 1."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([affinity, *_cgroup_processors()]))


def threads(usual: int) -> int:
    """How many threads to read a model's weights with for each token.

    One thread does not keep a memory busy, four do: on two virtual processors two threads read 1.3 times what one did.
    PyTorch's default is one for each core, that is, one where the two share a core.

    Args:
        usual: PyTorch's number. Where that is not its default, which is one for each core, it was chosen.

    Returns:
        At most `processors()`; all of them where there are fewer than four cores and nothing else was chosen.
    """
    cores = psutil.cpu_count(logical=False)
    chosen = bool(os.environ.get("OMP_NUM_THREADS")) or usual != cores
    return min(usual, processors()) if chosen or usual >= FEW_CORES else processors()


def _rlimit_room() -> Iterator[int]:
    try:
        import resource
    except ImportError:  # Windows
        return
    used = psutil.Process().memory_info()
    for name, taken in (("RLIMIT_AS", used.vms), ("RLIMIT_DATA", used.rss)):
        limit = resource.getrlimit(getattr(resource, name))[0]
        if limit != resource.RLIM_INFINITY:
            yield max(0, limit - taken)


def _cgroup_room() -> Iterator[int]:
    for folder in _cgroup_folders("memory"):
        for limit_file, used_file, cache in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            limit, used = _number(folder / limit_file), _number(folder / used_file)
            if limit is not None and used is not None and limit < _UNLIMITED:
                yield max(0, limit - used + _statistic(folder / "memory.stat", cache))


def _cgroup_processors() -> Iterator[int]:
    for folder in _cgroup_folders("cpu"):
        quota, period = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
        words = _read(folder / "cpu.max").split()
        if len(words) == 2 and words[0] != "max":
            quota, period = int(words[0]), int(words[1])
        if quota and period and quota > 0:
            yield max(1, round(quota / period))


def _cgroup_folders(controller: str) -> Iterator[Path]:
    """The folders of this process's cgroup and of those around it, version 2 and version 1."""
    for line in _read(Path("/proc/self/cgroup")).splitlines():
        _, names, path = line.split(":", 2)
        if names and controller not in names.split(","):
            continue
        root = _CGROUPS / controller if names else _CGROUPS
        inner = root / path.lstrip("/")
        yield from (folder for folder in (inner, *inner.parents) if folder == root or root in folder.parents)


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""


def _number(file: Path) -> int | None:
    text = _read(file).strip()
    return int(text) if text.lstrip("-").isdigit() else None


def _statistic(file: Path, name: str) -> int:
    return next((int(line.split()[1]) for line in _read(file).splitlines() if line.startswith(f"{name} ")), 0)


_MAPS = Path("/proc/self/maps")
_SOFT = 1  # `omp_pause_soft` of OpenMP 5.0, section 3.2.44: what is ended is started again when it is needed


def release_helpers(*_: object) -> None:
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
