"""Replies to several contexts decoded side by side are those decoded one by one."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import torch
from builders import byte_tokenizer, chat_model, llama
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st
from replies import GREEDY, forwards, some_ids
from transformers import Lfm2Config, Lfm2ForCausalLM

from dialogpt_widget.engine.generation.batch import Step
from dialogpt_widget.engine.generation.trace import Token
from dialogpt_widget.engine.model import ChatModel
from dialogpt_widget.engine.models import batching as padded
from dialogpt_widget.engine.models import transformers_network
from dialogpt_widget.errors import ModelError
from dialogpt_widget.settings import Settings

GAP = 1e-4  # logits closer than this may fall either way with another order of additions
SHORT = GREEDY.replace(max_new_tokens=16)
WILD = Settings(seed=5, max_new_tokens=12, min_new_tokens=0, top_k=0, top_p=1.0)


def replies(steps: Iterator[Step], count: int) -> list[list[Token]]:
    found: list[list[Token]] = [[] for _ in range(count)]
    for step in steps:
        for row, token in step:
            found[row].append(token)
    return found


def ids_of(tokens: Sequence[Token]) -> list[int]:
    return [token.id for token in tokens]


def batched(model: ChatModel, contexts: Sequence[Sequence[int]], settings: Settings = SHORT) -> list[list[int]]:
    return [ids_of(tokens) for tokens in replies(model.generate_batch(contexts, settings), len(contexts))]


def one_by_one(model: ChatModel, contexts: Sequence[Sequence[int]], settings: Settings = SHORT) -> list[list[int]]:
    return [ids_of(list(model.generate(ids, settings, reply=row))) for row, ids in enumerate(contexts)]


def gap_at(model: ChatModel, ids: Sequence[int]) -> float:
    best = model.unembed(model.states(ids)[-1]).topk(2).values
    return float(best[0] - best[1])


def differences(
    model: ChatModel, contexts: list[list[int]], found: list[list[int]], alone: list[list[int]]
) -> list[int]:
    """Rows whose greedy ids differ where the two best logits are apart."""
    wrong = []
    for row, (own, other) in enumerate(zip(found, alone, strict=True)):
        if own != other:
            place = next(at for at, pair in enumerate(zip(own, other, strict=False)) if pair[0] != pair[1])
            if gap_at(model, [*contexts[row], *other[:place]]) >= GAP:
                wrong.append(row)
    return wrong


def contexts_of(count: int, longest: int, vocabulary: int = 299, seed: int = 0) -> list[list[int]]:
    dice = random.Random(seed)
    return [some_ids(dice.randint(1, longest), number, vocabulary) for number in range(count)]


@pytest.fixture(params=["gpt2", "llama", "mini"])
def any_model(request: pytest.FixtureRequest) -> ChatModel:
    if request.param == "mini":
        return request.getfixturevalue("mini")  # type: ignore[no-any-return]
    return chat_model(1, eagerness=4.0) if request.param == "gpt2" else chat_model(0, network=llama(eagerness=4))


def test_greedy_ids_of_many_contexts_are_those_of_each_alone(any_model: ChatModel) -> None:
    count = 24 if any_model.name == "mini" else 64
    contexts = [[*ids, any_model.eos] for ids in contexts_of(count, 199)]
    found, alone = batched(any_model, contexts), one_by_one(any_model, contexts)
    assert differences(any_model, contexts, found, alone) == []
    assert sum(own != other for own, other in zip(found, alone, strict=True)) <= 1
    assert len({len(ids) for ids in found}) > 3, "they end at different times"


def test_sampled_ids_and_draws_are_those_of_each_alone(any_model: ChatModel) -> None:
    contexts = [[*ids, any_model.eos] for ids in contexts_of(16, 199, seed=1)]
    found = replies(any_model.generate_batch(contexts, WILD, replies=range(7, 23)), 16)
    for row, (tokens, ids) in enumerate(zip(found, contexts, strict=True)):
        alone = list(any_model.generate(ids, WILD, reply=7 + row))
        assert ids_of(tokens) == ids_of(alone)
        for own, other in zip(tokens, alone, strict=True):
            assert (own.draw, own.position, own.eos, own.kept) == (other.draw, other.position, other.eos, other.kept)
            assert own.logprob == pytest.approx(other.logprob, abs=1e-3)


@trials(max_examples=40)
@given(lengths=st.lists(st.integers(1, 80), min_size=1, max_size=9), seed=st.integers(0, 30), each=st.integers(1, 300))
def test_whatever_their_lengths_and_the_pieces_in_which_they_are_read(lengths: list[int], seed: int, each: int) -> None:
    model = chat_model(seed, eagerness=4.0)
    contexts = [some_ids(length, seed + number) for number, length in enumerate(lengths)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(padded, "PREFILL_TOKENS", each)
        found = batched(model, contexts, WILD.replace(seed=seed))
    assert found == one_by_one(model, contexts, WILD.replace(seed=seed))


def test_fillers_alone_in_a_piece_spoil_nothing_in_another_architecture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(padded, "PREFILL_TOKENS", 12)
    model = chat_model(0, network=llama(eagerness=4))
    contexts = [some_ids(length, length) for length in (60, 1, 33)]
    assert batched(model, contexts, WILD) == one_by_one(model, contexts, WILD)


def test_one_context_alone() -> None:
    model = chat_model(2, eagerness=4.0)
    assert batched(model, [some_ids(30)], WILD) == one_by_one(model, [some_ids(30)], WILD)


def test_no_contexts_no_steps() -> None:
    assert list(chat_model(1).generate_batch([], SHORT)) == []


def test_each_reply_has_the_room_that_its_own_context_leaves() -> None:
    model = chat_model(0, positions=64, eagerness=0.0)
    contexts = [some_ids(length, length) for length in (60, 5, 63, 30)]
    settings = GREEDY.replace(max_new_tokens=50)
    found = batched(model, contexts, settings)
    assert [len(ids) for ids in found] == [4, 50, 1, 34]
    assert differences(model, contexts, found, one_by_one(model, contexts, settings)) == []


@pytest.fixture
def shapes(monkeypatch: pytest.MonkeyPatch) -> Callable[[ChatModel], list[tuple[int, ...]]]:
    """Notes what shape the ids of each forward pass of a model have."""

    def noted(model: ChatModel) -> list[tuple[int, ...]]:
        seen: list[tuple[int, ...]] = []
        forward = model._network.forward  # type: ignore[attr-defined]

        def note(ids: torch.Tensor, *args: Any, **more: Any) -> torch.Tensor:
            seen.append(tuple(ids.shape))
            return forward(ids, *args, **more)  # type: ignore[no-any-return]

        monkeypatch.setattr(model._network, "forward", note)
        return seen

    return noted


def test_a_reply_that_has_ended_is_read_no_further(shapes: Callable[[ChatModel], list[tuple[int, ...]]]) -> None:
    model = chat_model(0, positions=64, eagerness=0.0)
    seen = shapes(model)
    found = batched(model, [some_ids(length, length) for length in (62, 61, 60, 63)], SHORT)
    assert [len(ids) for ids in found] == [2, 3, 4, 1]
    assert seen == [(4, 63), (3, 1), (2, 1), (1, 1)]


def test_a_context_that_comes_several_times_is_read_once(shapes: Callable[[ChatModel], list[tuple[int, ...]]]) -> None:
    model, alone = chat_model(1, eagerness=0.0), chat_model(1, eagerness=0.0)
    seen = shapes(model)
    one, other = some_ids(20), some_ids(9, 3)
    contexts = [one, other, one, one, other]
    settings = WILD.replace(max_new_tokens=4)
    assert batched(model, contexts, settings) == one_by_one(alone, contexts, settings)
    assert seen == [(2, 20), (5, 1), (5, 1), (5, 1)]


def test_a_model_that_would_see_fillers_reads_one_by_one() -> None:
    """A convolution over the last ids is not masked, so that fillers would change what is said."""
    shape = Lfm2Config(
        vocab_size=len(byte_tokenizer()),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        layer_types=["conv", "full_attention"],
        bos_token_id=None,
        initializer_range=0.5,
    )
    torch.manual_seed(0)
    model = chat_model(0, network=Lfm2ForCausalLM(shape).eval())
    contexts = contexts_of(6, 40)
    assert batched(model, contexts, WILD) == one_by_one(model, contexts, WILD)
    stop = threading.Event()
    stop.set()
    assert model._network.rows(contexts, range(6)).begin(stop) is None


def test_a_recurrent_model_is_never_given_fillers() -> None:
    network, accepted = llama(), ["input_ids", "attention_mask", "position_ids"]
    assert transformers_network.pads(network, accepted)
    assert not transformers_network.pads(network, ["input_ids", "attention_mask"])
    network._is_stateful = True
    assert not transformers_network.pads(network, accepted)


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_other_precisions_answer_too(precision: str) -> None:
    model = ChatModel.from_pretrained("mini", device="cpu", precision=precision)
    contexts = [[*model.encode(text), model.eos] for text in ("Hello!", "Do you like soup, or do you not?", "Hm.")]
    found = batched(model, contexts, GREEDY.replace(max_new_tokens=40))
    assert all(ids[-1] == model.eos and len(ids) > 1 for ids in found)


def test_what_the_chat_has_read_stays() -> None:
    model = chat_model(1, eagerness=0.0)
    ids = some_ids(30)
    token = next(model.generate(ids, GREEDY))
    batched(model, contexts_of(4, 20))
    with forwards(model) as pieces:
        next(model.generate([*ids, token.id, 7], GREEDY))
    assert pieces == [2]


def test_another_reply_in_between_changes_nothing() -> None:
    model, alone = chat_model(2, eagerness=4.0), chat_model(2, eagerness=4.0)
    contexts = contexts_of(5, 40)
    found: list[list[int]] = [[] for _ in contexts]
    for number, step in enumerate(model.generate_batch(contexts, WILD)):
        for row, token in step:
            found[row].append(token.id)
        next(model.generate(some_ids(10, number), GREEDY))
    assert found == one_by_one(alone, contexts, WILD)


def test_stop_ends_all_of_them_before_the_next_step() -> None:
    model, stop = chat_model(1, eagerness=0.0), threading.Event()
    steps = model.generate_batch(contexts_of(3, 9), WILD, stop)
    assert [row for row, _ in next(steps)] == [0, 1, 2]
    stop.set()
    assert list(steps) == []


def test_stop_is_heard_between_the_pieces_of_long_contexts(
    monkeypatch: pytest.MonkeyPatch, shapes: Callable[[ChatModel], list[tuple[int, ...]]]
) -> None:
    monkeypatch.setattr(padded, "PREFILL_TOKENS", 20)
    model, stop = chat_model(1, eagerness=0.0), threading.Event()
    seen = shapes(model)
    forward = model._network.forward  # type: ignore[attr-defined]

    def last(*args: Any, **more: Any) -> torch.Tensor:
        stop.set()
        return forward(*args, **more)  # type: ignore[no-any-return]

    monkeypatch.setattr(model._network, "forward", last)
    assert list(model.generate_batch([some_ids(100), some_ids(90, 1)], WILD, stop)) == []
    assert seen == [(2, 10)]


def test_without_a_seed_one_is_drawn_for_all() -> None:
    model, ids = chat_model(1, eagerness=0.0), some_ids(10)
    one, other = replies(model.generate_batch([ids, ids], WILD.replace(seed=None), replies=[3, 3]), 2)
    assert [token.draw for token in one] == [token.draw for token in other]


@pytest.mark.parametrize(
    ("contexts", "more", "error", "words"),
    [
        ([[1], []], {}, ValueError, "no ids"),
        ([[1], [300]], {}, ValueError, "Ids are from 0 to 299"),
        ([[1], "ab"], {}, TypeError, "ids are a list"),
        ([[1], [1] * 256], {}, ValueError, "leave no room"),
        ([[1], [2]], {"replies": [0]}, ValueError, "2 contexts, and numbers for 1"),
        ([[1]], {"settings": {"seed": 1}}, TypeError, "settings is a Settings"),
    ],
)
def test_what_cannot_be_decoded_is_refused_at_once(contexts: Any, more: Any, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        chat_model(1).generate_batch(contexts, **more)


def test_a_lack_of_memory_is_an_error_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    model = chat_model(1, eagerness=0.0)
    steps = model.generate_batch(contexts_of(3, 9), WILD)
    next(steps)

    def full(*_: object, **__: object) -> torch.Tensor:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(padded.LeftPaddedGPT2, "advance", full)
    with pytest.raises(ModelError, match="Memory ran out"):
        next(steps)
