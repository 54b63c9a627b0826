"""The transcript output: what a notebook shows of a chat where there is no kernel.

It is an output beside the view, under a display id of its own, and rewritten when the chat has changed: after the cell
that changed it, or in the background, so seldom that its bytes stay below a rate. The live view hides it.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.display import publish_display_data as _publish

publish: Any = _publish  # IPython is not read for its types
PAUSE = 2.0  # seconds between a change and its rewriting in the background
RATE = 2000  # bytes a second that rewriting takes at most, on average


class TranscriptOutput:
    """One chat's transcript in the notebook's outputs.

    Args:
        render: gives the HTML; held weakly, so that the output keeps no widget alive.
        display_id: under which the notebook finds its outputs.
        rate: bytes a second that rewriting takes at most, on average.
    """

    def __init__(self, render: Callable[[], str], display_id: str, rate: float = RATE) -> None:
        self._rate = rate
        self._render = weakref.WeakMethod(render)
        self._display_id = display_id
        self._lock = threading.RLock()  # held while it is rendered and published, so that the last is the newest
        self._timer: threading.Timer | None = None
        self._shown = ""
        self._free = 0.0

    @property
    def visible(self) -> bool:
        """Whether it has been displayed."""
        return bool(self._shown)

    def display(self) -> None:
        """Adds it to the outputs of the running cell."""
        first = not self.visible
        self._publish(update=False)
        shell: Any = get_ipython()
        if first and shell is not None:
            after_cells(shell, self)

    def changed(self) -> None:
        """Rewrites it soon."""
        with self._lock:
            if not self.visible or self._timer is not None:
                return
            self._timer = threading.Timer(max(PAUSE, self._free - time.monotonic()), self.flush)
            self._timer.daemon = True
            self._timer.start()

    def flush(self) -> None:
        """Rewrites it now, if it has changed."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self.visible:
                self._publish(update=True)

    def close(self) -> None:
        """Rewrites it no more."""
        with self._lock:
            self.flush()
            self._shown = ""

    def _publish(self, *, update: bool) -> None:
        render = self._render()
        with self._lock:
            text = render() if render is not None else self._shown
            if update and text == self._shown:
                return
            self._shown = text
            self._free = time.monotonic() + len(text) / self._rate
            publish({"text/html": text}, transient={"display_id": self._display_id}, update=update)


def after_cells(shell: Any, output: TranscriptOutput) -> None:
    """Rewrites an output after each cell that changed it, for as long as the output lives."""
    known = weakref.ref(output)

    def after(*_: Any) -> None:
        alive = known()
        if alive is None:
            shell.events.unregister("post_run_cell", after)
        else:
            alive.flush()

    shell.events.register("post_run_cell", after)
