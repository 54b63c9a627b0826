"""How a reply is stopped: by another thread, Ctrl-C, an error, a cancelled task."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from builders import before_each_step

from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.engine.model import ChatModel
from dialogpt_widget.settings import Settings

LONG = Settings(seed=1, max_new_tokens=60, min_new_tokens=60)


@pytest.fixture
def chat(model: ChatModel) -> Chat:
    return Chat(model, settings=Settings(seed=1, max_new_tokens=12))


def test_stop_from_another_thread_keeps_what_was_said(model: ChatModel) -> None:
    chat = Chat(model, settings=LONG)
    seen: list[int] = []

    def listen(token: Any) -> None:
        seen.append(token.id)
        if len(seen) == 3:
            thread = threading.Thread(target=chat.stop)
            thread.start()
            thread.join()

    chat.on_token(listen)
    reply = chat.send("Hello")
    assert (reply.stop, len(reply.ids)) == ("user", 3)
    assert chat.path[-1] == reply
    chat.stop()
    assert chat.send("Again").stop == "length"


def test_ctrl_c_keeps_the_partial_reply(model: ChatModel) -> None:
    chat = Chat(model, settings=LONG)
    count = 0

    def interrupt(*_: Any) -> None:
        nonlocal count
        count += 1
        if count == 5:
            raise KeyboardInterrupt

    end = before_each_step(model, interrupt)
    with pytest.raises(KeyboardInterrupt):
        chat.send("Hello")
    end()
    assert (chat.path[-1].role, chat.path[-1].stop, len(chat.path[-1].ids)) == ("assistant", "user", 4)
    assert chat.send("Again").stop == "length"


def test_a_model_that_fails_midway_leaves_what_it_said(model: ChatModel) -> None:
    chat = Chat(model, settings=LONG)

    def fail(*_: Any) -> None:
        if len(model._prefix_cache.ids) > 12:
            raise RuntimeError("broken")

    end = before_each_step(model, fail)
    with pytest.raises(RuntimeError, match="broken"):
        chat.send("Hello")
    end()
    assert (chat.path[-1].role, chat.path[-1].stop) == ("assistant", "error")
    assert chat.regenerate().stop == "length"


def test_a_reply_stopped_before_its_first_token_leaves_no_turn(chat: Chat) -> None:
    asked = chat.say("Hello")
    reply = chat.planner.reply()
    reply.stop.set()
    turn = chat.runner.run(reply)
    assert (turn.ids, turn.stop) == ((), "user")
    assert chat.path == (asked,)


def test_what_is_selected_during_a_reply_stays_selected(model: ChatModel) -> None:
    chat = Chat(model, settings=LONG)
    end = chat.on_token(lambda token: chat.clear() if token.position == 1 else None)
    reply = chat.send("Hello")
    end()
    assert chat.path == ()
    assert reply in chat.conversation.turns


def test_asend_returns_the_reply_and_cancelling_stops_it(model: ChatModel) -> None:
    chat = Chat(model, settings=LONG.replace(min_new_tokens=200, max_new_tokens=200))

    async def talk() -> Turn:
        began = asyncio.Event()
        loop = asyncio.get_running_loop()
        settled = asyncio.Event()
        chat.on_token(lambda _: loop.call_soon_threadsafe(began.set))
        chat.on_turn(lambda turn: turn.role == "assistant" and loop.call_soon_threadsafe(settled.set))
        work = asyncio.create_task(chat.asend("Hello"))
        await began.wait()
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        await settled.wait()
        return chat.path[-1]

    stopped = asyncio.run(talk())
    assert (stopped.role, stopped.stop) == ("assistant", "user")
    chat.settings = Settings(seed=1, max_new_tokens=4)
    assert asyncio.run(chat.asend("Again")) == chat.path[-1]


def test_cancelling_a_message_that_waits_does_not_stop_the_reply_before_it(model: ChatModel) -> None:
    chat = Chat(model, settings=LONG)

    async def talk() -> list[Turn | BaseException]:
        began = asyncio.Event()
        loop = asyncio.get_running_loop()
        chat.on_token(lambda _: loop.call_soon_threadsafe(began.set))
        first = asyncio.create_task(chat.asend("first"))
        await began.wait()
        second = asyncio.create_task(chat.asend("second"))
        await asyncio.sleep(0)
        second.cancel()
        return await asyncio.gather(first, second, return_exceptions=True)

    first, second = asyncio.run(talk())
    assert isinstance(first, Turn)
    assert first.stop == "length"
    assert isinstance(second, asyncio.CancelledError)
