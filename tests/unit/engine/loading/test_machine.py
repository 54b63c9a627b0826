"""What the machine has left, containers' limits included."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from dialogpt_widget.engine.loading import machine

Write = Callable[[str, object], None]
GB = 10**9


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes files of a made-up control group; the host itself has 64 GB and 16 processors."""
    monkeypatch.setattr(machine, "_CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=64 * GB))
    monkeypatch.setattr(machine, "_rlimit_room", lambda: iter(()))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    read = machine._read
    own = tmp_path / "own"
    monkeypatch.setattr(machine, "_read", lambda file: read(own if file == Path("/proc/self/cgroup") else file))

    def write(name: str, content: object) -> None:
        file = tmp_path / ("own" if name == "own" else f"cgroup/{name}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{content}\n")

    return write


def test_without_limits_the_host_counts(write: Write) -> None:
    assert machine.available_memory() == 64 * GB
    assert machine.processors() == 16


@pytest.mark.parametrize(
    ("usual", "cores", "chosen", "threads"),
    [
        (1, 1, "", 2),  # two processors of one core
        (2, 2, "", 2),
        (1, 2, "", 1),  # `torch.set_num_threads(1)`
        (1, 1, "1", 1),
        (8, 8, "", 2),  # a container's share of a larger machine
        (4, None, "", 2),
    ],
)
def test_threads_fill_a_small_machine_unless_their_number_was_chosen(
    write: Write, monkeypatch: pytest.MonkeyPatch, usual: int, cores: int | None, chosen: str, threads: int
) -> None:
    write("own", "0::/")
    write("cpu.max", "200000 100000")
    monkeypatch.setattr(psutil, "cpu_count", lambda **_: cores)
    monkeypatch.setenv("OMP_NUM_THREADS", chosen)
    assert machine.threads(usual) == threads


def test_a_large_machine_has_a_thread_for_each_core(monkeypatch: pytest.MonkeyPatch, write: Write) -> None:
    monkeypatch.setattr(psutil, "cpu_count", lambda **_: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    write("own", "0::/")
    assert machine.processors() == 16
    assert machine.threads(8) == 8


def test_version_2_leaves_its_limit_less_what_is_used(write: Write) -> None:
    write("own", "0::/user/notebook")
    write("user/notebook/memory.max", 4 * GB)
    write("user/notebook/memory.current", 3 * GB)
    write("user/notebook/memory.stat", f"anon 5\ninactive_file {GB // 2}\nfile 9")
    assert machine.available_memory() == GB + GB // 2


def test_a_limit_around_the_group_holds_too(write: Write) -> None:
    write("own", "0::/user/notebook")
    write("user/notebook/memory.max", "max")
    write("user/notebook/memory.current", GB)
    write("user/memory.max", 2 * GB)
    write("user/memory.current", 3 * GB)
    assert machine.available_memory() == 0


def test_version_1(write: Write) -> None:
    write("own", "5:cpu,cpuacct:/box\n4:memory:/box\n1:name=systemd:/box")
    write("memory/box/memory.limit_in_bytes", 6 * GB)
    write("memory/box/memory.usage_in_bytes", 2 * GB)
    write("memory/box/memory.stat", f"inactive_file 1\ntotal_inactive_file {GB}")
    assert machine.available_memory() == 5 * GB


def test_the_huge_number_of_version_1_is_no_limit(write: Write) -> None:
    write("own", "4:memory:/")
    write("memory/memory.limit_in_bytes", 9223372036854771712)
    write("memory/memory.usage_in_bytes", GB)
    assert machine.available_memory() == 64 * GB


@pytest.mark.parametrize(
    ("quota", "processors"),
    [("200000 100000", 2), ("max 100000", 16), ("50000 100000", 1), ("3200000 100000", 16), ("", 16)],
)
def test_processors_of_version_2(write: Write, quota: str, processors: int) -> None:
    write("own", "0::/box")
    write("box/cpu.max", quota)
    assert machine.processors() == processors


@pytest.mark.parametrize(("quota", "processors"), [(300000, 3), (-1, 16), (1000, 1)])
def test_processors_of_version_1(write: Write, quota: int, processors: int) -> None:
    write("own", "5:cpu:/box")
    write("cpu/box/cpu.cfs_quota_us", quota)
    write("cpu/box/cpu.cfs_period_us", 100000)
    assert machine.processors() == processors


@pytest.mark.parametrize("content", ["", "rubbish", "4:memory"])
def test_files_that_make_no_sense_are_no_limit(write: Write, content: str) -> None:
    write("own", "0::/box")
    write("box/memory.max", content)
    write("box/memory.current", content)
    assert machine.available_memory() == 64 * GB


def test_the_real_machine_has_something_left() -> None:
    assert 0 < machine.available_memory() <= psutil.virtual_memory().total
    assert 1 <= machine.processors() <= (os.cpu_count() or 1)
