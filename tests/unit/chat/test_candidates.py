"""Several replies to a turn: sampled or found by beam search, ranked, one chosen, the others kept."""

from __future__ import annotations

import gc
import threading
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from builders import before_each_step, chat_model, llama, random_gpt2
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st

from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.chat.pace import PaceCommand
from dialogpt_widget.chat.reranking import Reranking
from dialogpt_widget.dialogue import files
from dialogpt_widget.dialogue.nbest import NBest, UnknownListError
from dialogpt_widget.engine.model import ChatModel
from dialogpt_widget.engine.rerank import MMI
from dialogpt_widget.engine.rerank.rules import Rules
from dialogpt_widget.errors import ModelError
from dialogpt_widget.settings import Settings

SEVERAL = Settings(candidates=4, seed=1, max_new_tokens=10)


@pytest.fixture
def chat(model: ChatModel) -> Chat:
    return Chat(model, settings=SEVERAL)


def lengths(turns: list[str], reply: str) -> float:
    """A function of one's own: long replies are good."""
    return len(reply) + len(turns)


@budget(max_examples=25)
@given(seed=st.integers(0, 2**32), count=st.integers(2, 6), eagerness=st.sampled_from([1.0, 3.0, 6.0]))
def test_candidates_are_the_replies_that_their_dice_make_alone(seed: int, count: int, eagerness: float) -> None:
    model = chat_model(eagerness=eagerness)
    settings = Settings(candidates=count, seed=seed, max_new_tokens=8)
    chat = Chat(model, settings=settings)
    chat.send("Hello")
    made = chat.candidates()
    alone = Chat(model, settings=settings.replace(candidates=1))
    replies = [alone.send("Hello"), *(alone.regenerate() for _ in range(count - 1))]
    assert [turn.ids for turn in made.turns] == [turn.ids for turn in replies]
    assert [turn.reply for turn in made.turns] == list(range(count))
    assert [turn.text for turn in made.turns] == [turn.text for turn in replies]
    assert [turn.stop for turn in made.turns] == [turn.stop for turn in replies]
    for ours, theirs in zip(made.turns, replies, strict=True):
        assert ours.rows is not None
        assert theirs.rows is not None
        np.testing.assert_allclose(ours.rows["logprob"], theirs.rows["logprob"], atol=1e-4)
        assert ours.rows["draw"].tolist() == theirs.rows["draw"].tolist()


def test_the_best_goes_on_and_the_others_are_kept(chat: Chat) -> None:
    shown: list[str] = []
    turn = chat.send("Hello", shown.append)
    made = chat.candidates()
    assert made.ranking is not None
    assert list(made.ranking.scores) == ["mean log-probability"]
    assert turn is made.turns[made.ranking.chosen]
    assert made.ranking.rank[made.ranking.chosen] == 1
    assert "".join(shown) == turn.text
    assert chat.path[-1] is turn
    assert len(chat.turns) == 2
    assert chat.candidates(turn) is chat.candidates(made.turns[0]) is chat.candidates(chat.path[0]) is made


def test_picking_another_one_and_going_on(chat: Chat) -> None:
    chosen = chat.send("Hello")
    made = chat.candidates()
    place = next(place for place, turn in enumerate(made.turns) if turn is not chosen)
    other = chat.pick(made, place)
    assert chat.siblings(chosen) == (chosen, other)
    assert chat.path[-1] is other
    assert chat.send("And?").context[1] == other.id
    assert chat.replay(other).ok
    assert chat.explain(other, 0).token.id == (*other.ids, chat.load_model().eos)[0]
    chat.undo()
    chat.undo()
    assert chat.path[-1] is chosen


def test_the_next_reply_has_dice_of_its_own(chat: Chat) -> None:
    first = [turn.reply for turn in (chat.send("Hello"), *chat.candidates().turns)]
    second = [turn.reply for turn in (chat.send("Hello"), *chat.candidates().turns)]
    assert (max(first), min(second)) == (3, 4)
    again = Chat(chat.load_model(), settings=SEVERAL, conversation=files.parse(files.dump(chat.saved)).conversation)
    assert again.send("More").reply in range(8, 12)


