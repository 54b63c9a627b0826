"""What a session says to the page, from whichever thread."""

from __future__ import annotations

import threading
import weakref
from contextlib import AbstractContextManager
from typing import Any

from dialogpt_widget.widget import wire
from dialogpt_widget.widget.frames import Frames
from dialogpt_widget.widget.item import View


class Stage:
    """Shows things on a view for as long as there is one; holds none alive.

    Attributes:
        frames: the running reply on its way to the page.
    """

    def __init__(self, view: View) -> None:
        self.frames = Frames(self._post)
        self._view = weakref.ref(view)
        self._lock = threading.RLock()
        self.closed = False

    def show(self, *keys: str, **changes: Any) -> None:
        """Sets traits of the view and sends them with some more keys of the state, in one message."""
        view = self._view()
        if view is None or self.closed:
            return
        with self._lock:
            for name, value in changes.items():
                if getattr(view, name) != value:
                    setattr(view, name, value)
                    keys = (*keys, name)
            if keys:
                view.publish(keys)

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """Held while the state changes and is sent: who reads under it sees all that was sent, and no more."""
        return self._lock

    @property
    def error(self) -> Any:
        """The error that the view shows."""
        view = self._view()
        return view.error if view is not None else None

    def _post(self, frame: wire.Frame, buffers: list[bytes]) -> None:
        view = self._view()
        if view is not None:
            view.post(frame, buffers)
