"""Replies decoded side by side are those decoded one by one."""

from __future__ import annotations

import threading

import pytest
import torch
from builders import chat_model, llama
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st
from replies import GREEDY, forwards, some_ids
from transformers import Cache

from dialogpt_widget.engine.generation.batch import CandidateBatch
from dialogpt_widget.engine.generation.sampler import TopLogits
from dialogpt_widget.engine.generation.trace import Token
from dialogpt_widget.engine.models.linear import _SingleMap
from dialogpt_widget.settings import Settings

WILD = Settings(seed=5, max_new_tokens=12, min_new_tokens=0, top_k=0, top_p=1.0)


def replies(candidates: CandidateBatch) -> list[list[Token]]:
    found: list[list[Token]] = [[] for _ in candidates.said]
    for step in candidates:
        for row, token in step:
            found[row].append(token)
    return found


def ids_of(tokens: list[Token]) -> list[int]:
    return [token.id for token in tokens]


@trials(max_examples=30, deadline=None)
@given(seed=st.integers(0, 50), count=st.integers(1, 7), context=st.integers(1, 60), first=st.integers(0, 9))
def test_each_reply_is_the_one_that_its_dice_give_alone(seed: int, count: int, context: int, first: int) -> None:
    ids, settings = some_ids(context, seed), WILD.replace(seed=seed)
    many, alone = chat_model(seed, eagerness=4.0), chat_model(seed, eagerness=4.0)
    found = replies(many.generate_many(ids, settings, count=count, reply=first))
    for row, tokens in enumerate(found):
        expected = list(alone.generate(ids, settings, reply=first + row))
        assert ids_of(tokens) == ids_of(expected)
        for own, other in zip(tokens, expected, strict=True):
            assert own.draw == other.draw
            assert own.logprob == pytest.approx(other.logprob, abs=1e-3)
            assert (own.position, own.eos, own.kept) == (other.position, other.eos, other.kept)


@pytest.mark.parametrize("lacking", [None, "batch_repeat_interleave"])
def test_another_architecture_has_candidates_too(lacking: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if lacking:
        monkeypatch.delattr(Cache, lacking)
    many, alone = (chat_model(0, network=llama(eagerness=4)) for _ in range(2))
    ids = some_ids(20)
    found = replies(many.generate_many(ids, WILD, count=4))
    expected = [ids_of(list(alone.generate(ids, WILD, reply=row))) for row in range(4)]
    assert [ids_of(tokens) for tokens in found] == expected
    assert len({len(ids) for ids in expected}) > 1, "some end before others"
    following = [*ids, *expected[1], many.eos, 5]
    assert next(many.generate(following, GREEDY)).id == next(alone.generate(following, GREEDY)).id


def test_the_context_is_read_once() -> None:
    model = chat_model(1, eagerness=0.0)
    with forwards(model) as pieces:
        found = replies(model.generate_many(some_ids(50), WILD.replace(max_new_tokens=4), count=5))
    assert [len(tokens) for tokens in found] == [4] * 5
    assert pieces == [50]


@pytest.mark.parametrize("count", [0, -1, 1.5, True, "3"])
def test_no_such_number_of_replies(count: object) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        chat_model(1).generate_many([1], WILD, count=count)  # type: ignore[arg-type]


def test_what_was_kept_is_not_read_again() -> None:
    model, fresh = chat_model(1, eagerness=0.0), chat_model(1, eagerness=0.0)
    ids, settings = some_ids(30), WILD.replace(max_new_tokens=6)
    many = model.generate_many(ids, settings, count=3)
    found = replies(many)
    many.keep(1)
    following = [*ids, *ids_of(found[1]), model.eos, *some_ids(5, 9)]
    with forwards(model) as pieces:
        token = next(model.generate(following, GREEDY))
    assert pieces == [1 + 1 + 5]  # the last of the reply, which was not read, its EOS, the message
    expected = next(fresh.generate(following, GREEDY))
    assert token.id == expected.id
    assert token.logprob == pytest.approx(expected.logprob, abs=1e-4)


def test_nothing_is_kept_where_the_model_has_read_something_else() -> None:
    model, fresh = chat_model(1, eagerness=0.0), chat_model(1, eagerness=0.0)
    many = model.generate_many(some_ids(30), WILD, count=3)
    replies(many)
    other = some_ids(12, 4)
    next(model.generate(other, GREEDY))
    many.keep(1)
    assert next(model.generate([*other, 5], GREEDY)).id == next(fresh.generate([*other, 5], GREEDY)).id


def test_another_reply_in_between_changes_nothing() -> None:
    model, alone = chat_model(2, eagerness=4.0), chat_model(2, eagerness=4.0)
    ids = some_ids(25)
    expected = [ids_of(list(alone.generate(ids, WILD, reply=row))) for row in range(4)]
    found: list[list[int]] = [[] for _ in range(4)]
    for number, step in enumerate(model.generate_many(ids, WILD, count=4)):
        for row, token in step:
            found[row].append(token.id)
        next(model.generate(some_ids(10, number), GREEDY))
    assert found == expected


def test_stop_ends_all_of_them_before_the_next_step() -> None:
    model, stop = chat_model(1, eagerness=0.0), threading.Event()
    steps = iter(model.generate_many(some_ids(9), WILD, stop, count=3))
    first = next(steps)
    stop.set()
    assert list(steps) == []
    assert [row for row, _ in first] == [0, 1, 2]


def test_a_stop_before_the_first_token() -> None:
    stop = threading.Event()
    stop.set()
    assert list(chat_model(1).generate_many([1], WILD, stop, count=3)) == []


def test_an_error_spoils_no_later_reply() -> None:
    model, fresh = chat_model(1, eagerness=0.0), chat_model(1, eagerness=0.0)
    many = model.generate_many(some_ids(9), WILD, count=3)
    steps = iter(many)
    next(steps)

    def broken(*_: object) -> torch.Tensor:
        raise KeyboardInterrupt

    many._side.advance = broken  # type: ignore[union-attr, method-assign]
    with pytest.raises(KeyboardInterrupt):
        next(steps)
    ids = some_ids(9)[:7]
    assert next(model.generate(ids, GREEDY)).id == next(fresh.generate(ids, GREEDY)).id


def test_states_are_those_that_each_token_was_decoded_from() -> None:
    model = chat_model(1, eagerness=0.0)
    ids = some_ids(15)
    states: list[list[torch.Tensor]] = [[] for _ in range(3)]
    found = replies(model.generate_many(ids, WILD, count=3, states=states))
    for tokens, own in zip(found, states, strict=True):
        assert len(own) == len(tokens)
        expected = model.states([*ids, *ids_of(tokens)])[len(ids) - 1 : -1]
        torch.testing.assert_close(torch.stack(own), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("count", [1, 4])
def test_all_of_a_steps_scores_are_read_at_once(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """And one row before the replies differ."""
    model, read, rows = chat_model(1, eagerness=0.0), TopLogits.of_rows, []

    def counted(scores: torch.Tensor, *rest: float) -> list[TopLogits]:
        rows.append(len(scores))
        return read(scores, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(TopLogits, "of_rows", counted)
    replies(model.generate_many(some_ids(9), WILD.replace(max_new_tokens=4), count=count))
    assert rows == [1, count, count, count]


def test_weights_are_stored_anew_only_where_that_is_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    network = chat_model(1)._network
    network.advance([1, 2])
    assert network.branches(2)._read.keywords["run"] is None
    assert network.branches(5)._read.keywords["run"] is not None
    monkeypatch.setattr(_SingleMap, "for_rows", lambda self, _: self)
    assert network.branches(5)._read.keywords["run"] is None
