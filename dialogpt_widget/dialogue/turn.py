"""What was said: one turn of a conversation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from dialogpt_widget.settings import Settings

Role = Literal["user", "assistant"]
Stop = Literal["eos", "length", "user", "error"]
_SHOWN = 40  # characters of the text in a turn's repr


@dataclass(frozen=True, slots=True, repr=False)
class Turn:
    """One settled turn; it never changes.

    Attributes:
        id: number within the conversation, from 0.
        parent: the turn that this one follows, or None for a first turn.
        role: who said it.
        text: what is shown.
        ids: the model's own token ids, without the EOS that ends the turn; never re-encoded from `text`.
        settings: what a reply was decoded with, its seed included; None for a user's turn or what was written or
            imported.
        reply: the number of the generation within the chat, from 0, which selects its dice; None where `settings` is.
        context: the turns that the model saw when it replied, oldest first.
        stop: why a reply ended; None where `settings` is.
        created: UTC seconds since the epoch.
        model: name of the model that replied, or whose tokenizer encoded the turn.
        revision: commit or content hash of that model, where known.
        precision: dtype it ran in.
        begun: how many of a reply's first ids were taken over from another, not decoded with it.
        rows: a structured array with one row a token (see `TokenTable`), the EOS included where the model chose it.
    """

    id: int
    parent: int | None
    role: Role
    text: str
    ids: tuple[int, ...]
    settings: Settings | None = None
    reply: int | None = None
    context: tuple[int, ...] = ()
    stop: Stop | None = None
    created: float = 0.0
    model: str = ""
    revision: str | None = None
    precision: str = ""
    begun: int = 0
    rows: np.ndarray | None = field(default=None, compare=False)

    @property
    def seen(self) -> int | None:
        """Tokens that the model saw before a reply's first, EOS after each turn; None where that is not known."""
        if self.rows is None or not len(self.rows) or self.settings is None:
            return None
        place = min(self.begun, len(self.rows) - 1)
        return int(self.rows["position"][place]) - place

    def moved(self, move: Callable[[int], int]) -> Turn:
        """The same with other ids of turns."""
        parent = None if self.parent is None else move(self.parent)
        return replace(self, id=move(self.id), parent=parent, context=tuple(map(move, self.context)))

    def __repr__(self) -> str:
        said = self.text if len(self.text) <= _SHOWN else f"{self.text[:_SHOWN]}…"
        return f"<Turn {self.id}, {self.role}, {said!r}, {len(self.ids)} tokens>"


MAX_MESSAGE_BYTES = 64_000  # UTF-8 bytes; a window of 1000 tokens holds about 4,000


def well_formed(text: str) -> str:
    """Text without lone surrogates, each replaced by U+FFFD; surrogate pairs become the character they mean."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def check_message(text: str) -> str:
    """A message as it will be said: lone surrogates become U+FFFD.

    Raises:
        TypeError: not a string.
        ValueError: empty, or longer than `MAX_MESSAGE_BYTES`.
    """
    if not isinstance(text, str):
        raise TypeError(f"A message is a string, not {type(text).__name__}.")
    if not text.strip():
        raise ValueError("The message is empty: write something to answer.")
    text = well_formed(text)
    size = len(text.encode())
    if size > MAX_MESSAGE_BYTES:
        raise ValueError(
            f"The message has {size / 1000:,.0f} kB; at most {MAX_MESSAGE_BYTES // 1000} kB can be sent. Shorten it: "
            "of a message longer than its window the model reads the end alone."
        )
    return text
