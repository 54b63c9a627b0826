"""A reply computed again is the reply, whatever it went through."""

from __future__ import annotations

import random

import numpy as np
import pytest
from builders import chat_model

from dialogpt_widget import Chat, ChatModel, Settings


def some_chat(source: random.Random, model: ChatModel) -> Chat:
    settings = Settings(
        do_sample=source.random() < 0.8,
        temperature=source.choice([0.5, 1.0, 2.0]),
        top_k=source.choice([0, 5, 40]),
        top_p=source.choice([0.5, 0.9, 1.0]),
        min_p=source.choice([0.0, 0.05]),
        repetition_penalty=source.choice([1.0, 1.3]),
        no_repeat_ngram_size=source.choice([0, 2]),
        max_new_tokens=source.choice([3, 12]),
        max_context=source.choice([64, 200]),
        seed=source.randrange(2**32),
    )
    return Chat(model, settings=settings)


@pytest.mark.parametrize("seed", range(10))
def test_ten_turns_of_each_of_ten_chats_replay(seed: int) -> None:
    source = random.Random(seed)
    model = chat_model(seed, eagerness=2.0)
    chat = some_chat(source, model)
    replies = 0
    while replies < 10:
        last = chat.path[-1] if chat.path else None
        deed = source.choice(["send", "send", "fork", "regenerate", "continue"]) if last else "send"
        if deed == "send":
            chat.send(source.choice(["Hello", "How are you?", "naïve café 😀", "x" * 40]))
        elif deed == "regenerate":
            chat.regenerate()
        elif deed == "fork" and last is not None and last.rows is not None:
            chat.fork(last, source.randrange(len(last.rows)), source.randrange(model.vocabulary))
        elif deed == "continue" and last is not None and last.stop == "length" and len(last.ids) < 30:
            chat.continue_(last)
        else:
            continue
        replies += 1
    made = [turn for turn in chat.turns if turn.role == "assistant"]
    assert len(made) == 10
    for turn in made:
        again = chat.replay(turn)
        assert again.ok, (turn.id, again)
        assert again.max_logprob_error < 1e-4


def test_a_record_that_was_tampered_with_is_noticed() -> None:
    chat = Chat(chat_model(2, eagerness=0.0), settings=Settings(seed=1, max_new_tokens=6))
    reply = chat.send("Hello")
    assert reply.rows is not None
    reply.rows["logprob"][2] += 0.5
    again = chat.replay(reply)
    assert again.ok
    assert again.max_logprob_error == pytest.approx(0.5, abs=1e-4)
    reply.rows["id"][3] = (reply.rows["id"][3] + 1) % 200
    changed = chat.replay(reply)
    assert (changed.ok, changed.first_difference) == (False, 3)


def test_recomputed_rows_are_the_rows() -> None:
    chat = Chat(chat_model(2, eagerness=0.0), settings=Settings(seed=1, max_new_tokens=6))
    reply = chat.send("Hello")
    assert reply.rows is not None
    before = reply.rows.copy()
    forked = chat.fork(reply, 2, 77)
    assert forked.rows is not None
    for turn in (reply, forked):
        assert turn.rows is not None
        was = turn.rows.copy()
        assert chat.replayer.recompute(turn).ok
        now = chat.conversation[turn.id].rows
        assert now is not None
        for name in set(was.dtype.names or ()) - {"ms"}:
            np.testing.assert_allclose(now[name].astype(float), was[name].astype(float), atol=1e-4, err_msg=name)
    assert before["id"].tolist() == reply.rows["id"].tolist()
    with pytest.raises(ValueError, match="other tokens"):
        chat.conversation.rescore(reply, before[:2])
