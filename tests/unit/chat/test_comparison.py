"""Side by side: settings and models answer the same history with the same dice."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from builders import chat_model, llama

from dialogpt_widget.chat.candidates import sides_of
from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.dialogue import files
from dialogpt_widget.engine.model import ChatModel
from dialogpt_widget.settings import Settings

BASE = Settings(max_new_tokens=10, seed=4)
GREEDY = BASE.replace(do_sample=False)
HOT = BASE.replace(temperature=1.6, top_k=0, top_p=1.0)


@pytest.fixture
def chat(model: ChatModel) -> Chat:
    chat = Chat(model, settings=BASE)
    chat.send("Hello")
    chat.say("And you?")
    return chat


def alone(chat: Chat, settings: Settings, number: int) -> tuple[int, ...]:
    """What one side says, with the engine alone."""
    model = chat.load_model()
    tokens = model.generate(chat.context.ids, settings, reply=number)
    return tuple(token.id for token in tokens if not token.eos)


def test_each_side_says_what_it_would_alone_with_the_same_dice(chat: Chat) -> None:
    made = chat.compare({"greedy": GREEDY, "hot": HOT, "again": HOT})
    assert (made.kind, made.labels) == ("compared", ("greedy", "hot", "again"))
    (number,) = {turn.reply for turn in made.turns}
    assert number is not None
    assert [turn.ids for turn in made.turns] == [alone(chat, one, number) for one in (GREEDY, HOT, HOT)]
    assert {turn.settings.seed for turn in made.turns if turn.settings} == {4}


def test_none_goes_on_until_one_is_chosen(chat: Chat) -> None:
    before = chat.path
    made = chat.compare([GREEDY, HOT])
    assert made.labels[0] == "greedy"
    assert made.ranking is None
    assert chat.path == before
    assert chat.turns == before
    picked = chat.pick(made, 1)
    assert chat.path == (*before, picked)
    chat.undo()
    assert chat.path == before
    assert files.dump(files.parse(files.dump(chat.saved))) == files.dump(chat.saved)


def test_cross_probabilities_are_those_of_the_other_decoder(chat: Chat) -> None:
    made = chat.compare([GREEDY, HOT])
    model = chat.load_model()
    for i, turn in enumerate(made.turns):
        assert turn.rows is not None
        ids = turn.rows["id"].tolist()
        logs = [row[token] for row, token in zip(_logs(model, chat.context.ids, ids), ids, strict=True)]
        hot = [row[token] for row, token in zip(_logs(model, chat.context.ids, ids, 1.6), ids, strict=True)]
        barred = [_logs(model, chat.context.ids, ids)[0][model.eos]]  # the shortest reply has one token
        rest = math.log1p(-math.exp(barred[0]))
        assert made.cross[i][0] == pytest.approx(sum(logs) - rest, abs=1e-3)
        tempered = _logs(model, chat.context.ids, ids, 1.6)[0][model.eos]
        assert made.cross[i][1] == pytest.approx(sum(hot) - math.log1p(-math.exp(tempered)), abs=1e-3)


def _logs(model: ChatModel, context: Any, ids: list[int], temperature: float = 1.0) -> list[list[float]]:
    states = model.states([*context, *ids])[len(context) - 1 : -1]
    rows: list[list[float]] = torch.log_softmax(model.unembed(states).double() / temperature, -1).tolist()
    return rows


def test_what_a_side_cannot_say_is_minus_infinity(chat: Chat) -> None:
    narrow = BASE.replace(top_k=1)
    found = [chat.compare([narrow, HOT]) for _ in range(4)]
    crossed = [made.cross[1][0] for made in found if made.turns[1].ids != made.turns[0].ids]
    assert crossed
    assert set(crossed) == {-math.inf}
    assert all(made.cross[0][0] == pytest.approx(0.0) for made in found)
    text = files.dump(chat.saved)
    assert '"-inf"' in text
    (first, *_) = files.parse(text).conversation.nbests
    assert first.cross == found[0].cross


def test_other_models_answer_too(chat: Chat) -> None:
    other = chat_model(network=llama())
    other.name = "another"
    chat.settings = whole = BASE.replace(top_k=0, top_p=1.0)
    made = chat.compare({"own": whole, "other": (other, whole), "both": other})
    assert [turn.model for turn in made.turns] == ["tiny-0", "another", "another"]
    assert made.turns[1].ids == made.turns[2].ids
    assert all(math.isfinite(one) for row in made.cross for one in row)
    assert made.cross[1][0] != made.cross[1][1]
    picked = chat.pick(made, 1)
    assert chat.send("Go on").context[-2] == picked.id
    assert chat.load_model().name == "tiny-0"


def test_an_earlier_turn_can_be_answered_again(chat: Chat) -> None:
    first, reply = chat.path[0], chat.path[1]
    made = chat.compare([GREEDY, HOT], reply)
    assert made.parent == first.id
    assert chat.path == (first,)
    chat.pick(made, 0)
    assert chat.siblings(reply) == (reply, made.turns[0])


@pytest.mark.parametrize(
    ("sides", "error", "words"),
    [
        ([BASE], ValueError, "Compare 2 to 6"),
        ("mini", TypeError, "takes several"),
        (BASE, TypeError, "takes several"),
        (None, TypeError, "takes several"),
        ([BASE] * 7, ValueError, "Compare 2 to 6"),
        ([BASE, BASE], ValueError, "called the same"),
        ({"a": BASE, "b": 3}, TypeError, "a Settings, a model or its name"),
        ({"a": BASE, "b": ("mini", 3)}, TypeError, "a Settings, a model or its name"),
    ],
)
def test_what_cannot_be_compared_is_refused(chat: Chat, sides: Any, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        chat.compare(sides)
    assert len(chat.conversation.nbests) == 0


def test_sides_are_labelled_by_what_they_change() -> None:
    made = sides_of([BASE, GREEDY, HOT, "mini", ("small", GREEDY), BASE.replace(top_k=3)], BASE)
    assert [side.label for side in made] == [
        "as now",
        "greedy",
        "temperature 1.6, top_k 0, top_p 1.0",
        "mini: 6 M parameters, not DialoGPT",
        "DialoGPT-small, greedy",
        "top_k 3",
    ]


def test_a_stop_keeps_what_was_said(chat: Chat) -> None:
    drafting = chat.planner.comparison(sides_of([HOT, GREEDY], BASE))

    def hear(_: object) -> None:
        if len(drafting.tokens) == 3:
            chat.stop()

    chat.runner.run(drafting, hear=hear)
    (made,) = chat.conversation.nbests
    assert [len(turn.ids) for turn in made.turns] == [3]
    assert made.labels == ("temperature 1.6, top_k 0, top_p 1.0",)
    assert made.cross == ()
