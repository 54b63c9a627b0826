"""Rules drop replies and say why; scorers with weights rank what is left."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogpt_widget.engine.rerank.ranking import Reranker, RerankInput
from dialogpt_widget.engine.rerank.rules import Rules

CONTEXT = [[1, 2], [3]]


class Fixed:
    """Scores that were fixed before, by the reply's first id."""

    def __init__(self, name: str, scores: dict[int, float]) -> None:
        self.name, self.scores, self.asked = name, scores, []

    def score(self, context_turns: list[list[int]], replies: list[list[int]]) -> np.ndarray:
        self.asked.append((context_turns, replies))
        return np.array([self.scores[reply[0]] for reply in replies])


def rank(reranker: Reranker, said: list[str], *, user: str = "Hello", draw: float = 0.0) -> Any:
    return reranker.rank(RerankInput(CONTEXT, [[place] for place in range(len(said))], said, user), draw)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("Go to https://example.org now", "has an address of a page"),
        ("see www.x", "has an address of a page"),
        ("try reddit.com", "has an address of a page"),
        ("no no NO!", "says 'no' 3 times in a row"),
        ("I am, I am. I am", "says 'i am' 3 times in a row"),
        ("hello!!", "echoes the user"),
        ("What a Darn day", "says 'darn'"),
        ("Shut  up!", "says 'shut up'"),
        ("Darned if I know", None),
        ("no, no", None),
        (":)", None),
        ("Hello you", None),
        ("e.g. this, i.e. that", None),
    ],
)
def test_a_reply_is_dropped_for_a_reason(reply: str, reason: str | None) -> None:
    assert Rules(words=["darn", "shut up"]).reason(reply, "Hello") == reason


def test_rules_can_be_left_out() -> None:
    none = Rules(urls=False, repeats=False, echo=False, empty=False)
    assert [none.reason(text, "Hello") for text in ("", "www.x.org", "no no no", "Hello")] == [None] * 4


@given(st.text(), st.text(), st.lists(st.from_regex(r"\w+", fullmatch=True)))
def test_any_text_is_judged(reply: str, user: str, words: list[str]) -> None:
    reason = Rules(words=words).reason(reply, user)
    assert reason is None or reason.startswith(("empty", "says", "has an address", "echoes"))
    assert (reason == "empty") == (not reply.strip())


@pytest.mark.parametrize("words", ["darn", ["..."], [""]])
def test_what_is_no_list_of_words_is_refused(words: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="word"):
        Rules(words=words)


def test_the_best_of_what_is_left_is_chosen() -> None:
    scorer = Fixed("fixed", {0: 1.0, 1: 9.0, 2: 3.0})
    ranking = rank(Reranker(scorer), ["a", "", "c"])
    assert ranking.chosen == 2
    assert ranking.rank == (2, 0, 1)
    assert ranking.dropped == (None, "empty", None)
    np.testing.assert_array_equal(ranking.total, [1.0, np.nan, 3.0])
    assert scorer.asked == [(CONTEXT, [[0], [2]])], "what is dropped is not scored"


def test_weights_add_up_scores() -> None:
    forward, backward = Fixed("forward", {0: 0.0, 1: -1.0}), Fixed("backward", {0: -5.0, 1: -1.0})
    ranking = rank(Reranker({forward: 0.5, backward: 0.25}), ["a", "b"])
    np.testing.assert_allclose(ranking.total, [-1.25, -0.75])
    assert ranking.chosen == 1
    assert list(ranking.scores) == ["forward", "backward"]
    assert rank(Reranker([forward, backward]), ["a", "b"]).chosen == 1
    assert rank(Reranker({forward: 1, backward: 0}), ["a", "b"]).chosen == 0


def test_of_equals_the_first_is_chosen() -> None:
    assert rank(Reranker(Fixed("fixed", {0: 1, 1: 1})), ["a", "b"]).rank == (1, 2)


def test_where_all_would_be_dropped_none_is() -> None:
    ranking = rank(Reranker(Fixed("fixed", {0: 1, 1: 2})), ["", "www.x.org"])
    assert ranking.spared
    assert ranking.chosen == 1
    assert ranking.dropped == ("empty", "has an address of a page")


@pytest.mark.parametrize("temperature", [0.1, 1.0, 10.0])
def test_a_temperature_draws_from_the_softmax(temperature: float) -> None:
    scores = {0: -1.0, 1: 0.5, 2: 0.0}
    reranker = Reranker(Fixed("fixed", scores), temperature=temperature)
    draws = (np.arange(2000) + 0.5) / 2000
    chosen = np.array([rank(reranker, ["a", "b", "c"], draw=draw).chosen for draw in draws])
    expected = np.exp(np.array([*scores.values()]) / temperature)
    np.testing.assert_allclose([(chosen == place).mean() for place in range(3)], expected / expected.sum(), atol=1e-3)


class Wrong:
    name = "wrong"

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def score(self, context_turns: list[list[int]], replies: list[list[int]]) -> Any:
        return self.answer


@pytest.mark.parametrize("answer", [[1.0], [[1.0, 2.0]], [1.0, float("nan")], 3.0])
def test_a_scorer_that_gives_something_else_is_named(answer: Any) -> None:
    with pytest.raises(ValueError, match="wrong must give one finite number for each of 2 replies"):
        rank(Reranker(Wrong(answer)), ["a", "b"])


@pytest.mark.parametrize(
    ("scorers", "temperature", "message"),
    [
        ([], 0, "no scorer"),
        ([len], 0, "has a name"),
        ([Wrong(1), Wrong(2)], 0, "two have the same"),
        ({Wrong(1): float("inf")}, 0, "finite"),
        (Wrong(1), -1, "temperature"),
        (Wrong(1), float("nan"), "temperature"),
    ],
)
def test_what_cannot_rank_is_refused(scorers: Any, temperature: float, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        Reranker(scorers, temperature=temperature)
