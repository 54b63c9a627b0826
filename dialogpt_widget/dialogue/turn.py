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
