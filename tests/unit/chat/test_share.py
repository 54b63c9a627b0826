"""A chat as one line, and what another machine makes of it."""

from __future__ import annotations

import base64
import functools
import json
import zlib
from typing import Any

import pytest
import torch
from builders import chat_model, random_gpt2
from hypothesis import given
from hypothesis import strategies as st

from dialogpt_widget import Chat, ChatModel, Settings
from dialogpt_widget.dialogue.share import PREFIX, from_line

SETTINGS = Settings(seed=5, max_new_tokens=10, temperature=1.5)


@pytest.fixture
def chat() -> Chat:
    chat = Chat(chat_model(3), settings=SETTINGS)
    chat.send("Hello 😀")
    reply = chat.send("How are you?")
    chat.fork(reply, 1, 42)
    return chat


def test_a_line_opens_as_the_same_chat_with_the_same_numbers(chat: Chat) -> None:
    line = chat.share((chat.path[-1].id, 1))
    assert "\n" not in line
    assert line.isascii()
    opened = Chat.open(f" {line[:50]}\n{line[50:]} ", chat_model(3))
    assert (opened.differences, opened.stranger) == ({}, False)
    assert opened.turns == chat.turns
    assert opened.path == chat.path
    assert opened.settings == SETTINGS
    for ours, theirs in zip(chat.turns, opened.turns, strict=True):
        if ours.rows is not None and theirs.rows is not None:
            assert theirs.rows["logprob"].tolist() == pytest.approx(ours.rows["logprob"].tolist(), abs=1e-4)
            assert theirs.rows["draw"].tolist() == pytest.approx(ours.rows["draw"].tolist(), nan_ok=True)
            assert theirs.rows["origin"].tolist() == ours.rows["origin"].tolist()
    assert all(opened.replay(turn).ok for turn in opened.turns if turn.rows is not None)


def test_another_machine_says_where_it_differs(chat: Chat) -> None:
    network = random_gpt2(3, eagerness=3.0)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.02 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(1)))
    other: ChatModel = chat_model(3, network=network)
    opened = Chat.open(chat.share(), other)
    assert opened.stranger
    assert opened.differences
    for turn_id, place in opened.differences.items():
        turn = opened.conversation[turn_id]
        assert turn.ids == chat.conversation[turn_id].ids
        assert opened.replay(turn).first_difference == place


def test_what_is_pinned_comes_with_it(chat: Chat) -> None:
    assert from_line(chat.share((chat.path[-1].id, 1))).pinned == (chat.path[-1].id, 1)
    assert from_line(chat.share()).pinned == (None, None)
    assert from_line(chat.share((999, 1))).pinned == (None, None)


@pytest.mark.parametrize("line", ["", "Hello", "dialogpt-9:abc", PREFIX, PREFIX + "!!", PREFIX + "aGVsbG8="])
def test_what_is_no_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="shared"):
        from_line(line)


def folded(content: Any) -> str:
    return PREFIX + base64.urlsafe_b64encode(zlib.compress(json.dumps(content).encode())).decode()


@pytest.mark.parametrize("content", [[], {}, {"chat": {}, "fingerprint": "", "pinned": [1]}, {"pinned": [None, None]}])
def test_a_line_of_other_content_is_refused(content: Any) -> None:
    with pytest.raises(ValueError, match=r"damaged|no saved conversation"):
        from_line(folded(content))


def test_a_line_is_text() -> None:
    with pytest.raises(TypeError, match="line of text"):
        from_line(7)  # type: ignore[arg-type]


@functools.cache
def some_line() -> tuple[str, list[tuple[int, ...]]]:
    chat = Chat(chat_model(3), settings=SETTINGS)
    chat.send("Hello")
    return chat.share(), [turn.ids for turn in chat.turns]


@given(st.data())
def test_a_damaged_line_is_refused_or_the_same(data: st.DataObject) -> None:
    line, ids = some_line()
    place = data.draw(st.integers(len(PREFIX), len(line) - 1))
    damaged = line[:place] + data.draw(st.sampled_from("Ab_-=é")) + line[place + 1 :]
    try:
        shared = from_line(damaged)
    except ValueError:
        return
    assert [turn.ids for turn in shared.saved.conversation.turns] == ids


def test_a_line_that_was_cut_off_is_refused() -> None:
    line, _ = some_line()
    for length in range(len(PREFIX), len(line) - 1, 7):
        with pytest.raises(ValueError, match="copy the whole line"):
            from_line(line[:length])
