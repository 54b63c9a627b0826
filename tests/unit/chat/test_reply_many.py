"""Answers to many histories at once are those of a chat of each."""

from __future__ import annotations

import math
import random
import re
import sys
from typing import Any

import pandas as pd
import pytest
from builders import SAYINGS, chat_model
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st

from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.chat.reply_many import reply_many
from dialogpt_widget.dialogue.nbest import logprob
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.engine.model import ChatModel
from dialogpt_widget.engine.rerank.ranking import Reranker
from dialogpt_widget.engine.rerank.rules import Rules
from dialogpt_widget.settings import Settings

WORDS = " ".join(SAYINGS).split()
COLUMNS = ["history", "text", "ids", "stop", "logprob", "scores"]
GREEDY = Settings(do_sample=False, min_new_tokens=0, max_new_tokens=3)
SAMPLED = Settings(seed=4, top_k=0, top_p=1.0, max_new_tokens=8)

History = list[dict[str, str]]


def history(turns: int, seed: int = 0, words: int = 6) -> History:
    dice = random.Random(seed)
    return [
        {
            "role": ("user", "assistant")[(place + turns + 1) % 2],
            "content": " ".join(dice.choices(WORDS, k=dice.randint(1, words))),
        }
        for place in range(turns)
    ]


def said_in_a_chat(model: ChatModel, messages: History, settings: Settings, number: int) -> Turn:
    """What a chat with these messages says as its reply of that number."""
    chat = Chat(model, settings=settings)
    chat.messages = messages
    chat.state._next_number = number
    return chat.regenerate()


@pytest.fixture
def chat() -> Chat:
    return Chat(chat_model(1, eagerness=4.0), settings=SAMPLED)


@pytest.mark.parametrize("settings", [GREEDY, SAMPLED])
def test_each_row_is_what_a_chat_with_these_messages_says(chat: Chat, settings: Settings) -> None:
    histories = [history(1 + number % 4, number) for number in range(12)]
    frame = reply_many(chat, histories, settings, batch_size=5, progress=False)
    assert list(frame.columns) == COLUMNS
    assert frame["history"].tolist() == histories
    for number, row in enumerate(frame.itertuples()):
        turn = said_in_a_chat(chat_model(1, eagerness=4.0), histories[number], settings, number)
        assert (row.text, row.ids, row.stop, row.scores) == (turn.text, list(turn.ids), turn.stop, {})
        assert row.logprob == pytest.approx(logprob(turn), abs=1e-3)
    assert set(frame["stop"]) == {"eos", "length"}


def test_texts_are_those_that_are_shown(mini: ChatModel) -> None:
    chat = Chat(mini, settings=Settings(do_sample=False))
    asked = ["Hello!", "What's your name?", "I 'm sad ."]
    frame = reply_many(chat, asked, progress=False)
    for text, row in zip(asked, frame.itertuples(), strict=True):
        assert row.history == [{"role": "user", "content": text}]
        turn = said_in_a_chat(mini, row.history, chat.settings, 0)
        assert (row.text, row.ids, row.stop) == (turn.text, list(turn.ids), "eos")
        assert row.text == row.text.strip() != ""


@trials(max_examples=30)
@given(turns=st.lists(st.integers(1, 6), max_size=9), batch_size=st.integers(1, 7))
def test_neither_their_order_nor_the_batches_matter(turns: list[int], batch_size: int) -> None:
    chat = Chat(chat_model(1, eagerness=4.0), settings=SAMPLED)
    histories = [history(count, number) for number, count in enumerate(turns)]
    frame = reply_many(chat, histories, batch_size=batch_size, progress=False)
    alone = [said_in_a_chat(chat.load_model(), one, SAMPLED, number) for number, one in enumerate(histories)]
    assert frame["ids"].tolist() == [list(turn.ids) for turn in alone]
    assert frame["history"].tolist() == histories


