"""Turns as a tree that only grows: what follows what."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from dialogpt_widget.dialogue.locking import locked
from dialogpt_widget.dialogue.turn import Turn


class UnknownTurnError(KeyError):
    """A turn that is not in a conversation, or no longer."""

    def __str__(self) -> str:
        return str(self.args[0])


class Tree:
    """All turns ever said, of every branch."""

    def __init__(self, *, next_id: int = 0) -> None:
        self._turns: dict[int, Turn] = {}
        self._children: dict[int | None, list[int]] = {None: []}
        self._next = next_id
        self._lock = threading.RLock()

    @property
    def turns(self) -> tuple[Turn, ...]:
        """Every turn of every branch, in the order in which they settled."""
        return tuple(self._turns.values())

    @locked
    def path_to(self, turn: Turn | int | None) -> tuple[Turn, ...]:
        """The turns from the root to `turn`, both included.

        Raises:
            UnknownTurnError: no such turn.
        """
        return tuple(reversed(list(self._upwards(turn))))

    def __getitem__(self, turn_id: int) -> Turn:
        try:
            return self._turns[turn_id]
        except KeyError:
            raise UnknownTurnError(f"There is no turn {turn_id!r} in this conversation.") from None

    def find(self, turn: Turn | int) -> Turn:
        """A turn by itself or its id.

        Raises:
            UnknownTurnError: it is not in this conversation, or no longer.
        """
        return self[_id(turn)]

    def __contains__(self, turn_id: object) -> bool:
        return turn_id in self._turns

    def __len__(self) -> int:
        return len(self._turns)

    @property
    def next_id(self) -> int:
        """The id that the next turn will get; ids are never used twice."""
        return self._next

    @locked
    def reserve(self) -> int:
        """An id for a turn that is still being made; a reply that leaves no turn leaves a gap."""
        self._next += 1
        return self._next - 1

    def _grow(self, turn: Turn) -> None:
        """Adds a turn; its id comes from `reserve`.

        Raises:
            ValueError: the id is taken or was never reserved.
            UnknownTurnError: its parent is not here.
        """
        if turn.id in self._turns or not 0 <= turn.id < self._next:
            raise ValueError(f"Turn id {turn.id} is taken or was not reserved.")
        if turn.parent is not None:
            self[turn.parent]
        self._turns[turn.id] = turn
        self._children[turn.id] = []
        self._children[turn.parent].append(turn.id)

    def _cut(self, first: Turn) -> dict[int, Turn]:
        """Erases a turn with all that follows it; returns what was erased, by id."""
        gone = {first.id: first}
        for parent in (waiting := [first.id]):
            waiting += self._children[parent]
            gone |= {child: self._turns[child] for child in self._children[parent]}
        self._children[first.parent].remove(first.id)
        for own_id in gone:
            del self._turns[own_id], self._children[own_id]
        return gone

    @locked
    def rescore(self, turn: Turn | int, rows: np.ndarray) -> None:
        """Puts newly computed token rows into a turn's record.

        Raises:
            ValueError: they are of other ids.
        """
        old = self[_id(turn)]
        if old.rows is not None and old.rows["id"].tolist() != rows["id"].tolist():
            raise ValueError("These rows are of other tokens.")
        self._turns[old.id] = replace(old, rows=rows)

    @locked
    def siblings(self, turn: Turn | int) -> tuple[Turn, ...]:
        """The versions of a turn: all that follow the same parent, itself included, oldest first."""
        return tuple(self._turns[child] for child in self._children[self[_id(turn)].parent])

    @locked
    def children(self, turn: Turn | int | None) -> tuple[Turn, ...]:
        """The turns that follow `turn` directly; for None the first turns."""
        return tuple(self._turns[child] for child in self._children[None if turn is None else self[_id(turn)].id])

    def _upwards(self, turn: Turn | int | None) -> Iterator[Turn]:
        at = None if turn is None else _id(turn)
        while at is not None:
            found = self[at]
            yield found
            at = found.parent


def _id(turn: Turn | int) -> int:
    return turn.id if isinstance(turn, Turn) else turn
