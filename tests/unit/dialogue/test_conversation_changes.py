"""What erases, what takes over, and what counts as one change."""

from __future__ import annotations

import pytest
from builders import turn

from dialogpt_widget.dialogue.conversation import Conversation, UnknownTurnError
from dialogpt_widget.dialogue.turn import Turn


def add(conversation: Conversation, parent: Turn | None, **options: bool) -> Turn:
    number = conversation.reserve()
    role = "assistant" if parent is not None and parent.role == "user" else "user"
    made = turn(number, (number,), parent.id if parent else None, role, text=f"turn {number}")
    return conversation.add(made, **options)


def talk(turns: int) -> tuple[Conversation, list[Turn]]:
    conversation = Conversation()
    path: list[Turn] = []
    for _ in range(turns):
        path.append(add(conversation, path[-1] if path else None))
    return conversation, path


def test_find_takes_a_turn_or_its_id_and_says_which_is_not_there() -> None:
    conversation, (only,) = talk(1)
    assert conversation.find(only) is conversation.find(0) is only
    with pytest.raises(UnknownTurnError, match=r"^There is no turn 7 in this conversation\.$"):
        conversation.find(7)


def test_a_reply_joined_to_its_question_is_undone_with_it() -> None:
    conversation, path = talk(2)
    asked = add(conversation, path[-1])
    add(conversation, asked, joined=True)
    assert conversation.undo() == tuple(path)


def test_pointing_at_a_turn_ends_the_path_there_and_is_one_change() -> None:
    conversation, path = talk(3)
    assert conversation.point(path[0])
    assert conversation.path == (path[0],)
    assert not conversation.point(path[0].id)
    assert conversation.undo() == tuple(path)
    assert conversation.point(None)
    assert conversation.undo() == tuple(path)


def test_there_is_something_to_undo_only_where_undo_changes_something() -> None:
    conversation, path = talk(1)
    seen = [conversation.can_undo]
    conversation.undo()
    seen.append(conversation.can_undo)
    conversation.select(path[0])
    seen.append(conversation.can_undo)
    conversation.forget(path[0])
    seen.append(conversation.can_undo)
    assert seen == [True, False, True, False]


def test_forgetting_erases_a_turn_with_all_that_follows_it() -> None:
    conversation, path = talk(4)
    sibling = add(conversation, path[0])
    below = add(conversation, path[1])
    conversation.select(path[3])
    assert {gone.id for gone in conversation.forget(path[1])} == {path[1].id, path[2].id, path[3].id, below.id}
    assert conversation.turns == (path[0], sibling)
    assert conversation.path == (path[0],)
    assert conversation.siblings(sibling) == conversation.children(path[0]) == (sibling,)
    assert conversation.select(path[0]) == (path[0], sibling)
    for gone in (path[1], below.id):
        with pytest.raises(UnknownTurnError):
            conversation.select(gone)
    assert conversation.reserve() > below.id


def test_forgetting_another_branch_leaves_the_path_alone() -> None:
    conversation, path = talk(2)
    other = add(conversation, path[0])
    conversation.forget(path[1])
    assert conversation.path == (path[0], other)


def test_undo_never_brings_back_what_was_forgotten() -> None:
    conversation, path = talk(2)
    other = add(conversation, path[0])
    conversation.select(path[1])
    conversation.forget(other)
    assert conversation.undo() == (path[0],), "the selections before the forgotten one are left"
    conversation, path = talk(3)
    conversation.forget(path[1])
    assert conversation.undo() == ()


def test_recent_says_of_each_turn_which_child_was_selected_last() -> None:
    conversation, path = talk(2)
    add(conversation, path[0])
    assert conversation.recent == [(None, 0), (0, 2)]
    conversation.select(path[1])
    assert conversation.recent == [(None, 0), (0, 1)]


def test_restoring_a_selection_leaves_nothing_to_undo() -> None:
    conversation, path = talk(2)
    other = add(conversation, path[0])
    conversation.restore(path[1].id, [(None, 0), (0, other.id)])
    assert conversation.path == (path[0], path[1])
    assert conversation.undo() == (path[0], path[1])
    conversation.restore(None, [(None, 0), (0, other.id)])
    assert conversation.select(path[0])[-1] == other


def test_a_copy_is_of_one_moment_and_on_its_own() -> None:
    conversation, path = talk(2)
    other = add(conversation, path[0])
    conversation.select(path[1])
    copy = conversation.copy()
    conversation.forget(other)
    add(conversation, path[1])
    assert copy.turns == (*path, other)
    assert (copy.path, copy.recent, copy.next_id) == (tuple(path), [(None, 0), (0, 1)], 3)
    assert not copy.can_undo


def test_grafting_takes_over_all_branches_and_selects_the_other_path() -> None:
    conversation, before = talk(2)
    other, path = talk(2)
    left = add(other, path[0])
    right = other.add(
        turn(other.reserve(), (9,), path[1].id, text="who saw", context=(path[0].id, path[1].id)), select=False
    )
    other.select(path[1])
    gone = add(other, left)
    other.forget(gone)
    taken = conversation.graft(other)
    assert [turn.text for turn in taken] == [turn.text for turn in other.path]
    assert [turn.text for turn in conversation.turns] == [turn.text for turn in (*before, *other.turns)]
    assert [turn.text for turn in conversation.siblings(taken[1])] == [path[1].text, left.text]
    copied = next(turn for turn in conversation.turns if turn.text == right.text)
    assert copied.context == tuple(turn.id for turn in conversation.path_to(copied)[:-1])
    assert len({turn.id for turn in conversation.turns}) == len(conversation)
    assert conversation.siblings(before[0]) == (before[0], taken[0])
    assert conversation.undo() == tuple(before)


def test_several_conversations_are_taken_over_in_one_change() -> None:
    conversation, before = talk(1)
    others = [talk(length)[0] for length in (2, 1, 3)]
    assert len(conversation.graft(*others)) == 3
    assert len(conversation.children(None)) == 4
    assert conversation.undo() == tuple(before)
    assert conversation.graft() == tuple(before)


def test_taking_over_an_empty_conversation_selects_an_empty_path() -> None:
    conversation, before = talk(1)
    assert conversation.graft(Conversation()) == ()
    assert conversation.undo() == tuple(before)
