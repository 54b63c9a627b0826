"""A chat without Jupyter: what was said, how it is answered, how it is stopped."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from builders import byte_tokenizer, chat_model, random_gpt2

from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.engine.loading.names import recommended
from dialogpt_widget.engine.model import ChatModel
from dialogpt_widget.settings import Settings


@pytest.fixture
def chat(model: ChatModel) -> Chat:
    return Chat(model, settings=Settings(seed=1, max_new_tokens=12))


def test_a_message_and_its_reply_are_turns_of_the_path(chat: Chat) -> None:
    pieces: list[str] = []
    reply = chat.send("Hello", pieces.append)
    asked = chat.path[0]
    assert chat.path == (asked, reply)
    assert chat.messages == [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": reply.text}]
    assert "".join(pieces) == reply.text
    assert (asked.parent, reply.parent, reply.reply, reply.context) == (None, asked.id, 0, (asked.id,))
    assert (reply.model, reply.precision, reply.settings) == ("tiny-0", "float32", chat.settings)
    assert reply.rows is not None
    assert reply.rows["id"].tolist()[: len(reply.ids)] == list(reply.ids)
    assert asked.ids == tuple(byte_tokenizer()("Hello")["input_ids"])


def test_ids_of_a_reply_go_back_into_the_context_as_they_were_said(chat: Chat) -> None:
    first = chat.send("Hello")
    second = chat.send("And?")
    eos = chat.load_model().eos
    asked = [turn for turn in chat.path if turn.role == "user"]
    assert second.context == (asked[0].id, first.id, asked[1].id)
    assert chat.context.ids[: -len(second.ids) - 1] == (*asked[0].ids, eos, *first.ids, eos, *asked[1].ids, eos)


def test_regenerate_adds_a_version_and_selects_it(chat: Chat) -> None:
    chat.settings = chat.settings.replace(temperature=5.0, top_k=0, top_p=1.0)
    first = chat.send("Hello")
    second = chat.regenerate()
    third = chat.regenerate(first)
    assert [turn.reply for turn in (first, second, third)] == [0, 1, 2]
    assert first.ids != second.ids
    assert chat.conversation.siblings(first) == (first, second, third)
    assert chat.path[-1] == third
    assert chat.undo()[-1] == second


def test_a_seed_repeats_a_whole_chat() -> None:
    chats = [Chat(chat_model(), settings=Settings(seed=4, max_new_tokens=10)) for _ in range(2)]
    assert [chats[0].send(text).ids for text in "abc"] == [chats[1].send(text).ids for text in "abc"]


def test_a_seed_is_drawn_and_recorded(model: ChatModel) -> None:
    turn = Chat(model, settings=Settings(max_new_tokens=3)).send("Hello")
    assert turn.settings is not None
    assert turn.settings.seed is not None


def test_clear_and_undo(chat: Chat) -> None:
    chat.send("Hello")
    before = chat.path
    chat.clear()
    assert chat.messages == []
    assert tuple(chat.undo()) == before
    with pytest.raises(ValueError, match="nothing to answer"):
        Chat(chat.load_model()).regenerate()


def test_tokens_and_turns_are_told_and_a_failing_listener_breaks_nothing(chat: Chat) -> None:
    tokens: list[int] = []
    turns: list[Turn] = []

    def broken(_: Any) -> None:
        raise RuntimeError("listener")

    ends = [chat.on_token(broken), chat.on_turn(broken)]
    ends += [chat.on_token(lambda token: tokens.append(token.id)), chat.on_turn(turns.append)]
    reply = chat.send("Hello")
    assert tokens[: len(reply.ids)] == list(reply.ids)
    assert tuple(turns) == chat.path
    for end in ends:
        end()
        end()
    chat.send("Hello")
    assert len(turns) == 2


def test_a_listener_that_fails_is_logged_once_and_what_is_none_is_refused(
    chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    async def later(_: Any) -> None: ...

    for wrong, why in ((3, "not 3"), (later, "async")):
        with pytest.raises(TypeError, match=why):
            chat.on_turn(wrong)
    chat.on_token(lambda _: 1 / 0)
    assert len(chat.send("Hello").ids) > 1
    assert len(caplog.records) == 1


def test_turns_and_conversations_are_told_in_a_line(chat: Chat) -> None:
    chat.messages = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "So " * 20}]
    first, last = chat.path
    assert repr(first) == f"<Turn {first.id}, user, 'Hello', {len(first.ids)} tokens>"
    assert repr(last) == f"<Turn {last.id}, assistant, {'So ' * 13 + 'S…'!r}, {len(last.ids)} tokens>"
    chat.clear()
    assert repr(chat.conversation) == "<Conversation of 2 turns, 0 on the path>"


@pytest.mark.parametrize(
    ("content", "error", "why"),
    [(" ", ValueError, "Message 1 is empty"), (3, TypeError, "Message 1: its content is a string, not 3")],
)
def test_a_message_of_a_list_that_cannot_be_said_is_counted(
    chat: Chat, content: Any, error: type[Exception], why: str
) -> None:
    with pytest.raises(error, match=why):
        chat.messages = [{"role": "user", "content": "Hello"}, {"role": "user", "content": content}]
    assert chat.turns == ()


@pytest.mark.parametrize(
    ("text", "error"), [("", ValueError), ("  ", ValueError), (3, TypeError), ("x" * 64_001, ValueError)]
)
def test_a_message_that_cannot_be_said_changes_nothing(chat: Chat, text: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        chat.send(text)
    assert chat.conversation.turns == ()


def test_a_message_longer_than_the_window_is_answered(chat: Chat) -> None:
    assert chat.send("word " * 2000).ids
    assert chat.path[1].context == (chat.path[0].id,)


def test_another_model_reads_the_same_conversation_in_its_own_ids(chat: Chat) -> None:
    first = chat.send("Hello")
    other = chat_model(9, network=random_gpt2(9))
    chat.use(other)
    reply = chat.send("And you?")
    assert (first.model, reply.model) == ("tiny-0", "tiny-9")
    assert reply.context == tuple(turn.id for turn in chat.path[:-1])
    again = tuple(token for turn in chat.path[:3] for token in (*other.encode(turn.text), other.eos))
    assert chat.context.ids[: len(again)] == again
    assert first.ids == chat.path[1].ids
    assert len(chat.tokens)


def test_what_is_no_model_is_refused(chat: Chat) -> None:
    with pytest.raises(TypeError, match="not int"):
        chat.use(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not dict"):
        chat.settings = {}  # type: ignore[assignment]


def test_the_token_table_of_a_chat(chat: Chat) -> None:
    reply = chat.send("Hello")
    table = chat.tokens
    asked = chat.path[0]
    eos = chat.load_model().eos
    assert table["id"].tolist() == [*asked.ids, eos, *reply.ids, eos]
    assert table["eos"].sum() == 2
    frame = table.to_pandas()
    said = frame[frame.role == "assistant"].iloc[: len(reply.ids)]
    assert set(said.origin) == {"sampled"}
    assert said.logprob.notna().all()
    assert said.draw.between(0, 1).all()
    assert said.position.tolist() == list(range(len(asked.ids) + 1, len(asked.ids) + 1 + len(reply.ids)))
    assert table.to_arrow().num_rows == len(frame)


def test_a_model_is_loaded_once_by_many_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[str] = []

    def make(name: str, **_: Any) -> ChatModel:
        loads.append(name)
        return chat_model()

    monkeypatch.setattr(ChatModel, "from_pretrained", staticmethod(make))
    chat = Chat("somewhere/tiny")
    threads = [threading.Thread(target=chat.load_model) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loads == ["somewhere/tiny"]
    chat.unload()
    assert chat.model is None


def test_settings_that_suited_the_old_model_give_way_and_chosen_ones_stay() -> None:
    chat = Chat("medium")
    chat.use("mini")
    assert chat.settings == recommended("mini")
    chat.use("small")
    assert chat.settings == Settings()
    chat.settings = chosen = Settings(top_k=7)
    chat.use("mini")
    assert chat.settings == chosen