def test_candidates_come_back_from_a_file_bit_for_bit(chat: Chat) -> None:
    chat.rerank = {"likelihood": 0.5, lengths: 0.1}
    chat.send("Hello")
    chat.pick(chat.candidates(), 2)
    text = files.dump(chat.saved)
    back = files.parse(text)
    assert files.dump(back) == text
    (ours,), (theirs,) = chat.conversation.nbests, back.conversation.nbests
    assert ours.turns == theirs.turns
    for one, other in zip(ours.turns, theirs.turns, strict=True):
        assert one.rows is not None
        assert other.rows is not None
        assert one.rows.tobytes() == other.rows.tobytes()
    assert ours.ranking is not None
    assert theirs.ranking is not None
    assert list(ours.ranking.scores) == list(theirs.ranking.scores) == ["log-probability", "lengths"]
    assert ours.ranking.weights == theirs.ranking.weights
    assert ours.ranking.total.tolist() == theirs.ranking.total.tolist()


def test_of_a_path_alone_the_lists_that_answer_it_are_written(chat: Chat) -> None:
    chat.send("Hello")
    chat.clear()
    chat.send("Another")
    back = files.parse(files.dump(chat.saved, branches=False)).conversation
    assert [made.parent for made in back.nbests] == [back.path[0].id]


def test_a_function_of_the_texts_ranks(chat: Chat) -> None:
    chat.rerank = lengths
    turn = chat.send("Hello")
    made = chat.candidates()
    assert made.ranking is not None
    decode = chat.load_model().decode
    assert made.ranking.scores["lengths"].tolist() == [len(decode(one.ids)) + 1 for one in made.turns]
    assert len(decode(turn.ids)) == max(len(decode(one.ids)) for one in made.turns)


def test_ranking_again_changes_the_list_and_not_the_path(chat: Chat) -> None:
    turn = chat.send("Hello")
    before = chat.candidates()
    chat.rerank = lambda turns, reply: -len(reply)
    after = chat.rank()
    assert chat.path[-1] is turn
    assert after.turns == before.turns
    assert after.ranking is not None
    assert list(after.ranking.scores) == ["<lambda>"]
    assert chat.candidates() is after


def test_rules_drop_replies_and_say_why(chat: Chat) -> None:
    chat.settings = SEVERAL.replace(candidates=6)
    chat.send("Hello")
    word = next(turn.text for turn in chat.candidates().turns if any(letter.isalpha() for letter in turn.text))
    listed = max("".join(letter if letter.isalpha() else " " for letter in word).split(), key=len)
    chat.rerank = Reranking("mean", Rules(words=[listed]))
    made = chat.rank()
    assert made.ranking is not None
    why = [(turn.text, reason) for turn, reason in zip(made.turns, made.ranking.dropped, strict=True) if reason]
    assert (word, f"says {listed!r}") in why
    for turn, reason, rank in zip(made.turns, made.ranking.dropped, made.ranking.rank, strict=True):
        assert (reason is None) == (rank > 0), turn


def test_a_draw_between_candidates_is_repeated_by_the_seed(model: ChatModel) -> None:
    chosen = []
    for _ in range(2):
        chat = Chat(model, settings=SEVERAL, rerank=Reranking("mean", temperature=3.0))
        chosen.append([chat.send(text).ids for text in "abcdef"])
        ranks = [made.ranking.rank[made.ranking.chosen] for made in chat.conversation.nbests if made.ranking]
    assert chosen[0] == chosen[1]
    assert len(set(ranks)) > 1


