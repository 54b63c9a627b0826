"""Rules that drop a reply before it is scored, and say why."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

REPEATS = 3
_URL = re.compile(r"(?:https?://|www\.)\S|\b[\w-]+\.(?:com|org|net)\b", re.IGNORECASE)
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Rules:
    """What a reply must not be.

    Attributes:
        words: that must not be in it, whatever their case; of several words, in this order.
        urls: whether addresses of pages drop it.
        repeats: whether the same words three times in a row drop it.
        echo: whether it is dropped if it says what the user has said, case and punctuation aside.
        empty: whether it is dropped if there is no word in it, and no sign either.
    """

    words: Sequence[str] = ()
    urls: bool = True
    repeats: bool = True
    echo: bool = True
    empty: bool = True

    def __post_init__(self) -> None:
        """Refuses words that are none."""
        if isinstance(self.words, str):
            raise TypeError(f'words is a list of words, such as ["{self.words}"]; got a single text.')
        if not isinstance(self.words, Sequence) or not all(isinstance(word, str) for word in self.words):
            raise TypeError(f"words is a list of texts; got {self.words!r}.")
        for word in self.words:
            if not _words(word):
                raise ValueError(f"{word!r} is no word, so that no reply could hold it.")

    def reason(self, reply: str, user: str) -> str | None:
        """Why a reply is dropped; None if it is not.

        Args:
            reply: its text.
            user: what the user said before.
        """
        said = _words(reply)
        if self.empty and not reply.strip():
            return "empty"
        for listed in self.words:
            if _holds(said, _words(listed)):
                return f"says {listed!r}"
        if self.urls and _URL.search(reply):
            return "has an address of a page"
        repeated = _repeated(said) if self.repeats else None
        if repeated:
            return f"says {' '.join(repeated)!r} {REPEATS} times in a row"
        if self.echo and said and said == _words(user):
            return "echoes the user"
        return None


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _holds(said: Sequence[str], part: Sequence[str]) -> bool:
    return any(said[start : start + len(part)] == part for start in range(len(said) - len(part) + 1))


def _repeated(said: Sequence[str]) -> Sequence[str] | None:
    """The shortest words that stand several times in a row."""
    for size in range(1, len(said) // REPEATS + 1):
        for start in range(len(said) - REPEATS * size + 1):
            part = said[start : start + size]
            if list(part) * REPEATS == list(said[start : start + REPEATS * size]):
                return part
    return None
