"""A chat in slow motion: the reply is that of an unwatched one, whatever is done on the way."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slow import GREEDY, SAMPLED, asked, but_for_time, plain

from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.engine.model import ChatModel
from dialogpt_widget.settings import Settings


@pytest.fixture
def chat(model: ChatModel) -> Iterator[Chat]:
    chat = Chat(model, settings=SAMPLED)
    yield chat
    chat.stop()


@pytest.mark.parametrize("how", [SAMPLED, GREEDY, SAMPLED.replace(repetition_penalty=1.3, max_context=20)])
def test_stepping_gives_the_reply_of_running(how: Settings) -> None:
    chat = asked(how)
    ids = []
    while (token := chat.step()) is not None:
        ids.append(token.id)
        assert chat.runner.running is None or [token.id for token in chat.runner.running.tokens] == ids
    turn = chat.path[-1]
    whole = plain(how)
    assert (turn.ids, turn.text, turn.stop) == (whole.ids, whole.text, whole.stop)
    assert but_for_time(turn) == but_for_time(whole)
    assert ids[: len(turn.ids)] == list(turn.ids)
    assert chat.state.hidden_states.known(turn) is not None


def test_a_step_after_the_end_begins_another_version(chat: Chat) -> None:
    chat.say("Hello")
    chat.step()
    first = chat.finish()
    assert chat.step() is not None
    second = chat.finish()
    assert chat.conversation.siblings(first) == (first, second)
    while chat.step():
        pass
    chat.say("And?")
    assert chat.step() is not None
    assert chat.finish().parent == chat.path[-2].id


def test_what_is_taken_back_comes_again(chat: Chat) -> None:
    chat.say("Hello")
    told: list[int] = []
    chat.on_token(lambda token: told.append(token.id))
    first = [chat.step(), chat.step(), chat.step()]
    assert chat.runner.running is not None
    text = chat.runner.running.text
    chat.back()
    chat.back()
    assert [token.id for token in chat.runner.running.tokens] == told[:1]
    assert text.startswith(chat.runner.running.text)
    assert [chat.step(), chat.step()] == first[1:]
    assert chat.runner.running.text == text
    assert told == [*told[:3], *told[1:3]]
    assert chat.finish().ids == plain(SAMPLED).ids


def test_back_before_the_first_token_does_nothing(chat: Chat) -> None:
    chat.say("Hello")
    chat.step()
    for _ in range(3):
        chat.back()
    assert chat.runner.running is not None
    assert (chat.runner.running.tokens, chat.runner.running.states, chat.runner.running.text) == ([], [], "")
    assert chat.finish().ids == plain(SAMPLED).ids


def test_a_forced_token_is_said_and_the_dice_stay(chat: Chat) -> None:
    chat.say("Hello")
    chat.step()
    forced = chat.force(65)
    assert (forced.id, forced.origin, forced.position) == (65, "forced", 1)
    turn = chat.finish()
    assert turn.ids[:2] == (plain(SAMPLED).ids[0], 65)
    assert turn.rows is not None
    origins = turn.rows["origin"]
    assert origins[1] != origins[0] == origins[2]
    draws = [row["draw"] for row in turn.rows]
    assert np.isnan(draws[1])
    assert draws[2] == plain(SAMPLED).rows["draw"][2]  # type: ignore[index]
    assert chat.replay(turn).ok
    assert chat.code(turn)


def test_a_forced_token_that_is_taken_back_gives_way_to_the_models_own(chat: Chat) -> None:
    chat.say("Hello")
    chat.step()
    for token in (65, 66):
        chat.force(token)
        chat.step()
    chat.back()
    chat.back()
    chat.back()
    chat.back()
    turn = chat.finish()
    assert but_for_time(turn) == but_for_time(plain(SAMPLED))


def test_forcing_the_end_of_the_turn_ends_the_reply(chat: Chat) -> None:
    chat.say("Hello")
    chat.step()
    eos = chat.load_model().eos
    assert chat.force(eos).eos
    turn = chat.path[-1]
    assert (turn.stop, len(turn.ids)) == ("eos", 1)
    assert turn.rows is not None
    assert turn.rows["eos"].tolist() == [False, True]
    assert chat.replay(turn).ok
    assert chat.step() is None
    with pytest.raises(RuntimeError, match="No reply"):
        chat.back()


MOVES = st.sampled_from(["step", "step", "step", "back", "pause", "play", "run", "force", "guess", "guessing"])


@settings(max_examples=80)
@given(
    st.lists(st.tuples(MOVES, st.integers(0, 299)), max_size=15),
    st.sampled_from([SAMPLED, GREEDY, SAMPLED.replace(seed=3, top_p=0.5), SAMPLED.replace(max_context=16)]),
)
def test_whatever_is_done_the_record_is_true(moves: list[tuple[str, int]], how: Settings) -> None:
    chat = asked(how)
    forced = False
    chat.step()
    for name, token in moves:
        if chat.runner.running is None:
            break
        if name == "guessing":
            chat.pace.guessing = not chat.pace.guessing
        elif name in ("pause", "play", "run"):
            getattr(chat.pace, name)(*([50] if name == "play" else []))
        else:
            verb = "guess" if name == "step" and chat.pace.guessing else name
            try:
                getattr(chat, verb)(*([token] if verb in ("force", "guess") else []))
            except RuntimeError:
                assert chat.runner.running is None  # it had run to its end meanwhile
                break
            forced = forced or name == "force"
    turn = chat.finish() if chat.runner.running or chat._stepped else chat.path[-1]
    assert turn == chat.path[-1]
    assert turn.rows is not None
    assert turn.rows["id"].tolist()[: len(turn.ids)] == list(turn.ids)
    assert chat.replay(turn).ok
    known = chat.state.hidden_states.known(turn)
    assert known is not None
    assert len(known) == len(turn.rows)
    if not forced:
        assert but_for_time(turn) == but_for_time(plain(how))