def test_stop_keeps_what_is_finished(model: ChatModel) -> None:
    def finished_first(chat: Chat) -> None:
        """Stops as soon as one candidate has ended and another has not."""
        drafts = chat.running.drafts if chat.running else ()
        ended = [draft.tokens[-1].eos for draft in drafts if draft.tokens]
        if any(ended) and not all(ended):
            chat.stop()

    for seed in range(20):
        chat = Chat(chat_model(eagerness=4), settings=SEVERAL.replace(max_new_tokens=60, seed=seed))
        reply = chat.planner.answer(chat.say("Hello"))
        chat.runner.run(reply, hear=lambda event, chat=chat: finished_first(chat))  # type: ignore[misc]
        made = chat.candidates()
        if 1 <= len(made.turns) < 4:
            break
    assert {turn.stop for turn in made.turns} == {"eos"}
    assert made.ranking is not None
    assert chat.path[-1] is made.turns[made.ranking.chosen]


def test_if_nothing_is_finished_stop_keeps_what_was_said(chat: Chat) -> None:
    reply = chat.planner.answer(chat.say("Hello"))

    def stop(event: Any) -> None:
        if chat.running and len(chat.running.tokens) == 8:
            chat.stop()

    chat.runner.run(reply, hear=stop)
    assert [turn.stop for turn in chat.candidates().turns] == ["user"] * 4
    assert [len(turn.ids) for turn in chat.candidates().turns] == [2] * 4


def test_stopped_before_anything_was_said_leaves_nothing(chat: Chat) -> None:
    stop = threading.Event()
    stop.set()
    question = chat.say("Hello")
    assert chat.runner.run(chat.planner.answer(question, stop)).ids == ()
    assert chat.path == (question,)
    assert len(chat.conversation.nbests) == 0
    with pytest.raises(ValueError, match="set candidates or num_beams"):
        chat.candidates()


def test_what_was_said_survives_a_scorer_that_fails(chat: Chat) -> None:
    def fails(turns: list[str], reply: str) -> float:
        raise RuntimeError("my mistake")

    chat.rerank = fails
    with pytest.raises(RuntimeError, match="my mistake"):
        chat.send("Hello")
    made = chat.candidates()
    assert (len(made.turns), made.ranking) == (4, None)
    assert chat.path[-1] is made.turns[0]
    chat.rerank = "mean"
    assert chat.rank().ranking is not None


def test_what_was_said_survives_a_model_that_fails(chat: Chat) -> None:
    chat.settings = SEVERAL.replace(max_new_tokens=30)
    steps = iter(range(100))
    side = chat.load_model()._network.branches

    def branches(count: int) -> Any:
        made = side(count)
        advance = made.advance

        def step(rows: Any, ids: Any) -> Any:
            if next(steps) == 3:
                raise MemoryError
            return advance(rows, ids)

        made.advance = step  # type: ignore[method-assign]
        return made

    chat.load_model()._network.branches = branches  # type: ignore[method-assign,assignment]
    with pytest.raises(Exception, match="Memory ran out"):
        chat.send("Hello")
    made = chat.candidates()
    assert all(turn.stop in ("eos", "error") and turn.ids for turn in made.turns)
    assert chat.path[-1] is made.turns[0]


def test_the_context_is_read_once(model: ChatModel) -> None:
    chat = Chat(model, settings=SEVERAL)
    chat.say("Hello " * 8)
    read: list[int] = []
    network = model._network
    advance = network.advance
    network.advance = lambda ids: (read.append(len(ids)), advance(ids))[1]  # type: ignore[method-assign,func-returns-value]
    chat.regenerate()
    assert sum(read) == len(chat.conversation[0].ids) + 1
    read.clear()
    chat.send("And?")
    assert (
        sum(read) <= len(chat.state.context_of(chat.path[:-1], chat.settings).ids) - chat.conversation[0].ids.__len__()
    )


