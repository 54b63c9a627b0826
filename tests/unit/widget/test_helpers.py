"""Threads that a cell has computed with do not slow replies down after it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

GUARD = 120
SCRIPT = """
from IPython.core.interactiveshell import InteractiveShell
import psutil

threads = lambda: psutil.Process().num_threads()
shell = InteractiveShell.instance()
shell.run_cell("import torch; torch.set_num_threads(3); x = torch.randn(2_000_000)")
shell.run_cell("from dialogpt_widget import ChatWidget; widget = ChatWidget('mini')")
if SHOWN:
    shell.run_cell("widget._ipython_display_()")
shell.user_ns["threads"] = threads
shell.run_cell("torch.tanh(x).sum(); during = threads()")
print("ended", shell.user_ns["during"] - threads())
"""


@pytest.mark.skipif(not Path("/proc/self/maps").is_file(), reason="other systems have another OpenMP")
@pytest.mark.parametrize(("shown", "ended"), [(True, 2), (False, 0)])
def test_after_each_cell_the_main_threads_helpers_end_once_a_chat_is_shown(*, shown: bool, ended: int) -> None:
    script = SCRIPT.replace("SHOWN", str(shown))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=GUARD, check=True)
    assert done.stdout.splitlines()[-1] == f"ended {ended}", done.stderr
