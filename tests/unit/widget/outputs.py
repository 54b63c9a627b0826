"""What IPython is told of outputs, by a notebook whose cells and clock end and run when they are told to."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any


class Notebook:
    """What IPython is told, the events of its cells, a clock and timers that run when they are told to."""

    def __init__(self) -> None:
        self.shown: list[tuple[dict[str, Any], str | None, bool]] = []
        self.after: list[Callable[..., None]] = []
        self.now = 1000.0
        self.timers: list[Timer] = []
        self.events = SimpleNamespace(register=self._register, unregister=lambda _, after: self.after.remove(after))

    def publish(self, data: Any, metadata: Any = None, transient: Any = None, *, update: bool = False) -> None:
        self.shown.append((data, (transient or {}).get("display_id"), update))

    def _register(self, event: str, after: Callable[..., None]) -> None:
        assert event == "post_run_cell"
        self.after.append(after)

    def end_cell(self) -> None:
        for after in tuple(self.after):
            after(None)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        for timer in [timer for timer in self.timers if timer.due <= self.now]:
            self.timers.remove(timer)
            timer.act()

    def transcripts(self) -> list[tuple[str, bool]]:
        return [(data["text/html"], update) for data, display_id, update in self.shown if display_id]


class Timer:
    def __init__(self, notebook: Notebook, seconds: float, act: Callable[[], None]) -> None:
        self.notebook, self.due, self.act = notebook, notebook.now + seconds, act
        self.daemon = False

    def start(self) -> None:
        assert self.daemon
        self.notebook.timers.append(self)

    def cancel(self) -> None:
        if self in self.notebook.timers:
            self.notebook.timers.remove(self)
