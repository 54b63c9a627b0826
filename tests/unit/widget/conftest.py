"""What tests of outputs share."""

from __future__ import annotations

import functools
import threading
from types import SimpleNamespace

import pytest
from outputs import Notebook, Timer

from dialogpt_widget.widget import transcript as module
from dialogpt_widget.widget import widget as widget_module


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Notebook:
    notebook = Notebook()
    monkeypatch.setattr(module, "publish", notebook.publish)
    monkeypatch.setattr(widget_module, "publish", notebook.publish)
    monkeypatch.setattr(module, "get_ipython", lambda: notebook)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: notebook.now))
    timer = functools.partial(Timer, notebook)
    monkeypatch.setattr(module, "threading", SimpleNamespace(RLock=threading.RLock, Timer=timer))
    return notebook
