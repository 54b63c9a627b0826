"""Helpers of a thread that has computed are ended, so that those of another thread do not fall asleep."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

GUARD = 120
SCRIPT = """
import threading
import time
import psutil
import torch
from dialogpt_widget.engine.loading.machine import release_helpers

torch.set_num_threads(3)
x = torch.randn(2_000_000)

def helpers(expected=None):
    end = time.monotonic() + 60  # a thread that has ended may be counted for a moment more
    while (count := psutil.Process().num_threads()) != expected and expected is not None and time.monotonic() < end:
        time.sleep(0.01)
    return count

def compute():
    torch.tanh(x).sum()

before = helpers()
compute()
print(helpers() - before)
release_helpers()
print(helpers(before) - before)
compute()
print(helpers() - before)
thread = threading.Thread(target=release_helpers)
thread.start()
thread.join()
print(helpers(before + 2) - before)
"""
WITHOUT_TORCH = """
import sys
from dialogpt_widget.engine.loading.machine import release_helpers
release_helpers()
print('torch' in sys.modules)
"""


def printed(script: str) -> list[str]:
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=GUARD, check=True
    ).stdout.split()


@pytest.mark.skipif(not Path("/proc/self/maps").is_file(), reason="other systems have another OpenMP")
def test_a_threads_helpers_end_and_come_back_and_are_nobody_elses_to_end() -> None:
    assert printed(SCRIPT) == ["2", "0", "2", "2"]


def test_nothing_is_imported_for_it() -> None:
    assert printed(WITHOUT_TORCH) == ["False"]
