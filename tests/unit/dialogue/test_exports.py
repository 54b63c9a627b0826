"""A conversation in other tools' formats says what was said, and nothing of what was forgotten."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

import pytest
from builders import turn
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from samples import well_used

from dialogpt_widget.dialogue import exports
from dialogpt_widget.dialogue.conversation import Conversation
from dialogpt_widget.dialogue.exports import check_messages, read_messages, to_dataset, to_markdown, to_messages
from dialogpt_widget.settings import Settings

LIVE = [*"\\`*_[]<>&#|~$-+=.:!()\"' \t\n\r\x0b\x0c", "1.", "&amp;", "<b>", "![x](y)", "---", "  \n"]
texts = st.lists(st.sampled_from(LIVE) | st.characters(exclude_categories=["Cs"]), max_size=30).map("".join)
MADE: dict[str, Any] = {"settings": Settings(), "reply": 0, "stop": "eos", "model": "m*d*l"}


def said(*texts: str) -> Conversation:
    conversation = Conversation()
    for place, text in enumerate(texts):
        number = conversation.reserve()
        role = ("user", "assistant")[place % 2]
        made = MADE if role == "assistant" else {}
        conversation.add(turn(number, (), number - 1 if number else None, role, text=text, **made))
    return conversation


class Rendered(HTMLParser):
    """The tags and the text of a rendered page."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown))

    def handle_starttag(self, tag: str, attrs: object) -> None:
        assert attrs == []
        self.tags.append(tag)
        self.text += "\n" if tag == "p" else ""

    def handle_data(self, data: str) -> None:
        self.text += data


@given(texts)
@example("a\r- b\r\rc")
@example("ends with a line\n")
@example("\n    code")
@example("a \\| b\n:-:")
@example("x\n===")
@example("\\")
@example("")
def test_no_text_becomes_markup(text: str) -> None:
    shown = Rendered(to_markdown(said(text, text)))
    breaks = text.replace("\r\n", "\n").replace("\r", "\n").count("\n")
    assert shown.tags == ["p", "strong", "p", *["br"] * breaks] * 2
    seen = text.replace("\0", "\ufffd").split()
    you, model = shown.text.split("\nModel (m*d*l, 1970-01-01 00:00 UTC)", 1)
    assert you.split() == ["You", *seen]
    assert model.split() == seen


def test_markdown_names_who_spoke_and_numbers_branches() -> None:
    conversation = said("Hi", "Hello", "And?")
    again = conversation.reserve()
    conversation.add(turn(again, (), 0, "assistant", text="Written"))
    by_hand = "**Model** (not generated here, 1970-01-01 00:00 UTC)\n\nWritten\n"
    assert to_markdown(conversation) == f"**You**\n\nHi\n\n{by_hand}"
    both = to_markdown(conversation, branches=True)
    assert both.startswith("## Branch 1 of 2\n\n**You**\n\nHi\n")
    assert "## Branch 2 of 2" in both
    assert both.count("**You**\n\nHi\n") == 2


def test_messages_and_dataset_rows_are_those_of_the_hugging_face_stack() -> None:
    conversation = said("Hi", "Hello")
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    assert json.loads(to_messages(conversation)) == messages
    assert json.loads(to_dataset(conversation)) == {"messages": messages}
    conversation.clear()
    conversation.add(turn(conversation.reserve(), (), None, "user", text="Other"))
    other = [{"role": "user", "content": "Other"}]
    assert json.loads(to_messages(conversation)) == other
    assert json.loads(to_messages(conversation, branches=True)) == [messages, other]
    rows = to_dataset(conversation, branches=True).split("\n")
    assert [json.loads(row)["messages"] for row in rows[:-1]] == [messages, other]


def test_an_empty_conversation_is_written_and_read() -> None:
    empty = Conversation()
    assert to_markdown(empty) == ""
    assert read_messages(to_messages(empty)) == read_messages(to_messages(empty, branches=True)) == [[]]
    assert read_messages(to_dataset(empty)) == [[]]
    assert to_dataset(empty, branches=True) == ""


@given(st.lists(texts, min_size=1, max_size=4), st.booleans())
@example(["line\u2028separator", "next\x85line"], True)
def test_what_was_written_is_read(said_texts: list[str], branches: bool) -> None:  # noqa: FBT001
    conversation = said(*said_texts)
    if branches:
        conversation.add(turn(conversation.reserve(), (), None, "user", text=said_texts[-1]))
    paths = [exports.messages_of(path) for path in exports.branches_of(conversation, all_branches=branches)]
    assert read_messages(to_messages(conversation, branches=branches)) == paths
    assert read_messages(to_dataset(conversation, branches=branches)) == paths


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "3",
        "null",
        '{"a": 1}',
        "[1]",
        '[{"role": "user"}]',
        '[{"role": "user", "content": 3}]',
        '[{"role": ["user"], "content": "x"}]',
        '{"messages": [{"role": "user", "content": "x"}]}\n{"messages"',
        "[" * 100_000,
        '[{"role": "user", "content": ' + "[" * 900 + "]" * 900 + "}]",
    ],
)
def test_what_is_no_list_of_messages_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"neither a saved conversation nor a list of messages|role \['user'\]"):
        read_messages(text)


def test_messages_say_which_of_them_is_wrong() -> None:
    with pytest.raises(TypeError, match="Messages are a list"):
        check_messages("Hello")
    with pytest.raises(TypeError, match=r"Message 1 is not .* but 'Hi'"):
        check_messages([{"role": "user", "content": "x"}, "Hi"])
    with pytest.raises(ValueError, match=r"Message 0 has the role 'system'; DialoGPT knows user and assistant alone"):
        check_messages([{"role": "system", "content": "x"}])
    assert check_messages(({"role": "user", "content": "x", "more": 1},)) == [{"role": "user", "content": "x"}]


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = read_messages(text)
    except ValueError:
        return
    assert all(isinstance(message["content"], str) for messages in found for message in messages)


def test_forgotten_turns_are_in_no_export() -> None:
    chat = well_used()
    secret = chat.edit(chat.path[2], "my secret")
    asked = chat.path[-2]
    assert secret.text != asked.text == "my secret"
    chat.forget(asked)
    from dialogpt_widget.dialogue import files

    written = [
        write(chat.conversation, branches=branches)
        for write in (to_markdown, to_messages, to_dataset)
        for branches in (False, True)
    ]
    written += [files.dump(chat.saved, branches=branches) for branches in (False, True)]
    written.append(chat.tokens.to_csv().decode())
    for text in written:
        assert "secret" not in text
        assert json.dumps(secret.text, ensure_ascii=False)[1:-1] not in text
