"""Asking a chat about its tokens."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from builders import CPU, chat_model, lean, random_gpt2, reference

from dialogpt_widget import Chat, Settings
from dialogpt_widget.engine.loading.loader import Loaded
from dialogpt_widget.engine.model import ChatModel
from dialogpt_widget.engine.tokenizer import TransformersTokenizer

QUICK = Settings(seed=5, max_new_tokens=12, max_context=80)


@pytest.fixture
def chat() -> Chat:
    chat = Chat(chat_model(3, eagerness=0.0), settings=QUICK)
    for text in ("Hello", "How are you?", "naïve café 😀"):
        chat.send(text)
    return chat


@torch.inference_mode()
def logprobs(chat: Chat, context: list[int], reply: list[int]) -> list[float]:
    """By transformers, in float64."""
    assert chat.model is not None
    own = reference(chat.model)(torch.tensor([[*context, *reply]])).logits[0].double()
    log = torch.log_softmax(own, -1)
    return [float(log[len(context) - 1 + place, token]) for place, token in enumerate(reply)]


def test_what_the_model_saw_is_what_the_context_was(chat: Chat) -> None:
    told = [chat.state.context_of(chat.path[: 2 * place + 1], QUICK).ids for place in range(3)]
    assert [chat.state.seen(turn) for turn in chat.path[1::2]] == told


def test_the_explanation_is_that_of_the_record_also_without_the_states(chat: Chat) -> None:
    reply = chat.path[-1]
    assert reply.rows is not None
    for forget in (False, True):
        if forget:
            chat.state.hidden_states.forget()
        for index, row in enumerate(reply.rows):
            token = chat.explain(reply, index).token
            assert (token.id, token.rank, token.kept) == (row["id"], row["rank"], row["kept"])
            assert token.logprob == pytest.approx(float(row["logprob"]), abs=1e-4)
            assert list(token.cut_count) == row["cut_count"].tolist()
            assert token.draw == pytest.approx(float(row["draw"]))


def test_changes_move_the_distribution_and_never_the_dice(chat: Chat) -> None:
    reply = chat.path[-1]
    usual, sharp = chat.explain(reply, 1), chat.explain(reply, 1, temperature=0.01)
    assert sharp.token.draw == usual.token.draw
    assert sharp.token.rank == 1
    assert chat.explain(reply, 1, top_k=1).token.kept == 1
    with pytest.raises(ValueError, match="top_p is from"):
        chat.explain(reply, 1, top_p=7)
    with pytest.raises(IndexError, match="tokens 0 to"):
        chat.explain(reply, 99)


def test_a_fork_keeps_ids_rows_and_dice_of_its_prefix(chat: Chat) -> None:
    old = chat.path[-1]
    assert old.rows is not None
    other = int(old.rows["alt_id"][3][5])
    new = chat.fork(old, 3, other)
    assert new.rows is not None
    assert new.ids[:4] == (*old.ids[:3], other)
    same = [name for name in old.rows.dtype.names or () if name != "ms"]
    assert new.rows[:3][same].tobytes() == old.rows[:3][same].tobytes()
    assert (new.settings, new.reply, new.begun, new.context) == (old.settings, old.reply, 3, old.context)
    assert new.rows["origin"][3] == 3
    assert math.isnan(new.rows["draw"][3])
    if len(new.rows) > 4 and len(old.rows) > 4:
        assert new.rows["draw"][4] == old.rows["draw"][4]
    assert chat.siblings(old) == (old, new)
    assert chat.path[-1] == new
    chat.undo()
    assert chat.path[-1] == old


def test_a_forked_prefix_is_never_tokenised_again(gpt2: Any) -> None:
    network = random_gpt2(1, vocabulary=len(gpt2), eagerness=1.0)
    loaded = Loaded(lean(network), TransformersTokenizer(gpt2), "tiny-gpt2", None, CPU, "float32")
    chat = Chat(ChatModel(loaded), settings=QUICK)
    first = chat.send("Hello")
    forked = chat.fork(chat.fork(first, 0, 407), 1, 722)  # " not" and "hing": as text they are one token, 2147
    assert forked.ids[:2] == (407, 722)
    assert forked.text.startswith("nothing")
    assert gpt2.encode(" nothing") == [2147]
    again = chat.fork(forked, 2, 13)
    assert again.ids[:3] == (407, 722, 13)
    assert chat.replay(again).ok


def test_a_fork_to_the_end_of_the_turn_ends_the_reply(chat: Chat) -> None:
    old = chat.path[-1]
    ended = chat.fork(old, 2, chat.load_model().eos)
    assert (ended.ids, ended.stop) == (old.ids[:2], "eos")
    assert chat.replay(ended).ok


@pytest.mark.parametrize(("index", "token"), [(-1, 5), (99, 5), (0, -1), (0, 10**6), (0, True), ("0", 5)])
def test_a_fork_that_cannot_be_is_refused_and_changes_nothing(chat: Chat, index: Any, token: Any) -> None:
    before = chat.path
    with pytest.raises((IndexError, ValueError)):
        chat.fork(chat.path[-1], index, token)
    assert chat.path == before


def test_what_a_person_wrote_has_no_choices(chat: Chat) -> None:
    written = chat.edit(chat.path[-1], "By hand")
    for turn in (written, chat.path[0]):
        with pytest.raises(ValueError, match="A person wrote this"):
            chat.explain(turn, 0)
    chat.use(chat_model(4))
    with pytest.raises(ValueError, match="choose that model first"):
        chat.replay(chat.path[1])


def test_a_typed_reply_is_scored_as_transformers_scores_it(chat: Chat) -> None:
    model = chat.load_model()
    table = chat.score("I'm fine.")
    ids = [*model.encode("I'm fine."), model.eos]
    assert table["id"].tolist() == ids
    context = list(chat.state.context_of(chat.path[:-1], QUICK).ids)
    assert table["logprob"].tolist() == pytest.approx(logprobs(chat, context, ids), abs=1e-4)
    assert table["position"].tolist() == list(range(len(context), len(context) + len(ids)))


def test_leaving_a_turn_out_is_one_exact_forward_pass(chat: Chat) -> None:
    model, reply = chat.load_model(), chat.path[-1]
    assert reply.rows is not None
    ids = reply.rows["id"].tolist()
    said = chat.path[:-1]
    for gone in ([said[0]], said[1:3]):
        kept = [turn for turn in said if turn not in gone]
        context = [token for turn in kept for token in (*turn.ids, model.eos)]
        less = chat.without(reply, gone)
        assert less.logprob == pytest.approx(sum(logprobs(chat, context, ids)), abs=1e-3)
        assert less.logprob_with == pytest.approx(float(reply.rows["logprob"].sum()), abs=1e-3)
    everything = chat.without(reply, said)
    assert everything.logprob == pytest.approx(sum(logprobs(chat, [model.eos], ids)), abs=1e-3)
    with pytest.raises(ValueError, match="did not see"):
        chat.without(chat.path[1], [chat.path[4]])


def test_any_piece_and_any_rank_can_be_asked_for(chat: Chat) -> None:
    model, reply = chat.load_model(), chat.path[-1]
    before = [*chat.state.seen(reply), *reply.ids[:2]]
    ids = model.encode(" soup 😀")
    found = chat.chances(reply, 2, " soup 😀")
    assert [place.id for place in found] == ids
    assert [place.logprob for place in found] == pytest.approx(logprobs(chat, before, ids), abs=1e-4)
    assert reply.rows is not None
    assert [place.id for place in chat.ranked(reply, 2, 1, 10)] == reply.rows["alt_id"][2].tolist()
    for question in (lambda: chat.ranked(reply, 2, 0), lambda: chat.chances(reply, 2, "")):
        with pytest.raises(ValueError, match=r"Ranks begin|Type at least"):
            question()


def test_a_pinned_token_and_the_table_of_every_branch(chat: Chat) -> None:
    reply = chat.path[1]
    pinned = chat.inspector.pinned(reply, 0)
    assert (pinned.turn, pinned.index, pinned.id) == (reply, 0, reply.ids[0])
    assert pinned.tokens["id"].tolist() == [reply.ids[0]]
    chat.regenerate(reply)
    table = chat.conversation.tokens
    assert len(table) == sum(len(turn.ids) + 1 for turn in chat.turns)
    assert set(table["node"].tolist()) == {turn.id for turn in chat.turns}
    assert {"text", "parent"} <= set(table.to_pandas().columns)
    with pytest.raises(IndexError):
        chat.inspector.pinned(reply, 99)
