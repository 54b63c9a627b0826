"""Lists of replies of which one was chosen: kept with the conversation, picked from, and forgotten with it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from builders import turn

from dialogpt_widget.dialogue.conversation import Conversation, UnknownTurnError
from dialogpt_widget.dialogue.nbest import NBest, Ranking, UnknownListError, logprob, mean_logprob
from dialogpt_widget.dialogue.tokens import given_rows
from dialogpt_widget.settings import Settings


def reply(number: int, parent: int, **more: Any) -> Any:
    made = {"settings": Settings(seed=1), "reply": number, "stop": "eos"} | more
    return turn(number, (number,), parent, "assistant", text=f"reply {number}", **made)


def ranking(count: int, chosen: int = 0, dropped: tuple[int, ...] = ()) -> Ranking:
    values = np.array([math.nan if place in dropped else -float(place) for place in range(count)])
    left = [place for place in range(count) if place not in dropped]
    return Ranking(
        {"a": values, "b": values * 2},
        values * 3,
        tuple("says 'x'" if place in dropped else None for place in range(count)),
        tuple(left.index(place) + 1 if place in left else 0 for place in range(count)),
        chosen,
        weights={"a": 1.0, "b": 1.0},
    )


def asked() -> tuple[Conversation, int]:
    conversation = Conversation()
    return conversation, conversation.add(turn(conversation.reserve())).id


def listed(conversation: Conversation, parent: int, count: int = 3, **more: Any) -> NBest:
    turns = tuple(reply(conversation.reserve(), parent) for _ in range(count))
    return conversation.propose(NBest(conversation.reserve(), parent, turns, **more))


def test_what_is_picked_becomes_a_version_and_the_others_stay_in_the_list() -> None:
    conversation, question = asked()
    made = listed(conversation, question)
    assert len(conversation) == 1
    first = conversation.pick(made.id, 2)
    assert conversation.path[-1] is first
    second = conversation.pick(made.id, 0)
    assert conversation.siblings(first) == (first, second)
    assert conversation.pick(made.id, 2) is first
    assert conversation.path[-1] is first
    assert len(conversation.siblings(first)) == 2
    assert conversation.nbests[made.id].turns == made.turns
    conversation.undo()
    assert conversation.path[-1] is second


@pytest.mark.parametrize("place", [-1, 3, True, 1.0, None])
def test_a_place_that_is_not_in_the_list_is_refused(place: Any) -> None:
    conversation, question = asked()
    made = listed(conversation, question)
    with pytest.raises(IndexError, match="replies 0 to 2"):
        conversation.pick(made.id, place)
    with pytest.raises(UnknownListError, match="no list of replies 77"):
        conversation.pick(77, 0)


def test_ids_of_a_list_are_its_own() -> None:
    conversation, question = asked()
    made = listed(conversation, question)
    stranger = reply(made.turns[0].id, question)
    for wrong in (
        NBest(conversation.reserve(), question, (stranger,)),  # in another list
        NBest(question, question, (reply(conversation.reserve(), question),)),  # a turn's
        NBest(99, question, (reply(conversation.reserve(), question),)),  # never reserved
        NBest(made.turns[1].id, question, (reply(conversation.reserve(), question),)),  # a reply's in another list
    ):
        with pytest.raises(ValueError, match="taken"):
            conversation.propose(wrong)
    with pytest.raises(UnknownTurnError):
        conversation.propose(NBest(conversation.reserve(), 98, (reply(conversation.reserve(), 98),)))
    assert [one.id for one in conversation.nbests] == [made.id]


def test_forgetting_what_it_answers_forgets_a_list() -> None:
    conversation, question = asked()
    made = listed(conversation, question)
    other = conversation.add(turn(conversation.reserve()))
    kept = listed(conversation, other.id)
    conversation.forget(question)
    assert [one.id for one in conversation.nbests] == [kept.id]
    assert conversation.nbests.with_turn(made.turns[0].id) is None


def test_a_reply_that_was_picked_and_forgotten_is_gone_from_its_list() -> None:
    conversation, question = asked()
    made = listed(
        conversation,
        question,
        ranking=ranking(3, chosen=1, dropped=(0,)),
        kind="compared",
        labels=("x", "y", "z"),
        beams=(1.0, 2.0, 3.0),
        cross=((1.0, 2.0, 3.0), (4.0, 5.0, 6.0), (7.0, 8.0, 9.0)),
    )
    picked = conversation.pick(made.id, 1)
    conversation.forget(picked)
    left = conversation.nbests[made.id]
    assert left.turns == (made.turns[0], made.turns[2])
    assert (left.labels, left.beams, left.cross) == (("x", "z"), (1.0, 3.0), ((1.0, 3.0), (7.0, 9.0)))
    assert left.ranking is not None
    assert (left.ranking.rank, left.ranking.chosen, left.ranking.dropped) == ((0, 2), 1, ("says 'x'", None))
    assert left.ranking.total.tolist()[1] == -6.0
    for place in (1, 0):
        conversation.forget(conversation.pick(made.id, place))
    assert len(conversation.nbests) == 0


def test_a_copy_and_a_graft_have_the_lists_too() -> None:
    conversation, question = asked()
    made = listed(conversation, question)
    conversation.pick(made.id, 1)
    assert list(conversation.copy().nbests) == [made]
    taker = Conversation()
    taker.add(turn(taker.reserve()))
    taker.graft(conversation)
    (grafted,) = taker.nbests
    assert grafted.parent == made.parent + 1
    assert [one.id for one in grafted.turns] == [one.id + 1 for one in made.turns]
    assert taker.path[-1] == grafted.turns[1]
    taker.pick(grafted.id, 0)
    assert len(taker.siblings(grafted.turns[0])) == 2


def test_the_probability_of_a_reply_is_the_sum_over_its_rows() -> None:
    rows = given_rows([1, 2, 9], 10)
    rows["logprob"] = [-1.0, -2.0, -0.5]
    said = reply(1, 0, rows=rows)
    assert (logprob(said), mean_logprob(said)) == (-3.5, pytest.approx(-3.5 / 3))
    assert math.isnan(logprob(reply(1, 0)))
    assert math.isnan(mean_logprob(reply(1, 0)))