def test_a_history_that_overflows_the_window_is_cut_as_in_a_chat() -> None:
    model, settings = chat_model(2, positions=64), GREEDY.replace(max_new_tokens=20)
    histories = [history(12, 1), history(1, 2), history(1, 3, words=60), history(9, 4)]
    chat = Chat(model, settings=settings)
    chat.messages = histories[0]
    assert chat.context.dropped
    frame = reply_many(chat, histories, progress=False)
    for number, row in enumerate(frame.itertuples()):
        turn = said_in_a_chat(model, histories[number], settings, number)
        assert (row.ids, row.stop) == (list(turn.ids), turn.stop)


def test_the_types_of_the_columns(chat: Chat) -> None:
    frame = reply_many(chat, [history(3), "Hello"], SAMPLED.replace(candidates=2), "mean", progress=False)
    empty = reply_many(chat, [], progress=False)
    assert list(frame.columns) == [*COLUMNS, "candidates"]
    assert (len(empty), list(empty.columns)) == (0, COLUMNS)
    assert frame.index.tolist() == [0, 1]
    assert empty.dtypes.tolist() == frame[COLUMNS].dtypes.tolist()
    assert frame["logprob"].dtype == float
    assert pd.api.types.is_string_dtype(frame["text"])
    assert all(type(token) is int for ids in frame["ids"] for token in ids)


def test_candidates_are_those_of_a_chat_and_so_is_the_choice(chat: Chat) -> None:
    settings = SAMPLED.replace(candidates=4, min_new_tokens=2)
    other = Chat(chat_model(1, eagerness=4.0), settings=settings, rerank="likelihood")
    other.messages = history(2, 7) + history(1, 8)
    turn = other.regenerate()
    made = other.candidates()
    assert made.ranking is not None
    for rerank in ("likelihood", other.reranking):
        frame = reply_many(chat, [history(2, 7) + history(1, 8), "Hello"], settings, rerank, progress=False)
        row = frame.iloc[0]
        assert (row["text"], row["ids"]) == (turn.text, list(turn.ids))
        found = row["candidates"]
        assert [one["ids"] for one in found] == [list(turn.ids) for turn in made.turns]
        assert [one["rank"] for one in found] == list(made.ranking.rank)
        assert [one["dropped"] for one in found] == list(made.ranking.dropped)
        assert [one["scores"]["log-probability"] for one in found] == pytest.approx(
            made.ranking.scores["log-probability"].tolist(), abs=1e-3, nan_ok=True
        )
        best = next(one for one in found if one["rank"] == 1)
        assert {name: row[name] for name in COLUMNS[1:]} == {name: best[name] for name in COLUMNS[1:]}


def test_each_history_has_candidates_with_consecutive_numbers(chat: Chat) -> None:
    settings = SAMPLED.replace(candidates=3)
    histories = [history(1, 5), history(4, 6), history(2, 7)[1:]]
    frame = reply_many(chat, histories, settings, "mean", batch_size=4, progress=False)
    for number, row in enumerate(frame.itertuples()):
        alone = [
            said_in_a_chat(chat.load_model(), histories[number], SAMPLED, 3 * number + version) for version in range(3)
        ]
        assert [one["ids"] for one in row.candidates] == [list(turn.ids) for turn in alone]


def test_several_are_chosen_from_by_what_the_chat_chooses_by(chat: Chat) -> None:
    chat.rerank = lambda turns, reply: float(len(reply))
    frame = reply_many(chat, ["Hello", "soup?"], SAMPLED.replace(candidates=5), progress=False)
    for row in frame.itertuples():
        kept = [one for one in row.candidates if one["dropped"] is None] or row.candidates
        assert len(row.text) == max(len(one["text"]) for one in kept)


def test_what_a_rule_drops_has_a_reason_and_no_score(chat: Chat) -> None:
    settings = SAMPLED.replace(candidates=6, min_new_tokens=6)
    plain = reply_many(chat, ["Hello"], settings, "mean", progress=False)["candidates"][0]
    word = re.findall(r"\w+", " ".join(one["text"] for one in plain))[0]

    class Even:
        name = "even"

        def score(self, context_turns: Any, replies: Any) -> Any:
            return [0.0] * len(replies)

    rerank = Reranker(Even(), rules=Rules(words=[word]))
    found = reply_many(chat, ["Hello"], settings, rerank, progress=False)["candidates"][0]
    dropped = [one for one in found if one["dropped"] == f"says {word!r}"]
    assert dropped
    assert all(one["rank"] == 0 and math.isnan(one["scores"]["even"]) for one in dropped)


