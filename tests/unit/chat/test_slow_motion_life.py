"""A chat in slow motion: what is guessed, refused, stopped, broken and forgotten."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from builders import before_each_step, chat_model
from slow import SAMPLED, asked, plain

from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.chat.pace import PaceCommand
from dialogpt_widget.engine.model import ChatModel
from dialogpt_widget.settings import Settings

GUARD = 60  # seconds after which a test that waits in vain is ended


@pytest.fixture
def chat(model: ChatModel) -> Iterator[Chat]:
    chat = Chat(model, settings=SAMPLED)
    yield chat
    chat.stop()


def test_a_model_whose_states_are_not_small_can_be_stepped_and_guessed() -> None:
    model = chat_model()
    model.compact = False
    chat = asked(SAMPLED, model)
    chat.step()
    assert chat.guess("Hello").rank > 0
    chat.back()
    assert chat.finish().ids == plain(SAMPLED, model).ids


def test_a_guess_is_judged_before_the_token_is_revealed(chat: Chat) -> None:
    chat.say("Hello")
    chat.pace.guessing = True
    told: list[int] = []
    chat.on_token(lambda token: told.append(token.id))
    whole = plain(SAMPLED)
    right = chat.guess(whole.ids[0])
    assert (right.guess, right.token, right.right) == (whole.ids[0], whole.ids[0], True)
    assert whole.rows is not None
    assert right.rank == whole.rows["rank"][0]
    assert right.bits == pytest.approx(-whole.rows["logprob"][0] / np.log(2), rel=1e-5)
    wrong = chat.guess("Hello")
    assert wrong.guess == chat.load_model().encode("Hello")[0]
    assert (wrong.right, wrong.token) == (wrong.guess == whole.ids[1], whole.ids[1])
    assert told == list(whole.ids[:2])
    with pytest.raises(RuntimeError, match="guessed first"):
        chat.step()
    chat.pace.run()
    time.sleep(0.1)
    assert told == list(whole.ids[:2])
    assert chat.finish().ids == whole.ids


def test_what_is_held_is_nowhere_to_be_found(chat: Chat) -> None:
    chat.say("Hello")
    chat.pace.guessing = True
    told: list[Any] = []
    chat.on_token(told.append)
    chat.on_turn(told.append)
    chat.slow_motion._command(PaceCommand("hold"))
    with pytest.raises(ValueError, match="at least one"):
        chat.guess("")
    with pytest.raises(ValueError, match="Ids are"):
        chat.guess(300)
    reply = chat.runner.running
    assert reply is not None
    assert chat.pace.waiting
    assert (told, reply.tokens, reply.states, reply.text, reply.turn().ids) == ([], [], [], "", ())
    chat.stop()
    assert reply.settled.result(GUARD).ids == ()
    assert told == []


@pytest.mark.parametrize("token", [-1, 300, 1.0, True, "a", None])
def test_ids_that_do_not_exist_are_refused(chat: Chat, token: Any) -> None:
    chat.say("Hello")
    with pytest.raises(ValueError, match="Ids are from 0 to 299"):
        chat.force(token)
    assert chat.runner.running is None


def test_there_must_be_something_to_answer(chat: Chat) -> None:
    for verb in (chat.step, lambda: chat.force(1), lambda: chat.guess(1)):
        with pytest.raises(ValueError, match="nothing to answer"):
            verb()
    for verb in (chat.finish, chat.back):
        with pytest.raises(RuntimeError, match="No reply"):
            verb()


def test_stop_ends_a_paused_reply_and_keeps_what_was_said(chat: Chat) -> None:
    chat.say("Hello")
    chat.step()
    chat.step()
    chat.stop()
    turn = chat.finish()
    assert (turn.stop, turn.ids) == ("user", plain(SAMPLED).ids[:2])
    assert chat.replay(turn).ok
    assert chat.send("Again").stop in ("eos", "length")


def test_other_verbs_are_refused_while_a_reply_is_paused(chat: Chat) -> None:
    chat.say("Hello")
    chat.step()
    turns = chat.turns
    for verb in (lambda: chat.send("Hi"), chat.regenerate, lambda: chat.edit(chat.path[0], "Hi")):
        with pytest.raises(RuntimeError, match="finish"):
            verb()
    assert chat.turns == turns
    chat.finish()
    assert chat.send("Hi").ids


def test_another_threads_reply_can_be_paused_and_stepped(model: ChatModel) -> None:
    chat = Chat(model, settings=Settings(seed=1, max_new_tokens=40, min_new_tokens=40))
    third = threading.Event()
    chat.on_token(lambda token: token.position == 2 and (chat.pace.pause(), third.set()))
    thread = threading.Thread(target=chat.send, args=["Hello"])
    thread.start()
    assert third.wait(GUARD)
    token = chat.step()
    assert token is not None
    assert token.position == 3
    turn = chat.finish()
    thread.join(GUARD)
    assert len(turn.ids) == 40
    assert chat.pace.mode == "step"


def test_errors_of_the_model_reach_the_caller_once(chat: Chat, model: ChatModel) -> None:
    chat.say("Hello")
    chat.step()

    def fail() -> None:
        raise RuntimeError("broken")

    end = before_each_step(model, fail)
    chat.back()
    assert chat.step() is not None
    said = chat.step()  # the token that was held, before the one that cannot be decoded
    assert said is not None
    with pytest.raises(RuntimeError, match="broken"):
        chat.step()
    end()
    assert (chat.path[-1].stop, len(chat.path[-1].ids)) == ("error", 2)
    assert chat.step() is not None
    assert chat.finish().stop in ("eos", "length")
    end = before_each_step(model, fail)
    with pytest.raises(RuntimeError, match="broken"):
        chat.step()
    end()


def test_a_listener_cannot_wait_for_its_own_reply(chat: Chat) -> None:
    problems: list[str] = []

    def listen(_: object) -> None:
        try:
            chat.step()
        except RuntimeError as error:
            problems.append(str(error))

    chat.on_token(listen)
    turn = chat.send("Hello")
    assert len(problems) >= len(turn.ids)
    assert "callback" in problems[0]


def test_a_paused_chat_that_nobody_holds_is_collected_with_its_thread() -> None:
    chat = asked(SAMPLED)
    chat.step()
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "slow dialogpt"]
    gone = weakref.ref(chat)
    del chat
    gc.collect()
    assert gone() is None
    thread.join(GUARD)
    assert not thread.is_alive()
