"""The list to guess from: it has the answer in it, and tells nothing of it that the model does not."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slow import GREEDY, SAMPLED, asked

from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.chat.pace import PaceCommand
from dialogpt_widget.chat.slow_motion import mixed_options
from dialogpt_widget.settings import Settings

WILD = SAMPLED.replace(temperature=3.0, top_k=0, top_p=1.0, max_new_tokens=40, min_new_tokens=40)
DRAWS = 1000


def distribution(weights: list[int]) -> tuple[list[int], list[float]]:
    """Ids in no order, the most probable first, and their probabilities."""
    ids = [(7 * place) % 101 for place in range(len(weights))]
    return ids, [weight / sum(weights) for weight in sorted(weights, reverse=True)]


@given(st.lists(st.integers(1, 50), min_size=10, max_size=40), st.data())
def test_the_answer_is_one_of_ten_different_ids_in_order(weights: list[int], data: st.DataObject) -> None:
    ids, shares = distribution(weights)
    answer = data.draw(st.sampled_from(ids))
    found = mixed_options(ids, shares, answer, 10, data.draw(st.floats(0, 1, exclude_max=True)))
    assert answer in found
    assert len(set(found)) == 10
    assert found == sorted(found)
    assert set(ids[:9]) < set(found)


@pytest.mark.parametrize("weights", [[40, 20, 10, 9, 8, 5, 4, 3, 1], [1] * 8, [90, 1, 1, 1, 1, 1, 1]])
def test_who_knows_the_model_learns_nothing_from_the_list(weights: list[int]) -> None:
    ids, shares = distribution(weights)
    together: Counter[tuple[int, ...]] = Counter()
    joint: Counter[tuple[tuple[int, ...], int]] = Counter()
    for answer, share in zip(ids, shares, strict=True):
        for place in range(DRAWS):
            found = tuple(mixed_options(ids, shares, answer, 4, (place + 0.5) / DRAWS))
            together[found] += share / DRAWS  # type: ignore[assignment]
            joint[found, answer] += share / DRAWS  # type: ignore[assignment]
    assert len(together) == len(ids) - 3
    for (found, answer), weight in joint.items():
        likely = shares[ids.index(answer)] if answer in ids[:3] else sum(shares[3:])
        assert weight / together[found] == pytest.approx(likely, abs=0.01)


def lists(how: Settings) -> list[tuple[list[int], list[int], int]]:
    """The lists of a reply, the ten most probable ids, and the answers."""
    chat = asked(how)
    chat.pace.guessing = True
    chat.slow_motion._command(PaceCommand("hold"))
    reply = chat.runner.running
    found = []
    while chat.runner.running is not None:
        assert reply is not None
        ids = chat.slow_motion.guess_options(10)
        assert chat.slow_motion.guess_options(10) == ids
        chat.guess(ids[0])
        token = reply.tokens[-1]
        found.append((ids, list(token.alt_id), token.id))
    return found


@pytest.mark.parametrize("how", [WILD, SAMPLED.replace(top_k=3), SAMPLED, GREEDY.replace(repetition_penalty=1.5)])
def test_each_token_of_a_reply_is_in_its_list(how: Settings) -> None:
    for ids, _, answer in lists(how):
        assert answer in ids
        assert len(set(ids)) == 10
        assert ids == sorted(ids)


def test_the_list_is_needed_because_the_ten_most_probable_often_lack_the_answer() -> None:
    lacking = [answer for _, best, answer in lists(WILD) if answer not in best]
    assert len(lacking) > 3


def test_a_list_is_the_same_when_its_place_comes_again() -> None:
    chat: Chat = asked(WILD)
    chat.step()
    first = chat.slow_motion.guess_options(10)
    chat.step()
    assert chat.slow_motion.guess_options(10) != first
    chat.back()
    assert chat.slow_motion.guess_options(10) == first
    chat.stop()