def test_one_reply_is_scored_where_that_is_asked_for(chat: Chat) -> None:
    frame = reply_many(chat, ["Hello", "soup?"], SAMPLED, {"likelihood": 1.0, "mean": 2.0}, progress=False)
    assert "candidates" not in frame
    for row in frame.itertuples():
        assert set(row.scores) == {"log-probability", "mean log-probability"}
        if row.stop == "eos":
            assert row.scores["log-probability"] == pytest.approx(row.logprob, abs=1e-4)


def test_a_seed_that_was_drawn_is_told_and_repeats_it(chat: Chat) -> None:
    settings = SAMPLED.replace(seed=None)
    frame = reply_many(chat, ["Hello"] * 24, settings, progress=False)
    again = reply_many(chat, ["Hello"] * 24, settings.replace(seed=frame.attrs["seed"]), progress=False)
    assert frame["ids"].tolist() == again["ids"].tolist()
    assert again.attrs["seed"] == frame.attrs["seed"]
    assert len({tuple(ids) for ids in frame["ids"]}) > 1, "each has dice of its own"
    assert reply_many(chat, ["Hello"], SAMPLED, progress=False).attrs["seed"] == SAMPLED.seed


def test_the_chat_stays_as_it_is(chat: Chat) -> None:
    other = Chat(chat_model(1, eagerness=4.0), settings=SAMPLED)
    for one in (chat, other):
        one.send("Hello")
    before = (chat.path, chat.turns, chat.settings, chat.saved.conversation)
    reply_many(chat, [history(3), "Hello"], GREEDY.replace(candidates=2), "mean", progress=False)
    assert (chat.path, chat.turns, chat.settings, chat.saved.conversation) == before
    assert chat.send("soup?").ids == other.send("soup?").ids


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ([], ValueError, "must be the user's"),
        (
            [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes"}],
            ValueError,
            "must be the user's",
        ),
        ([{"role": "system", "content": "Hi"}], ValueError, "Message 0 has the role 'system'"),
        ([{"role": "user", "content": " "}], ValueError, "Message 0 is empty"),
        ([{"role": "user", "text": "Hi"}], TypeError, "Message 0 is not"),
        ([{"role": "user", "content": 3}], TypeError, "content is a string"),
        ({"role": "user", "content": "Hi"}, TypeError, "Messages are a list"),
        ("", ValueError, "empty"),
        (None, TypeError, "Messages are a list"),
    ],
)
def test_a_wrong_history_is_named(chat: Chat, wrong: Any, error: type, words: str) -> None:
    with pytest.raises(error, match=rf"^History 2: .*{words}"):
        reply_many(chat, ["Hello", history(3), wrong], progress=False)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"histories": "Hello"}, TypeError, "histories is a list"),
        ({"histories": {"messages": []}}, TypeError, "histories is a list"),
        ({"histories": 3}, TypeError, "histories is a list"),
        ({"settings": {"seed": 1}}, TypeError, "settings is a Settings"),
        ({"settings": SAMPLED.replace(num_beams=3)}, ValueError, "num_beams=3"),
        ({"batch_size": 0}, ValueError, "at least 1"),
        ({"batch_size": True}, ValueError, "at least 1"),
        ({"rerank": "best"}, ValueError, "rerank is one of"),
    ],
)
def test_what_cannot_be_used_is_refused(chat: Chat, arguments: dict[str, Any], error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        reply_many(chat, **({"histories": ["Hello"], "progress": False} | arguments))


def test_the_progress_bar_counts_replies(chat: Chat, capsys: pytest.CaptureFixture[str]) -> None:
    reply_many(chat, ["Hello"] * 3, SAMPLED.replace(candidates=2), "mean")
    shown = capsys.readouterr().err
    assert "6/6" in shown
    assert "3/3" in shown
    reply_many(chat, ["Hello"] * 3, progress=False)
    assert capsys.readouterr().err == ""


def test_without_pandas_it_says_what_to_install(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r'pip install "dialogpt-widget\[data\]"'):
        reply_many(chat, ["Hello"])
