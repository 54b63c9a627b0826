"""Going on with a reply that was cut off: same ids, same dice, a new version."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from builders import byte_tokenizer, chat_model, path_of
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import stop_after

from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.dialogue.context import build_context
from dialogpt_widget.dialogue.conversation import UnknownTurnError
from dialogpt_widget.engine.model import ChatModel
from dialogpt_widget.settings import Settings

MODEL = chat_model()
SHORT = Settings(seed=1, max_new_tokens=6)


@pytest.fixture
def chat(model: ChatModel) -> Chat:
    return Chat(model, settings=SHORT)


@settings(max_examples=40)
@given(
    st.integers(0, 99),
    st.integers(1, 12),
    st.integers(1, 20),
    st.sampled_from([{}, {"do_sample": False}, {"repetition_penalty": 1.3, "no_repeat_ngram_size": 2}, {"top_p": 0.5}]),
)
def test_it_says_what_a_longer_reply_would_have_said(seed: int, first: int, more: int, how: dict[str, Any]) -> None:
    chat = Chat(MODEL, settings=Settings(seed=seed, max_new_tokens=first, **how))
    cut = chat.send("Hello")
    if cut.stop == "eos":
        return
    chat.settings = chat.settings.replace(max_new_tokens=more)
    longer = chat.continue_(cut)
    once = Chat(MODEL, settings=Settings(seed=seed, max_new_tokens=first + more, **how)).send("Hello")
    assert (longer.ids, longer.stop, longer.text) == (once.ids, once.stop, once.text)
    assert (longer.reply, longer.settings, longer.begun) == (cut.reply, once.settings, first)
    assert longer.rows is not None
    assert once.rows is not None
    for column in ("id", "draw", "position", "kept", "origin", "eos"):
        np.testing.assert_array_equal(longer.rows[column], once.rows[column])
    assert np.allclose(longer.rows["logprob_used"], once.rows["logprob_used"], atol=1e-4)


def test_it_is_a_new_version_whose_beginning_is_a_copy(chat: Chat) -> None:
    cut = chat.send("Hello")
    assert cut.rows is not None
    before = cut.rows.tobytes()
    pieces: list[str] = []
    longer = chat.continue_(cut, pieces.append)
    assert chat.siblings(cut) == (cut, longer)
    assert chat.path[-1] == longer
    assert longer.ids[: len(cut.ids)] == cut.ids
    assert "".join(pieces) == longer.text
    assert longer.rows is not None
    assert longer.rows[: len(cut.rows)].tobytes() == before == cut.rows.tobytes()
    assert not np.shares_memory(longer.rows, cut.rows)
    assert chat.undo()[-1] == cut


def test_it_goes_on_again_and_again(chat: Chat) -> None:
    turn = chat.send("Hello")
    for _ in range(3):
        turn = chat.continue_(turn)
    chat.settings = chat.settings.replace(max_new_tokens=24)
    assert turn.ids == Chat(chat.load_model(), settings=chat.settings).send("Hello").ids


def test_a_reply_stopped_by_hand_goes_on_as_if_nothing_had_stopped_it(chat: Chat) -> None:
    chat.settings = Settings(seed=2, max_new_tokens=20, min_new_tokens=20)
    whole = chat.send("Hello").ids
    other = Chat(chat.load_model(), settings=chat.settings)
    stop_after(other, 3)
    stopped = other.send("Hello")
    assert (stopped.ids, stopped.stop) == (whole[:3], "user")
    other.settings = SHORT.replace(max_new_tokens=4)
    assert other.continue_(stopped).ids == whole, "its own settings hold, the shortest length among them"


def test_one_written_by_hand_goes_on_with_dice_of_its_own(chat: Chat) -> None:
    first = chat.send("Hello")
    written = chat.edit(first, "I like")
    longer = chat.continue_(written)
    ids = tuple(byte_tokenizer()("I like")["input_ids"])
    assert longer.ids[: len(ids)] == written.ids == ids
    assert (longer.reply, longer.begun) == (1, len(ids))
    assert longer.text.startswith("I like")
    assert longer.rows is not None
    assert set(longer.rows["origin"][: len(ids)].tolist()) == {0}
    places = longer.rows["position"][len(ids) :].tolist()
    start = len(chat.path[0].ids) + 1 + len(ids)
    assert places == list(range(start, start + len(places)))


def test_a_reply_of_another_model_goes_on_in_the_ids_of_this_one(chat: Chat) -> None:
    cut = chat.send("Hello")
    other = chat_model(5)
    chat.use(other)
    longer = chat.continue_(cut)
    begun = tuple(other.encode(cut.text))
    assert longer.ids[: len(begun)] == begun
    assert (longer.model, longer.begun) == ("tiny-5", len(begun))


def test_a_reply_that_ended_by_itself_and_a_message_are_refused(chat: Chat) -> None:
    chat.settings = Settings(seed=1, no_repeat_ngram_size=1, max_new_tokens=100, temperature=5.0)
    while (ended := chat.send("Hello")).stop != "eos":
        pass
    before = chat.turns, chat.path
    with pytest.raises(ValueError, match="This reply ended by itself: the model chose the end of the turn"):
        chat.continue_(ended)
    with pytest.raises(ValueError, match="Only a reply can be continued: this is a message"):
        chat.continue_(chat.path[0])
    with pytest.raises(UnknownTurnError):
        chat.continue_(99)
    assert (chat.turns, chat.path) == before


def test_a_reply_that_fills_the_window_is_refused(chat: Chat) -> None:
    chat.settings = Settings(seed=1, max_context=20, max_new_tokens=4000, min_new_tokens=4000)
    turn = chat.send("Hello there")
    assert turn.stop == "length"
    while len(turn.ids) < 19:
        turn = chat.continue_(turn)
    with pytest.raises(ValueError, match=r"A reply of 19 tokens fills the window of 20: there is no room to go on"):
        chat.continue_(turn)
    assert chat.path[-1] == turn


def test_one_that_is_stopped_before_a_new_token_leaves_no_turn(chat: Chat) -> None:
    cut = chat.send("Hello")
    reply = chat.planner.continuation(cut)
    reply.stop.set()
    chat.runner.run(reply)
    assert chat.turns == chat.path == (chat.path[0], cut)


def test_the_context_keeps_room_for_what_the_reply_begins_with() -> None:
    path = path_of([5, 5, 5])
    settings = Settings(max_context=40, max_new_tokens=10)
    assert build_context(path, 0, settings).room == 10
    roomy = build_context(path, 0, settings, begun=20)
    assert roomy.room == 30
    assert len(roomy.ids) + roomy.room <= 40
    assert roomy.turns == (2,)
    with pytest.raises(ValueError, match="no room to go on"):
        build_context(path, 0, settings, begun=39)
