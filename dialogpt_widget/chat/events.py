"""What happens to a running reply, and the functions that want to hear of it."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from dialogpt_widget.engine.generation.trace import Token

_log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TokenRevealed:
    """A token was revealed.

    Attributes:
        token: the token; None where text that was withheld follows without one.
        piece: the text that can be shown because of it, which may be nothing.
    """

    token: Token | None
    piece: str


@dataclass(frozen=True, slots=True)
class TokenRetracted:
    """The last token was taken back.

    Attributes:
        token: the token.
        length: of the text that is left.
    """

    token: Token
    length: int


@dataclass(frozen=True, slots=True)
class CandidateDelta:
    """One of several replies goes on.

    Attributes:
        place: which, from 0.
        piece: the text that can be shown because of it, which may be nothing.
    """

    place: int
    piece: str


@dataclass(frozen=True, slots=True)
class RankingStarted:
    """All replies are there; one of them is about to be chosen."""


Event = TokenRevealed | TokenRetracted | CandidateDelta | RankingStarted


class Listeners(Generic[T]):
    """Tells each listener of a value; one that fails breaks nothing, and is logged the first time."""

    def __init__(self) -> None:
        self._all: list[Callable[[T], object]] = []
        self._failed: list[Callable[[T], object]] = []

    def add(self, listener: Callable[[T], object]) -> Callable[[], None]:
        """Adds a listener and returns a function that removes it.

        Raises:
            TypeError: it is no function, or an `async` one.
        """
        if not callable(listener):
            raise TypeError(f"A listener is a function of one argument, not {listener!r}.")
        if any(map(inspect.iscoroutinefunction, (listener, type(listener).__call__))):
            raise TypeError("A listener is a plain function: nothing would await an async one.")
        self._all.append(listener)

        def end() -> None:
            for known in (self._all, self._failed):
                if listener in known:
                    known.remove(listener)

        return end

    def tell(self, value: T) -> None:
        """Calls each listener with the value."""
        for listener in tuple(self._all):
            try:
                listener(value)
            except Exception:
                if listener not in self._failed:
                    self._failed.append(listener)
                    _log.exception("A listener failed; it is called on, and its next failures are not logged.")