def test_a_scorer_is_looked_at_before_anything_is_said(chat: Chat) -> None:
    chat.rerank = "mmi"
    with pytest.raises(ValueError, match=r"No backward model comes with tiny-0\. .*medium_reverse\.pkl"):
        chat.send("Hello")
    assert [turn.role for turn in chat.path] == ["user"]
    chat.rerank = "dialogrpt"
    with pytest.raises(ValueError, match="GPT-2's 50,257 ids"):
        chat.regenerate()


@pytest.mark.parametrize(
    ("rerank", "error", "words"),
    [
        ("mmii", ValueError, "rerank is one of mean, likelihood, mmi, dialogrpt"),
        (3, TypeError, "a name, a scorer or a function"),
        ({"mean": float("nan")}, ValueError, "weight"),
        ({"mean": "1"}, ValueError, "weight"),
        ([lengths, None], TypeError, "NoneType"),
        ([], ValueError, "rerank is empty"),
        (["mean", "mean"], ValueError, "same name"),
        (MMI, TypeError, r"not its class: MMI\(\.\.\.\)"),
        (Reranking, TypeError, "not its class"),
    ],
)
def test_what_cannot_choose_is_refused_at_once(model: ChatModel, rerank: Any, error: type, words: str) -> None:
    chat = Chat(model)
    with pytest.raises(error, match=words):
        chat.rerank = rerank
    with pytest.raises(error, match=words):
        Chat(model, rerank=rerank)
    assert chat.rerank is None


@pytest.mark.parametrize("temperature", [-1, float("nan"), float("inf"), "1"])
def test_a_temperature_of_the_draw_has_bounds(temperature: Any) -> None:
    with pytest.raises(ValueError, match="temperature is from 0"):
        Reranking(temperature=temperature)


@pytest.mark.parametrize("rules", [["darn"], {"words": []}, "darn"])
def test_rules_are_rules(rules: Any) -> None:
    with pytest.raises(TypeError, match="rules is a Rules"):
        Reranking("mean", rules)


@pytest.mark.parametrize("value", [float("inf"), float("nan"), -float("inf"), "x", None])
def test_a_function_gives_a_finite_number(chat: Chat, value: Any) -> None:
    chat.rerank = lambda turns, reply: value
    with pytest.raises(ValueError, match=r"must (give one finite|return a) number"):
        chat.send("Hello")
    assert chat.path[-1] is chat.candidates().turns[0]


def test_a_list_of_another_chat_is_not_picked_from(chat: Chat) -> None:
    chat.send("Hello")
    other = Chat(chat.load_model(), settings=SEVERAL.replace(seed=2))
    other.send("Hello")
    with pytest.raises(UnknownListError, match="another conversation"):
        chat.pick(other.candidates(), 0)
    stale = chat.candidates()
    chat.rerank = "likelihood"
    chat.rank()
    assert chat.pick(stale, 1) is stale.turns[1]


def test_a_backward_model_that_is_not_there_is_named(chat: Chat) -> None:
    chat.rerank = MMI("no/medium_reverse.pkl")
    with pytest.raises(ModelError, match=r"There is no file no/medium_reverse\.pkl"):
        chat.send("Hello")


def test_slow_motion_says_one_reply(chat: Chat) -> None:
    chat.say("Hello")
    assert chat.step() is not None
    chat.finish()
    assert len(chat.conversation.nbests) == 0
    chat.pace.play(50)
    chat.regenerate()
    assert len(chat.conversation.nbests) == 0
    chat.pace.run()
    chat.regenerate()
    assert len(chat.conversation.nbests) == 1


def test_side_by_side_replies_cannot_be_stepped(chat: Chat) -> None:
    refused: list[str] = []

    def hear(event: Any) -> None:
        if not refused:
            with pytest.raises(RuntimeError, match="side by side"):
                chat.runner.ask(PaceCommand("hold"))
            refused.append("yes")

    chat.runner.run(chat.planner.answer(chat.say("Hello")), hear=hear)
    assert refused


