"""The cache that is kept over turns changes nothing but the time."""

from __future__ import annotations

import random

import pytest
import torch
from builders import chat_model, llama
from replies import GREEDY, forwards, reply_ids, some_ids

from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.engine.model import ChatModel
from dialogpt_widget.engine.models.gpt2 import GPT2
from dialogpt_widget.settings import Settings


def test_a_chat_with_its_cache_is_the_chat_without_one() -> None:
    kept, fresh = chat_model(1, eagerness=4.0), chat_model(1, eagerness=4.0)
    ids: list[int] = []
    for turn in range(8):
        ids += [*some_ids(6, turn), kept.eos]
        fresh.forget()
        expected = reply_ids(fresh, ids, GREEDY.replace(max_new_tokens=12, min_new_tokens=1))
        assert reply_ids(kept, ids, GREEDY.replace(max_new_tokens=12, min_new_tokens=1)) == expected
        ids += expected


def test_a_turn_reads_only_what_is_new() -> None:
    model = chat_model(1, eagerness=0.0)
    ids = some_ids(50)
    said = reply_ids(model, ids, GREEDY.replace(max_new_tokens=5))
    with forwards(model) as pieces:
        reply_ids(model, [*ids, *said, *some_ids(10)], GREEDY.replace(max_new_tokens=1))
    assert pieces == [11]  # ten new ids and the reply's last, which was drawn but never read


@pytest.mark.parametrize("seed", range(10))
def test_an_edit_anywhere_is_answered_as_if_nothing_had_been_read_before(seed: int) -> None:
    dice = random.Random(seed)
    kept, fresh = chat_model(seed, eagerness=0.0), chat_model(seed, eagerness=0.0)
    settings = GREEDY.replace(max_new_tokens=4)
    ids = some_ids(dice.randint(2, 60), seed)
    for edit in range(4):
        reply_ids(kept, ids, settings)
        place = dice.randrange(len(ids))
        ids = [*ids[:place], *some_ids(dice.randint(1, 30), seed * 100 + edit)]
        fresh.forget()
        assert reply_ids(kept, ids, settings) == reply_ids(fresh, ids, settings)
        fresh.forget()
        token = next(iter(kept.generate(ids, settings)))
        assert token.logprob == pytest.approx(next(iter(fresh.generate(ids, settings))).logprob, abs=1e-4)


def test_what_is_cached_is_what_was_read() -> None:
    model = chat_model(0, eagerness=0.0)
    for ids in ([1, 2, 3, 4], [1, 2, 9], [7], [7, 8], [1, 2, 3]):
        reply_ids(model, ids, GREEDY.replace(max_new_tokens=3))
        assert model._network._cache.length == len(model._prefix_cache.ids)
        assert model._prefix_cache.ids[: len(ids)] == ids


def test_a_ctrl_c_while_the_cache_is_cropped_spoils_no_later_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    model = chat_model(6, eagerness=0.0)
    settings = GREEDY.replace(max_new_tokens=6)
    edited = [1, 2, 3, 9, 9]
    expected = reply_ids(chat_model(6, eagerness=0.0), edited, settings)
    reply_ids(model, [1, 2, 3, 4, 5, 6, 7, 8], settings)
    crop = GPT2.crop

    def interrupted(network: GPT2, count: int) -> None:
        crop(network, count)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(GPT2, "crop", interrupted)
        with pytest.raises(KeyboardInterrupt):
            reply_ids(model, edited, settings)
    assert reply_ids(model, edited, settings) == expected


def test_300_turns_in_a_row_all_get_an_answer() -> None:
    model = chat_model(2, positions=128, eagerness=6.0)
    chat = Chat(model, settings=Settings(seed=1, max_new_tokens=24, max_context=1000))
    for number in range(300):
        turn = chat.send(f"message {number}")
        assert turn.ids
        assert turn.stop in ("eos", "length")
    assert len(chat.messages) == 600
    assert chat.context.dropped
    assert len(model._prefix_cache.ids) <= 128


def test_another_architecture_without_absolute_positions_chats() -> None:
    network = llama(positions=128)
    model = chat_model(0, network=network)
    assert model.positions == 128
    ids = some_ids(60)
    batch = torch.tensor([ids])
    expected = network.generate(
        batch, attention_mask=torch.ones_like(batch), max_new_tokens=20, do_sample=False, pad_token_id=model.eos
    )[0, 60:].tolist()
    assert reply_ids(model, ids, GREEDY.replace(max_new_tokens=20)) == expected
    chat = Chat(model, settings=Settings(seed=3, max_new_tokens=20))
    assert [chat.send(text).role for text in ("Hello", "How are you?", "x" * 300)] == ["assistant"] * 3
    kept, fresh = chat_model(0, network=network), chat_model(0, network=network)
    for ids in (some_ids(30), some_ids(30)[:20] + some_ids(10, 1), some_ids(5), some_ids(30)):
        fresh.forget()
        assert reply_ids(kept, ids, GREEDY.replace(max_new_tokens=5)) == reply_ids(
            fresh, ids, GREEDY.replace(max_new_tokens=5)
        )


def test_forgetting_gives_the_cache_back(model: ChatModel) -> None:
    reply_ids(model, [1, 2, 3], GREEDY.replace(max_new_tokens=3))
    assert model._network._cache.length
    model.forget()
    assert model._network._cache.length == 0
    assert model._network._cache.store is None
    assert model._prefix_cache.ids == []
