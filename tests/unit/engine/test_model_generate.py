"""Ids in, tokens out: greedy decoding, windows, the stop, errors."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch
from builders import chat_model, reference
from replies import GREEDY, forwards, reply_ids, some_ids

from dialogpt_widget.engine.model import ChatModel
from dialogpt_widget.engine.models.kv_cache import PREFILL
from dialogpt_widget.errors import ModelError
from dialogpt_widget.settings import Settings


@pytest.mark.parametrize("seed", range(6))
def test_greedy_equals_transformers_generate(seed: int) -> None:
    model = chat_model(seed, eagerness=1 + seed)
    ids = some_ids(5 + 20 * seed, seed)
    batch = torch.tensor([ids])
    expected = (
        reference(model)
        .generate(
            batch, attention_mask=torch.ones_like(batch), max_new_tokens=40, do_sample=False, pad_token_id=model.eos
        )[0, len(ids) :]
        .tolist()
    )
    assert reply_ids(model, ids, GREEDY.replace(max_new_tokens=40)) == expected


@pytest.mark.parametrize("options", [{"repetition_penalty": 1.7}, {"no_repeat_ngram_size": 2}, {"min_new_tokens": 9}])
def test_penalties_equal_transformers_on_the_reply_alone(options: dict[str, Any]) -> None:
    model = chat_model(3, eagerness=6.0 if "min_new_tokens" in options else 1.0)
    ids = some_ids(30)
    expected = (
        reference(model)
        .generate(
            inputs_embeds=reference(model).transformer.wte(
                torch.tensor([ids])
            ),  # so that its processors do not see the ids
            attention_mask=torch.ones(1, len(ids), dtype=torch.long),
            max_new_tokens=30,
            do_sample=False,
            pad_token_id=model.eos,
            **options,
        )[0]
        .tolist()
    )
    settings = GREEDY.replace(max_new_tokens=30)
    assert reply_ids(model, ids, settings.replace(**options)) == expected
    assert reply_ids(model, ids, settings) != expected


def test_penalties_do_not_look_at_the_context() -> None:
    model = chat_model(1)
    first = next(iter(model.generate(some_ids(30), GREEDY)))
    ids = [*some_ids(30), first.id, *some_ids(30)]
    free = next(iter(model.generate(ids, GREEDY)))
    barred = next(iter(model.generate(ids, GREEDY.replace(no_repeat_ngram_size=1, repetition_penalty=5.0))))
    assert barred.id == free.id


def test_a_long_context_is_read_in_pieces_with_the_same_result(make_model: Callable[..., ChatModel]) -> None:
    model = make_model(2, positions=1024)
    ids = some_ids(700)
    with torch.inference_mode():
        whole = int(reference(model)(torch.tensor([ids])).logits[0, -1].argmax())
    with forwards(model) as pieces:
        assert next(iter(model.generate(ids, GREEDY))).id == whole
    assert pieces == [PREFILL, PREFILL, 700 - 2 * PREFILL]


def test_the_window_is_filled_to_the_last_position_and_no_further() -> None:
    model = chat_model(0, positions=64, eagerness=0.0)
    settings = GREEDY.replace(max_new_tokens=500, min_new_tokens=500)
    assert len(reply_ids(model, some_ids(40), settings)) == 24
    assert len(reply_ids(model, some_ids(63), settings)) == 1
    assert len(reply_ids(model, some_ids(40), settings.replace(max_context=50))) == 10


def test_all_1024_positions_of_a_gpt2_can_be_used(mini: ChatModel) -> None:
    assert mini.positions == 1024
    settings = GREEDY.replace(max_new_tokens=4096, min_new_tokens=4096, max_context=4096)
    assert len(reply_ids(mini, some_ids(1000), settings)) == 24


@pytest.mark.parametrize("ids", [[], [-1], [300], list(range(256)), [0] * 257])
def test_a_context_that_cannot_be_answered_is_refused_at_once(model: ChatModel, ids: list[int]) -> None:
    with pytest.raises(ValueError, match=r"no ids|Ids are from 0 to 299|leave no room"):
        model.generate(ids, GREEDY)


def test_a_prefix_goes_on_as_if_it_had_been_said(model: ChatModel) -> None:
    settings = Settings(seed=5, max_new_tokens=20, min_new_tokens=20)
    whole = reply_ids(model, [1, 2, 3], settings)
    model.forget()
    assert reply_ids(model, [1, 2, 3], settings, prefix=whole[:8]) == whole[8:]


def test_a_fixed_seed_repeats_a_reply_and_its_number_changes_it(model: ChatModel) -> None:
    settings = Settings(seed=7, max_new_tokens=20, min_new_tokens=20, top_k=0, top_p=1.0)
    assert reply_ids(model, [1, 2], settings) == reply_ids(model, [1, 2], settings)
    assert reply_ids(model, [1, 2], settings, reply=1) != reply_ids(model, [1, 2], settings)


def test_without_a_seed_two_replies_differ(model: ChatModel) -> None:
    settings = Settings(max_new_tokens=30, min_new_tokens=30, top_k=0, top_p=1.0, temperature=3.0)
    assert reply_ids(model, [1, 2], settings) != reply_ids(model, [1, 2], settings)


def test_positions_count_from_the_first_token_of_the_reply(model: ChatModel) -> None:
    tokens = list(model.generate([1, 2, 3], Settings(seed=1, min_new_tokens=6, max_new_tokens=6)))
    assert [token.position for token in tokens] == list(range(6))
    assert all(token.ms > 0 for token in tokens)


def test_stop_lets_no_further_forward_begin(model: ChatModel) -> None:
    stop = threading.Event()
    with forwards(model) as pieces:
        tokens = []
        for token in model.generate([1, 2, 3], GREEDY.replace(min_new_tokens=50), stop):
            tokens.append(token)
            if len(tokens) == 4:
                stop.set()
    assert len(tokens) == 4
    assert len(pieces) == 4


def test_stop_is_heard_within_a_long_prefill() -> None:
    model, stop = chat_model(0, positions=1024), threading.Event()
    with forwards(model, stop.set) as pieces:
        assert reply_ids(model, some_ids(900), GREEDY, stop=stop) == []
    stop.clear()
    assert pieces == [PREFILL]
    assert reply_ids(model, some_ids(900)) == reply_ids(chat_model(0, positions=1024), some_ids(900))


@pytest.mark.parametrize("error", [RuntimeError("broken"), KeyboardInterrupt()])
def test_an_exception_in_the_forward_pass_spoils_no_later_reply(error: BaseException) -> None:
    model = chat_model(4, eagerness=0.0)
    expected = reply_ids(model, [5, 6, 7], GREEDY.replace(max_new_tokens=10))
    running = model.generate([5, 6, 7], GREEDY.replace(max_new_tokens=10))
    next(running), next(running)

    run = model._network._run

    def fail(*arguments: Any) -> None:
        run(*arguments)
        raise error

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model._network, "_run", fail)
        with pytest.raises(type(error)):
            next(running)
    assert model._network._cache.length == 0
    assert reply_ids(model, [5, 6, 7], GREEDY.replace(max_new_tokens=10)) == expected


@pytest.mark.parametrize(
    "error",
    [MemoryError(), torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("DefaultCPUAllocator: can't allocate")],
)
def test_memory_that_runs_out_is_explained_and_offers_smaller_models(error: Exception) -> None:
    model = chat_model(4)

    def fail(*_: Any) -> None:
        raise error

    model._network.forward = fail  # type: ignore[union-attr]
    with pytest.raises(ModelError) as caught:
        reply_ids(model, [5, 6, 7])
    del model._network.forward
    assert caught.value.kind == "memory"
    assert caught.value.offers[0] == "mini"
    assert reply_ids(model, [5, 6, 7])


def test_every_thread_computes_with_as_many_as_when_the_model_was_loaded() -> None:
    model = chat_model(0, positions=1024)
    assert model.threads == 1
    torch.set_num_threads(2)
    seen = []

    def other() -> None:
        torch.set_num_threads(2)
        seen.append([token.logprob for token in model.generate([1, 2, 3], Settings(do_sample=False))])
        seen.append(torch.get_num_threads())

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    model.forget()
    assert seen == [[token.logprob for token in model.generate([1, 2, 3], Settings(do_sample=False))], 1]
    assert torch.get_num_threads() == 1
