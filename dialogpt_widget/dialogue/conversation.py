"""A conversation is an append-only tree of turns and one selected path through it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from dialogpt_widget.settings import Settings

Role = Literal["user", "assistant"]
Stop = Literal["eos", "length", "user", "error"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One settled turn; it never changes.

    Attributes:
        id: number within the conversation, from 0.
        parent: the turn that this one follows, or None for a first turn.
        role: who said it.
        text: what is shown.
        ids: the model's own token ids, without the EOS that ends the turn; never re-encoded from `text`.
        settings: what a reply was decoded with, its seed included; None for a user's turn.
        reply: the number of the generation within the chat, from 0, which selects its dice; None for a user's turn.
        context: the turns that the model saw when it replied, oldest first.
        stop: why a reply ended; None for a user's turn.
        created: UTC seconds since the epoch.
        model: name of the model that replied, or whose tokenizer encoded the turn.
        revision: commit or content hash of that model, where known.
        precision: dtype it ran in.
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
    rows: np.ndarray | None = field(default=None, repr=False, compare=False)


class Conversation:
    """All turns ever said and the branch that is selected.

    Adding a turn selects it. `undo` restores the selection before the last change of it, whatever changed it.
    """

    def __init__(self) -> None:
        self._turns: dict[int, Turn] = {}
        self._children: dict[int | None, list[int]] = {None: []}
        self._recent: dict[int | None, int] = {}
        self._leaf: int | None = None
        self._past: list[int | None] = []
        self._next = 0

    @property
    def turns(self) -> tuple[Turn, ...]:
        """Every turn of every branch, in the order in which they settled."""
        return tuple(self._turns.values())

    @property
    def leaf(self) -> int | None:
        """Id of the last turn of the selected path; None when nothing is selected."""
        return self._leaf

    @property
    def path(self) -> tuple[Turn, ...]:
        """The selected branch, root first."""
        return self.path_to(self._leaf)

    def path_to(self, turn: Turn | int | None) -> tuple[Turn, ...]:
        """The turns from the root to `turn`, both included.

        Raises:
            KeyError: no such turn.
        """
        return tuple(reversed(list(self._upwards(turn))))

    def __getitem__(self, turn_id: int) -> Turn:
        try:
            return self._turns[turn_id]
        except KeyError:
            raise KeyError(f"There is no turn {turn_id!r} in this conversation.") from None

    def __contains__(self, turn_id: object) -> bool:
        return turn_id in self._turns

    def __len__(self) -> int:
        return len(self._turns)

    def reserve(self) -> int:
        """An id for a turn that is still being made; a reply that leaves no turn leaves a gap."""
        self._next += 1
        return self._next - 1

    def add(self, turn: Turn, *, select: bool = True) -> Turn:
        """Appends a settled turn; its id comes from `reserve`.

        Raises:
            ValueError: the id is taken or was never reserved.
            KeyError: its parent is not in this conversation.
        """
        if turn.id in self._turns or not 0 <= turn.id < self._next:
            raise ValueError(f"Turn id {turn.id} is taken or was not reserved.")
        if turn.parent is not None:
            self[turn.parent]
        self._turns[turn.id] = turn
        self._children[turn.id] = []
        self._children[turn.parent].append(turn.id)
        if select:
            self._go(turn.id)
        return turn

    def siblings(self, turn: Turn | int) -> tuple[Turn, ...]:
        """The versions of a turn: all that follow the same parent, itself included, oldest first."""
        return tuple(self._turns[child] for child in self._children[self[_id(turn)].parent])

    def children(self, turn: Turn | int | None) -> tuple[Turn, ...]:
        """The turns that follow `turn` directly; for None the first turns."""
        return tuple(self._turns[child] for child in self._children[None if turn is None else self[_id(turn)].id])

    def select(self, turn: Turn | int) -> tuple[Turn, ...]:
        """Selects the path through `turn` down to its most recently selected leaf; returns that path."""
        leaf = self[_id(turn)].id
        while self._children[leaf]:
            leaf = self._recent.get(leaf, self._children[leaf][-1])
        self._go(leaf)
        return self.path

    def clear(self) -> None:
        """Selects an empty path. Nothing is erased: `undo` brings the path back."""
        self._go(None)

    def undo(self) -> tuple[Turn, ...]:
        """Restores the previous selection and returns its path; without one, nothing changes."""
        if self._past:
            self._leaf = self._past.pop()
            self._remember()
        return self.path

    def _go(self, leaf: int | None) -> None:
        if leaf != self._leaf:
            self._past.append(self._leaf)
            self._leaf = leaf
        self._remember()

    def _remember(self) -> None:
        for turn in self._upwards(self._leaf):
            self._recent[turn.parent] = turn.id

    def _upwards(self, turn: Turn | int | None) -> Iterator[Turn]:
        at = None if turn is None else _id(turn)
        while at is not None:
            found = self[at]
            yield found
            at = found.parent


def _id(turn: Turn | int) -> int:
    return turn.id if isinstance(turn, Turn) else turn
