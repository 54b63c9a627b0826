"""How varied replies are, against sums by hand."""

from __future__ import annotations

import math

import pytest
from builders import chat_model

from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.settings import Settings
from dialogpt_widget.training.data import DataError
from dialogpt_widget.training.evaluate import compare_decoders, contexts_of, diversity


def test_distinct_2_and_entropy_4_by_hand() -> None:
    found = diversity("x", ["a b c d e", "A b c d", "z"])
    # pairs: ab bc cd de | ab bc cd -> 4 of 7; fours: abcd bcde | abcd
    assert found.distinct == pytest.approx(4 / 7)
    assert found.entropy == pytest.approx(-(2 / 3 * math.log(2 / 3) + 1 / 3 * math.log(1 / 3)))
    assert found.words == pytest.approx(10 / 3)


def test_the_same_reply_again_and_again_has_no_entropy() -> None:
    found = diversity("x", ["I don't know."] * 9)
    assert found.distinct == pytest.approx(3 / 27)
    assert found.entropy == 0
    assert found.words == 4


def test_what_is_too_short_has_no_figures() -> None:
    found = diversity("x", ["yes", ""])
    assert math.isnan(found.distinct)
    assert math.isnan(found.entropy)


def test_a_context_is_three_turns_or_one() -> None:
    dialogues = [["a", "b"], ["a", "b", "c"], ["a", "b", "c", "d", "e"], ["a"]]
    histories, answers = contexts_of(dialogues, 3)
    assert [[message["content"] for message in one] for one in histories] == [["a"], ["a"], ["a", "b", "c"]]
    assert [message["role"] for message in histories[2]] == ["user", "assistant", "user"]
    assert answers == ["b", "b", "d"]
    with pytest.raises(DataError, match="4 contexts are wanted, and there are 3"):
        contexts_of(dialogues, 4)


def test_decoders_answer_the_same_contexts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dialogpt_widget.training.evaluate.MMI_NAME", "likelihood")  # a tiny model has no backward one
    chat = Chat(chat_model(), settings=Settings(seed=1, max_new_tokens=8))
    found = list(compare_decoders(chat, [["Hello", "Hi"], ["Good day", "Hello there, how are you?"]], 2, 3))
    assert [one.name for one in found] == ["greedy", "sampled", "the likeliest of 3", "MMI, of 3", "people"]
    assert found[-1] == diversity("people", ["Hi", "Hello there, how are you?"])
