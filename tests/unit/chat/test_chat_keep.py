"""Saving, loading, exporting, taking over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet
import pytest
from builders import chat_model
from samples import contents, saved_text, well_used

from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.dialogue import exports, files
from dialogpt_widget.dialogue import file_format as records
from dialogpt_widget.engine.model import ChatModel
from dialogpt_widget.settings import Settings

MESSAGES = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]


@pytest.fixture
def chat(model: ChatModel) -> Chat:
    return Chat(model, settings=Settings(seed=1, max_new_tokens=8))


def test_a_loaded_chat_goes_on_as_the_saved_one_would(chat: Chat, tmp_path: Path) -> None:
    chat.send("Hello")
    chat.save(tmp_path / "chat.json")
    other = Chat.load(tmp_path / "chat.json", chat_model())
    assert contents(other.conversation) == contents(chat.conversation)
    assert other.settings == chat.settings
    texts = ("And?", "Why?")
    assert [other.send(text).ids for text in texts] == [chat.send(text).ids for text in texts]
    assert [turn.reply for turn in other.path] == [None, 0, None, 1, None, 2]


def test_ids_that_the_model_does_not_have_are_refused_when_it_is_known(chat: Chat, tmp_path: Path) -> None:
    chat.send("Hello")
    content = json.loads(files.dump(chat.saved))
    content["turns"][0]["ids"] = [60_000]
    text, path = json.dumps(content), tmp_path / "chat.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"turn \d+ holds the token 60000, and tiny-\d+ has 300 tokens"):
        chat.take(text)
    with pytest.raises(ValueError, match="This conversation is damaged"):
        Chat.load(path, chat.load_model())
    late = Chat.load(path, "mini")
    late.state.model.source = chat.state.model.source
    with pytest.raises(ValueError, match="This conversation is damaged"):
        late.send("Hello")
    assert late.model is None


def test_the_selected_path_alone_is_saved_on_request(chat: Chat, tmp_path: Path) -> None:
    chat.send("Hello")
    chat.regenerate()
    chat.save(tmp_path / "chat.json", branches=False)
    assert Chat.load(tmp_path / "chat.json").turns == chat.path


def test_a_chat_is_loaded_with_its_model_and_settings_unless_told_otherwise(tmp_path: Path) -> None:
    Chat("mini", settings=Settings(seed=5)).save(tmp_path / "chat.json")
    loaded = Chat.load(tmp_path / "chat.json", device="cpu")
    assert (loaded.model_name, loaded.settings.seed, loaded.device, loaded.model) == ("mini", 5, "cpu", None)
    other = Chat.load(tmp_path / "chat.json", "some/other", settings=Settings(seed=6))
    assert (other.model_name, other.settings.seed) == ("some/other", 6)
    with pytest.raises(TypeError, match="Chat takes no 'colour'"):
        Chat.load(tmp_path / "chat.json", colour="red")


def test_exports_write_what_the_formats_hold(chat: Chat, tmp_path: Path) -> None:
    chat.send("Hello")
    chat.regenerate()
    for name, write, make in (
        ("a.md", chat.export_markdown, exports.to_markdown),
        ("a.json", chat.export_messages, exports.to_messages),
        ("a.jsonl", chat.export_dataset, exports.to_dataset),
    ):
        for branches in (False, True):
            write(tmp_path / name, branches=branches)
            assert (tmp_path / name).read_bytes().decode() == make(chat.conversation, branches=branches)


def test_tokens_are_exported_by_the_ending_of_the_file(chat: Chat, tmp_path: Path) -> None:
    chat.send('Say "this",\nplease\r!')
    frame = chat.tokens.to_pandas()
    chat.export_tokens(tmp_path / "tokens.CSV")
    csv = pd.read_csv(tmp_path / "tokens.CSV", keep_default_na=False, na_values={"logprob": [""]})
    assert list(csv.columns) == list(frame.columns)
    assert csv["text"].tolist() == frame["text"].tolist()
    assert csv["id"].tolist() == frame["id"].tolist()
    chat.export_tokens(tmp_path / "tokens.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "tokens.parquet")
    assert table.schema == chat.tokens.to_arrow().schema
    pd.testing.assert_frame_equal(table.to_pandas(), chat.tokens.to_arrow().to_pandas())


@pytest.mark.parametrize("name", ["tokens.xlsx", "tokens"])
def test_another_ending_is_refused_before_anything_is_loaded(name: str, tmp_path: Path) -> None:
    chat = Chat("mini")
    with pytest.raises(ValueError, match=r"Tokens are written as \.csv or \.parquet, not"):
        chat.export_tokens(tmp_path / name)
    assert chat.model is None
    assert list(tmp_path.iterdir()) == []


def test_a_saved_conversation_is_taken_over_beside_what_is_here(chat: Chat) -> None:
    chat.send("Hello")
    before = chat.path
    taken = chat.take(saved_text())
    other = files.parse(saved_text()).conversation
    assert exports.messages_of(taken) == exports.messages_of(other.path)
    assert len(chat.turns) == len(before) + len(other)
    numbers = [turn.reply for turn in other.turns if turn.reply is not None]
    assert chat.send("Next").reply == max(numbers) + 1
    chat.undo()
    assert tuple(chat.undo()) == before


@pytest.mark.parametrize(
    ("text", "lists"),
    [
        (json.dumps(MESSAGES), 1),
        (json.dumps([MESSAGES, MESSAGES[:1]]), 2),
        (json.dumps({"messages": MESSAGES}), 1),
        ("\n".join([json.dumps({"messages": MESSAGES})] * 3) + "\n", 3),
    ],
)
def test_lists_of_messages_are_taken_over_in_one_change(chat: Chat, text: str, lists: int) -> None:
    chat.send("Hello")
    before = chat.path
    assert exports.messages_of(chat.take(text))[0] == MESSAGES[0]
    assert len(chat.conversation.children(None)) == 1 + lists
    assert tuple(chat.undo()) == before


def test_messages_that_speak_of_the_format_are_messages(chat: Chat) -> None:
    message = {"role": "user", "content": f'What is a "{files.FORMAT}"? {{"format":"{files.FORMAT}"}}'}
    chat.take(json.dumps([message]))
    assert chat.messages == [message]


@pytest.mark.parametrize(
    "text",
    [
        "garbage",
        "",
        saved_text()[:-5],
        saved_text().replace('"role":"assistant"', '"role":"system"', 1),
        json.dumps({"messages": MESSAGES}) + "\n" + json.dumps({"messages": [{"role": "user", "content": ""}]}),
        json.dumps([MESSAGES, [{"role": "tool", "content": "x"}]]),
    ],
)
def test_nothing_is_taken_over_by_halves(chat: Chat, text: str) -> None:
    chat.send("Hello")
    before = contents(chat.conversation)
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        chat.take(text)
    assert contents(chat.conversation) == before


def test_taking_over_during_a_reply_gives_no_two_replies_the_same_dice(model: ChatModel) -> None:
    chat = Chat(model, settings=Settings(seed=1, max_new_tokens=4, min_new_tokens=4))
    small = Chat(model, settings=chat.settings)
    small.send("small")
    text = files.dump(small.saved)
    replies = [chat.send("one")]
    end = chat.on_token(lambda token: chat.take(text) if token.position == 2 else None)
    replies.append(chat.send("two"))
    end()
    replies.append(chat.send("three"))
    assert [turn.reply for turn in replies] == [0, 1, 2]


def test_a_file_that_is_written_while_a_reply_settles_can_be_read(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    chat.send("Hello")

    def meanwhile(*arguments: Any) -> Any:
        monkeypatch.setattr(files, "entry_of", records.entry_of)
        chat.send("meanwhile")
        return records.entry_of(*arguments)

    monkeypatch.setattr(files, "entry_of", meanwhile)
    assert len(files.parse(files.dump(chat.saved)).conversation) == 2


def test_what_was_forgotten_is_in_no_file() -> None:
    chat = well_used()
    secret = chat.edit(chat.path[0], "my secret")
    chat.forget(chat.path[0])
    text = files.dump(chat.saved)
    assert "my secret" not in text
    assert json.dumps(secret.ids)[1:-1].replace(" ", "") not in text
