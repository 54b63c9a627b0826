"""A tree of turns and one selected path."""

from __future__ import annotations

import pytest
from builders import turn
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from dialogpt_widget.dialogue.conversation import Conversation
from dialogpt_widget.dialogue.turn import Turn


def add(conversation: Conversation, parent: Turn | None, *, select: bool = True) -> Turn:
    number = conversation.reserve()
    role = "assistant" if parent is not None and parent.role == "user" else "user"
    return conversation.add(turn(number, (number,), parent.id if parent else None, role), select=select)


def test_a_sibling_is_selected_and_undo_brings_the_other_back() -> None:
    conversation = Conversation()
    asked = add(conversation, None)
    first, second = add(conversation, asked), add(conversation, asked)
    assert conversation.path == (asked, second)
    assert conversation.siblings(first) == conversation.siblings(second.id) == (first, second)
    assert conversation.undo() == (asked, first)
    assert conversation.select(second) == (asked, second)
    assert conversation.turns == (asked, first, second)


def test_select_goes_down_to_the_leaf_that_was_selected_last() -> None:
    conversation = Conversation()
    root = add(conversation, None)
    left, right = add(conversation, root), add(conversation, root)
    under_left = [add(conversation, left), add(conversation, left)]
    add(conversation, right)
    conversation.select(under_left[0])
    conversation.select(right)
    assert conversation.select(left)[-1] == under_left[0]
    assert conversation.select(root)[-1] == under_left[0]


def test_clear_erases_nothing_and_a_new_root_is_a_sibling_of_the_old() -> None:
    conversation = Conversation()
    first = add(conversation, None)
    conversation.clear()
    assert (conversation.path, conversation.leaf) == ((), None)
    second = add(conversation, None)
    assert conversation.siblings(first) == conversation.children(None) == (first, second)
    conversation.undo()
    assert conversation.undo() == (first,)


def test_undo_without_a_past_changes_nothing() -> None:
    conversation = Conversation()
    assert conversation.undo() == ()
    only = add(conversation, None)
    conversation.select(only)
    assert conversation.undo() == ()
    assert conversation.undo() == ()
    assert only in conversation.turns


def test_a_turn_that_is_not_selected_leaves_the_path_alone() -> None:
    conversation = Conversation()
    root = add(conversation, None)
    other = add(conversation, root, select=False)
    assert conversation.path == (root,)
    assert conversation.path_to(other) == (root, other)
    assert other.id in conversation
    assert len(conversation) == 2


def test_turns_that_do_not_belong_are_refused() -> None:
    conversation = Conversation()
    root = add(conversation, None)
    with pytest.raises(ValueError, match="taken"):
        conversation.add(root)
    with pytest.raises(ValueError, match="reserved"):
        conversation.add(turn(99))
    with pytest.raises(KeyError, match="no turn 42"):
        conversation.add(turn(conversation.reserve(), parent=42))
    for lost in (conversation.select, conversation.siblings, conversation.path_to, conversation.children):
        with pytest.raises(KeyError, match="no turn 42"):
            lost(42)
    assert conversation.turns == (root,)


class Walk(RuleBasedStateMachine):
    """Any sequence of verbs, against a list of what was said and a list of what was selected."""

    def __init__(self) -> None:
        super().__init__()
        self.conversation = Conversation()
        self.said: list[Turn] = []
        self.selected: list[int | None] = [None]

    def _note(self) -> None:
        if self.conversation.leaf != self.selected[-1]:
            self.selected.append(self.conversation.leaf)

    @rule(pick=st.integers(0, 1000), select=st.booleans())
    def say(self, pick: int, *, select: bool) -> None:
        parents = [None, *self.said]
        self.said.append(add(self.conversation, parents[pick % len(parents)], select=select))
        assert not select or self.conversation.leaf == self.said[-1].id
        self._note()

    @precondition(lambda self: self.said)
    @rule(pick=st.integers(0, 1000))
    def select(self, pick: int) -> None:
        wanted = self.said[pick % len(self.said)]
        path = self.conversation.select(wanted)
        assert wanted in path
        assert self.conversation.children(path[-1]) == ()
        self._note()
        assert self.conversation.select(wanted) == path

    @rule()
    def clear(self) -> None:
        self.conversation.clear()
        assert self.conversation.path == ()
        self._note()

    @rule()
    def undo(self) -> None:
        if len(self.selected) > 1:
            self.selected.pop()
        self.conversation.undo()
        assert self.conversation.leaf == self.selected[-1]

    @rule()
    def reserve(self) -> None:
        assert self.conversation.reserve() not in self.conversation

    @invariant()
    def no_turn_is_ever_lost(self) -> None:
        assert self.conversation.turns == tuple(self.said)

    @invariant()
    def the_path_follows_parents_from_a_root(self) -> None:
        path = self.conversation.path
        assert [turn.parent for turn in path] == [None, *(turn.id for turn in path)][: len(path)]
        assert (path[-1].id if path else None) == self.conversation.leaf
        assert all(turn in self.conversation.siblings(turn) for turn in path)


Walk.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAnyWalk = Walk.TestCase