def test_beams_are_those_of_transformers(folder: Path) -> None:
    model = ChatModel.from_pretrained(str(folder))
    chat = Chat(model, settings=Settings(num_beams=3, max_new_tokens=8, length_penalty=0.5, min_new_tokens=1, seed=1))
    turn = chat.send("Hello")
    made = chat.candidates()
    context = [*chat.path[0].ids, model.eos]
    direct = model.beam(context, chat.settings, width=3, length_penalty=0.5)
    assert [one.ids for one in made.turns] == [tuple(one.ids) for one in direct]
    assert made.beams == tuple(one.score for one in direct)
    assert (made.kind, turn is made.turns[0]) == ("beam", True)
    assert made.ranking is not None
    assert list(made.ranking.scores) == ["beam score"]
    assert made.ranking.scores["beam score"].tolist() == list(made.beams)
    for one in made.turns:
        assert one.rows is not None
        ids = [*context, *one.rows["id"].tolist()]
        with torch.inference_mode():
            logs = torch.log_softmax(random_gpt2()(torch.tensor([ids])).logits[0], -1)
        expected = [float(logs[len(context) + place - 1, token]) for place, token in enumerate(one.rows["id"].tolist())]
        np.testing.assert_allclose(one.rows["logprob"], expected, atol=1e-4)
    assert chat.replay(turn).ok


def test_beams_can_be_reranked_and_saved(folder: Path) -> None:
    chat = Chat(str(folder), settings=Settings(num_beams=4, max_new_tokens=8), rerank=lengths)
    turn = chat.send("Hello")
    made = chat.candidates()
    assert made.ranking is not None
    assert turn is made.turns[made.ranking.chosen]
    assert list(made.ranking.scores) == ["lengths"]
    text = files.dump(chat.saved)
    assert files.dump(files.parse(text)) == text
    assert list(chat.rank().ranking.scores) == ["lengths"]  # type: ignore[union-attr]
    chat.rerank = None
    assert chat.rank().ranking.scores["beam score"].tolist() == list(made.beams)  # type: ignore[union-attr]


def test_another_architecture_has_candidates_and_beams_too() -> None:
    model = chat_model(network=llama())
    chat = Chat(model, settings=SEVERAL)
    assert isinstance(chat.send("Hello") and chat.candidates(), NBest)
    chat.settings = Settings(num_beams=2, max_new_tokens=6)
    chat.send("And?")
    assert len(chat.candidates().turns) == 2


def test_another_model_is_ranked_by_itself_and_the_old_one_let_go() -> None:
    first = chat_model()
    gone = weakref.ref(first)
    chat = Chat(first, settings=SEVERAL, rerank="likelihood")
    chat.send("Hello")
    chat.use(chat_model(1))
    del first
    gc.collect()
    assert gone() is None
    (old,) = chat.conversation.nbests
    with pytest.raises(ValueError, match="tiny-0 made these replies, and the chat is with tiny-1 now"):
        chat.rank(old)
    chat.send("And you?")
    (*_, made) = chat.conversation.nbests
    assert made.ranking is not None
    for turn, score in zip(made.turns, made.ranking.total, strict=True):
        if turn.stop == "eos" and turn.rows is not None:
            assert score == pytest.approx(float(turn.rows["logprob"].astype(float).sum()), abs=1e-4)


def test_the_code_of_a_candidate_makes_it_again(chat: Chat) -> None:
    chat.send("Hello")
    turn = chat.pick(chat.candidates(), 3)
    code = chat.code(turn)
    assert "reply=3" in code
    model = chat.load_model()
    ids = [token.id for token in model.generate([*chat.path[0].ids, model.eos], turn.settings, reply=3)]
    assert tuple(ids[: len(turn.ids)]) == turn.ids


def test_before_each_step_of_a_single_reply_nothing_has_changed(model: ChatModel) -> None:
    chat = Chat(model, settings=SEVERAL.replace(candidates=1))
    steps: list[int] = []
    before_each_step(model, lambda: steps.append(1))
    chat.send("Hello")
    assert steps
    assert len(chat.conversation.nbests) == 0
