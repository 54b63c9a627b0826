"""Functions that want to hear of something."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

_log = logging.getLogger(__name__)
T = TypeVar("T")


class Listeners(Generic[T]):
    """Tells each listener of a value; one that fails is logged and breaks nothing."""

    def __init__(self) -> None:
        self._all: list[Callable[[T], object]] = []

    def add(self, listener: Callable[[T], object]) -> Callable[[], None]:
        """Adds a listener and returns a function that removes it."""
        self._all.append(listener)

        def end() -> None:
            if listener in self._all:
                self._all.remove(listener)

        return end

    def tell(self, value: T) -> None:
        """Calls each listener with the value."""
        for listener in tuple(self._all):
            try:
                listener(value)
            except Exception:
                _log.exception("A listener failed.")
