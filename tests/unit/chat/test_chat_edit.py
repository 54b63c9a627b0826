"""Saying it in other words: new versions, nothing lost, one change to undo."""

from __future__ import annotations

from typing import Any

import pytest
from builders import before_each_step, byte_tokenizer, chat_model

from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.dialogue.conversation import UnknownTurnError
from dialogpt_widget.engine.model import ChatModel
from dialogpt_widget.settings import Settings


@pytest.fixture
def chat(model: ChatModel) -> Chat:
    return Chat(model, settings=Settings(seed=1, max_new_tokens=8))


def test_an_edited_message_is_answered_and_the_old_branch_stays(chat: Chat) -> None:
    chat.send("Hello")
    chat.send("And you?")
    before = chat.path
    pieces: list[str] = []
    reply = chat.edit(before[2], "And they?", pieces.append)
    assert chat.path[:2] == before[:2]
    assert (chat.path[2].text, chat.path[3]) == ("And they?", reply)
    assert "".join(pieces) == reply.text
    assert reply.context == tuple(turn.id for turn in chat.path[:3])
    assert chat.siblings(before[2]) == (before[2], chat.path[2])
    assert tuple(chat.undo()) == before, "the edit and its reply are one change"
    assert tuple(chat.select(before[2])) == before


def test_the_first_message_can_be_edited(chat: Chat) -> None:
    first = chat.send("Hello")
    reply = chat.edit(chat.path[0].id, "Good evening")
    assert [turn.text for turn in chat.conversation.children(None)] == ["Hello", "Good evening"]
    assert reply.context == (chat.path[0].id,)
    assert first in chat.turns


def test_an_edited_reply_is_written_by_hand_and_is_not_answered(chat: Chat) -> None:
    old = chat.send("Hello")
    new = chat.edit(old, " As I would have it. ")
    assert chat.path[-1] == new
    assert (new.text, new.role, new.parent) == (" As I would have it. ", "assistant", old.parent)
    assert (new.settings, new.reply, new.stop, new.rows, new.context) == (None, None, None, None, ())
    assert new.ids == tuple(byte_tokenizer()(new.text)["input_ids"])
    assert chat.undo()[-1] == old
    chat.select(new)
    assert chat.send("Go on").context[1] == new.id


@pytest.mark.parametrize(("text", "error"), [("", ValueError), (" ", ValueError), (None, TypeError)])
def test_what_cannot_be_said_changes_nothing(chat: Chat, text: Any, error: type[Exception]) -> None:
    chat.send("Hello")
    before = chat.turns, chat.path
    for turn in chat.path:
        with pytest.raises(error):
            chat.edit(turn, text)
    with pytest.raises(UnknownTurnError):
        chat.edit(99, "Hello")
    with pytest.raises(TypeError, match="show is a function"):
        chat.edit(chat.path[0], "Hello", "no")  # type: ignore[arg-type]
    assert (chat.turns, chat.path) == before


def test_a_send_with_its_reply_is_one_change_and_so_is_a_regeneration(chat: Chat) -> None:
    first = chat.send("one")
    chat.send("two")
    again = chat.regenerate(first)
    assert chat.undo()[-1].id == 3
    assert tuple(chat.undo())[-1] == first
    assert tuple(chat.undo()) == ()
    assert not chat.conversation.can_undo
    assert again in chat.turns


def test_what_is_undone_during_a_reply_stays_undone(chat: Chat) -> None:
    first = chat.send("one")
    chat.settings = chat.settings.replace(min_new_tokens=4)
    undone: list[Any] = []
    end = chat.on_token(lambda token: undone.append(chat.undo()) if token.position == 1 else None)
    again = chat.regenerate()
    end()
    assert undone[0][-1] == chat.path[-1] == first
    assert again in chat.siblings(first)


def test_messages_start_a_conversation_and_undo_brings_back_the_one_before(chat: Chat) -> None:
    chat.send("Hello")
    before = chat.path
    told = [{"role": "user", "content": "Hi \ud800"}, {"role": "assistant", "content": ""}]
    chat.messages = told
    assert [message["content"] for message in chat.messages] == ["Hi \ufffd", ""]
    assert chat.path[0].ids == tuple(byte_tokenizer()("Hi \ufffd")["input_ids"])
    assert {turn.model for turn in chat.path} == {"tiny-0"}
    assert chat.send("And?").context == tuple(turn.id for turn in chat.path[:3])
    chat.undo()
    assert tuple(chat.undo()) == before


@pytest.mark.parametrize(
    ("messages", "error"),
    [
        ("Hello", TypeError),
        ([{"role": "system", "content": "x"}], ValueError),
        ([{"role": "user", "content": "x"}, {"role": "user", "content": " "}], ValueError),
        ([{"role": "user", "content": "x" * 70_000}], ValueError),
        ([{"role": "user"}], TypeError),
    ],
)
def test_messages_that_cannot_be_said_change_nothing(chat: Chat, messages: Any, error: type[Exception]) -> None:
    chat.send("Hello")
    before = chat.turns, chat.path
    with pytest.raises(error):
        chat.messages = messages
    assert (chat.turns, chat.path) == before


def test_a_turn_that_is_being_answered_cannot_be_forgotten(model: ChatModel) -> None:
    chat = Chat(model, settings=Settings(seed=1, max_new_tokens=8, min_new_tokens=8))
    first = chat.send("one")
    outcome: list[str] = []

    def listen(token: Any) -> None:
        if token.position == 2:
            for turn in (chat.path[0], chat.path[-1]):
                try:
                    chat.forget(turn)
                except RuntimeError as error:
                    outcome.append(str(error))

    end = chat.on_token(listen)
    chat.send("two")
    end()
    assert outcome == ["A reply is being said there: stop it first, then forget."] * 2
    end = chat.on_token(lambda token: chat.forget(first) if token.position == 2 and first in chat.turns else None)
    again = chat.regenerate(first)
    end()
    assert chat.turns == chat.path == (chat.path[0], again), "another version of what is being said can"


def test_forgetting_gives_its_numbers_to_nobody(chat: Chat) -> None:
    chat.send("Hello")
    gone = chat.regenerate()
    assert chat.forget(gone) == (gone,)
    again = chat.regenerate()
    assert (again.reply, again.id > gone.id) == (2, True)
    assert gone not in chat.turns
    with pytest.raises(UnknownTurnError):
        chat.regenerate(gone)


def test_a_failure_after_an_edit_leaves_the_edited_message(chat: Chat) -> None:
    chat.send("Hello")

    def fail() -> None:
        raise RuntimeError("broken")

    end = before_each_step(chat.load_model(), fail)
    with pytest.raises(RuntimeError, match="broken"):
        chat.edit(chat.path[0], "Good evening")
    end()
    assert [turn.text for turn in chat.path] == ["Good evening"]
    assert chat.undo()[0].text == "Hello"


def test_another_model_edits_in_its_own_ids(chat: Chat) -> None:
    first = chat.send("Hello")
    chat.use(chat_model(4))
    assert chat.edit(first, "Written").model == "tiny-4"
