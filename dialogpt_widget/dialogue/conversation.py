"""The conversation: an append-only tree of turns, and the branch of it that is selected."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from dialogpt_widget.dialogue.nbest import NBest, NBests
from dialogpt_widget.dialogue.tokens import Reading, TokenTable
from dialogpt_widget.dialogue.turn import Turn

P = ParamSpec("P")
R = TypeVar("R")


def locked(method: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], R]:
    """Decorates a method so that no two such methods of an object run at once; the object has a lock `_lock`."""

    @functools.wraps(method)
    def alone(self: Any, *args: P.args, **named: P.kwargs) -> R:
        with self._lock:
            return method(self, *args, **named)

    return alone  # type: ignore[return-value]  # functools.wraps loses the first argument's place


class UnknownTurnError(KeyError):
    """A turn that is not in a conversation, or no longer."""

    def __str__(self) -> str:
        return str(self.args[0])


class Conversation:
    """All turns ever said and the branch that is selected.

    Adding a turn selects it. `undo` restores the selection before the last change of it, whatever changed it. Nothing
    is ever erased but by `forget`.

    Attributes:
        reading: what it takes to read its ids; a chat sets it when its model is loaded.
        nbests: lists of replies of which one was chosen.
    """

    def __init__(self, *, next_id: int = 0) -> None:
        self._turns: dict[int, Turn] = {}
        self._children: dict[int | None, list[int]] = {None: []}
        self._next = next_id
        self._lock = threading.RLock()
        self.reading: Reading | None = None
        self.nbests = NBests()
        self._recent: dict[int | None, int] = {}
        self._leaf: int | None = None
        self._past: list[int | None] = []

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

    @property
    def tokens(self) -> TokenTable:
        """One row a token of every branch, in the order of `turns`; `node` and `parent` tell the tree.

        Raises:
            RuntimeError: no model is known by whose ids to read it.
        """
        if self.reading is None:
            raise RuntimeError("The model is not loaded yet, by whose ids this is read: send something, or load it.")
        return TokenTable.of_turns(self.turns, *self.reading, path=False)

    @property
    def leaf(self) -> int | None:
        """Id of the last turn of the selected path; None when nothing is selected."""
        return self._leaf

    @property
    def path(self) -> tuple[Turn, ...]:
        """The selected branch, root first."""
        return self.path_to(self._leaf)

    def question(self, turn: Turn | int | None = None) -> Turn:
        """The user's turn that a reply to `turn` answers: itself, or of a reply the one before; by default the last.

        Raises:
            ValueError: there is no such turn.
            UnknownTurnError: it is not in this conversation, or no longer.
        """
        asked = self.find(turn) if turn is not None else next(iter(self.path[-1:]), None)
        if asked is not None and asked.role == "assistant" and asked.parent is not None:
            asked = self[asked.parent]
        if asked is None or asked.role != "user":
            raise ValueError("There is nothing to answer: say something first.")
        return asked

    def __repr__(self) -> str:
        return f"<Conversation of {len(self)} turns, {len(self.path)} on the path>"

    @property
    def recent(self) -> list[tuple[int | None, int]]:
        """The child of each turn, and of the root (None), that was on the selected path last; in order."""
        return sorted(self._recent.items(), key=lambda pair: -1 if pair[0] is None else pair[0])

    @locked
    def copy(self) -> Conversation:
        """Copies the conversation as it is now; the copy has nothing to undo."""
        copied = Conversation(next_id=self._next)
        for turn in self._turns.values():
            copied.add(turn, select=False)
        for made in self.nbests:
            copied.nbests.put(made)
        copied.restore(self._leaf, self._recent.items())
        return copied

    @locked
    def restore(self, leaf: int | None, recent: Iterable[tuple[int | None, int]]) -> None:
        """Puts back what was selected when a conversation was saved; there is nothing to undo then."""
        self._leaf, self._recent, self._past = leaf, dict(recent), []
        self._remember()

    @locked
    def add(self, turn: Turn, *, select: bool = True, joined: bool = False) -> Turn:
        """Appends a settled turn; its id comes from `reserve`.

        Args:
            turn: whose parent is here already.
            select: whether to select it.
            joined: whether that is one change with the selection before it, undone together: a reply and its question.

        Raises:
            ValueError: the id is taken or was never reserved.
            UnknownTurnError: its parent is not in this conversation.
        """
        self._grow(turn)
        if select:
            self._go(turn.id, joined=joined)
        return turn

    @locked
    def graft(self, *others: Conversation) -> tuple[Turn, ...]:
        """Takes over other conversations' turns as branches of this one and selects the last one's path.

        The turns get ids of their own here; nothing that was here changes, and one `undo` goes back to it.

        Returns:
            The selected path.
        """
        leaves = [self._take(other) for other in others]
        if leaves:
            self._go(leaves[-1])
        return self.path

    def _take(self, other: Conversation) -> int | None:
        """Takes over another conversation's turns; returns the id that its leaf has here."""
        start = self._next
        self._next += other._next

        def moved(own_id: int) -> int:
            return own_id + start

        for turn in other.turns:
            self.add(turn.moved(moved), select=False)
        for made in other.nbests:
            self.nbests.put(made.moved(moved))
        self._recent |= {moved(parent): moved(child) for parent, child in other._recent.items() if parent is not None}
        return None if other.leaf is None else moved(other.leaf)

    @locked
    def forget(self, turn: Turn | int) -> tuple[Turn, ...]:
        """Erases a turn with all that follows it and the lists of replies to it, for good; returns these turns.

        What was picked from a list of replies is erased there, too.

        Where the selected path leads through it, the path ends before it from now on.
        """
        first = self.find(turn)
        gone = self._cut(first)
        self.nbests.forget(gone)
        self._recent = {
            parent: child for parent, child in self._recent.items() if parent not in gone and child not in gone
        }
        self._past = [leaf for leaf in self._past if leaf not in gone]
        if self._leaf in gone:
            self._leaf = first.parent
            self._remember()
        return tuple(gone.values())

    @locked
    def propose(self, made: NBest) -> NBest:
        """Adds a list of replies to a turn, or the same list ranked anew. Its ids come from `reserve`.

        Raises:
            UnknownTurnError: the turn that they answer is not in this conversation.
            ValueError: an id is taken by something else, or was never reserved.
        """
        self[made.parent]
        ids = [turn.id for turn in made.turns]
        if len({made.id, *ids}) <= len(ids) or not all(0 <= one < self._next for one in (made.id, *ids)):
            raise ValueError("The ids of a list of replies are taken or were not reserved.")
        lists = [other for other in self.nbests if other.id != made.id]
        others = {other.id for other in lists} | {turn.id for other in lists for turn in other.turns}
        strange = [turn.id for turn in made.turns if self._turns.get(turn.id, turn) != turn]
        if strange or made.id in self._turns or not others.isdisjoint((made.id, *ids)):
            raise ValueError(f"An id of the list of replies {made.id} is taken.")
        return self.nbests.put(made)

    @locked
    def pick(self, list_id: int, place: int) -> Turn:
        """Makes a reply of a list a version in the tree, if it is none yet, and selects it.

        Raises:
            UnknownListError: there is no such list.
            IndexError: it has no such reply.
        """
        turns = self.nbests[list_id].turns
        if type(place) is not int or not 0 <= place < len(turns):
            raise IndexError(f"This list has the replies 0 to {len(turns) - 1}, not {place!r}.")
        turn = turns[place]
        if turn.id in self._turns:
            self.select(turn.id)
        else:
            self.add(turn)
        return self[turn.id]

    @locked
    def select(self, turn: Turn | int) -> tuple[Turn, ...]:
        """Selects the path through `turn` down to its most recently selected leaf; returns that path."""
        leaf = self.find(turn).id
        while self._children[leaf]:
            leaf = self._recent.get(leaf, self._children[leaf][-1])
        self._go(leaf)
        return self.path

    @locked
    def clear(self) -> None:
        """Selects an empty path. Nothing is erased: `undo` brings the path back."""
        self._go(None)

    @property
    def can_undo(self) -> bool:
        """Whether there is a selection to go back to."""
        return any(leaf != self._leaf for leaf in self._past)

    @locked
    def point(self, turn: Turn | int | None) -> bool:
        """Selects the path that ends at a turn, or none; returns whether that changed anything."""
        before = self._leaf
        self._go(None if turn is None else self.find(turn).id)
        return self._leaf != before

    @locked
    def undo(self) -> tuple[Turn, ...]:
        """Restores the previous selection and returns its path; without one, nothing changes."""
        while self._past:
            before = self._past.pop()
            if before != self._leaf:  # what was forgotten may have left the same selection twice
                self._leaf = before
                self._remember()
                break
        return self.path

    def _go(self, leaf: int | None, *, joined: bool = False) -> None:
        if leaf != self._leaf:
            if not joined:
                self._past.append(self._leaf)
            self._leaf = leaf
        self._remember()

    def _remember(self) -> None:
        for turn in self._upwards(self._leaf):
            self._recent[turn.parent] = turn.id


def _id(turn: Turn | int) -> int:
    return turn.id if isinstance(turn, Turn) else turn
