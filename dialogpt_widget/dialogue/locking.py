"""Methods that have their object to themselves."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def locked(method: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], R]:
    """A method during which no other such method of the object runs; it has a lock `_lock`."""

    @functools.wraps(method)
    def alone(self: Any, *args: P.args, **named: P.kwargs) -> R:
        with self._lock:
            return method(self, *args, **named)

    return alone  # type: ignore[return-value]  # functools.wraps loses the first argument's place
