"""Several chats on one model: a reply that waits for its reader holds up nobody, and is none the worse for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from builders import chat_model
from page import GUARD, Gate, Page

from dialogpt_widget import Chat, ChatWidget, Settings
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.engine.model import ChatModel

SAMPLED = Settings(seed=1, max_new_tokens=12, min_new_tokens=12)
WAITS = "Waiting for another reply on this model"


@pytest.fixture
def pages(model: ChatModel) -> Iterator[list[Page]]:
    """Three chats on one model."""
    widgets = [ChatWidget(model, settings=SAMPLED) for _ in range(3)]
    pages = [Page(widget) for widget in widgets]
    for page in pages:
        page.ask("mount", version=1)
        page.until_phase("ready")
    yield pages
    for widget in widgets:
        widget.close()


@pytest.fixture(scope="module")
def whole() -> Turn:
    """The reply when nothing comes between."""
    return Chat(chat_model(), settings=SAMPLED).send("Hello")


def paused(page: Page, tokens: int) -> None:
    """Has a reply wait after so many tokens."""
    page.ask("pace", mode="step", rate=4)
    page.ask("send", text="Hello")
    held(page, 0)
    for count in range(1, tokens + 1):
        page.ask("step")
        held(page, count)


def held(page: Page, count: int) -> None:
    page.until(lambda: page.state["pace"]["count"] == count and page.state["pace"]["waiting"])


def test_another_chat_is_answered_while_a_reply_is_paused_and_the_reply_ends_as_ever(
    pages: list[Page], whole: Turn
) -> None:
    first, second, third = pages
    paused(first, 3)
    assert second.widget.send("What is that?").stop == "length"
    third.ask("send", text="And this?")
    third.answered(2)
    for count in range(4, 12):
        first.ask("step")
        held(first, count)
        if count == 7:
            second.widget.send("And that?")
    first.ask("step")
    first.answered(2)
    turn = first.widget.path[-1]
    assert turn.ids == whole.ids
    assert first.widget.replay(turn).ok
    statuses = [content.get("status", {}) for method, content in first.messages if method == "update"]
    assert not any(status.get("phase") == "waiting" for status in statuses)


@pytest.mark.parametrize("mode", ["guess", "play"])
def test_a_reply_that_is_guessed_or_played_holds_up_nobody_either(pages: list[Page], whole: Turn, mode: str) -> None:
    first, second, _ = pages
    if mode == "guess":
        first.ask("guessing", on=True)
    else:
        first.ask("pace", mode="play", rate=0.1)
    said = threading.Event()
    first.widget.on_token(lambda _: said.set())
    first.ask("send", text="Hello")
    if mode == "play":
        assert said.wait(GUARD)
    else:
        held(first, 0)
    second.widget.send("What is that?")
    first.ask("guessing", on=False)
    first.ask("pace", mode="run", rate=4)
    first.answered(2)
    assert first.widget.path[-1].ids == whole.ids


def test_a_step_shows_its_token_at_once_and_the_next_waits_for_who_came_first(
    pages: list[Page], whole: Turn, model: ChatModel
) -> None:
    first, second, third = pages
    paused(first, 3)
    gate = Gate(model)
    second.ask("send", text="What is that?")
    assert gate.reached.wait(GUARD)
    third.ask("send", text="And this?")
    third.until_phase("waiting")
    first.ask("step")
    first.until_phase("waiting")
    running = first.widget._session.chat.running
    assert running is not None
    assert [token.id for token in running.tokens] == list(whole.ids[:4])
    status = first.state["status"]
    assert (status["detail"], status["ahead"]) == (WAITS.replace("another reply", "2 other replies"), 2)
    assert (status["turn"], status["parent"]) == (running.id, running.parent.id)
    order: list[str] = []
    for name, page in zip(("first", "second", "third"), pages, strict=True):
        page.widget.on_token(lambda _, name=name: order.append(name))  # type: ignore[misc]
    gate.open()
    held(first, 4)
    assert first.state["status"]["phase"] == "generating"
    assert [name for name in dict.fromkeys(order) if name != "first"] == ["second", "third"]
    assert order[-1] == "third"
    first.ask("pace", mode="run", rate=4)
    first.answered(2)
    assert first.widget.path[-1].ids == whole.ids


def test_a_reply_that_waits_to_go_on_is_stopped_at_once(pages: list[Page], whole: Turn, model: ChatModel) -> None:
    first, second, _ = pages
    paused(first, 3)
    gate = Gate(model)
    second.ask("send", text="What is that?")
    assert gate.reached.wait(GUARD)
    first.ask("step")
    first.until_phase("waiting")
    first.ask("stop")
    first.until_phase("ready")
    turn = first.widget.path[-1]
    assert (turn.stop, turn.ids) == ("user", whole.ids[:4])
    gate.open()
    second.answered(2)
    assert second.widget.path[-1].stop == "length"


def test_a_message_that_waits_is_stopped_at_once_and_stays_without_a_reply(pages: list[Page], model: ChatModel) -> None:
    first, second, third = pages
    gate = Gate(model)
    first.ask("send", text="Hello")
    assert gate.reached.wait(GUARD)
    second.ask("send", text="What is that?")
    third.ask("send", text="And this?")
    third.until(lambda: third.state["status"]["ahead"] == 2)
    second.ask("stop")
    second.answered(1)
    assert (second.texts(), second.state["queue"]) == (["What is that?"], [])
    third.until(lambda: third.state["status"]["ahead"] == 1)
    gate.open()
    for page in (first, third):
        page.answered(2)
    second.ask("regenerate", turn=second.state["leaf"])
    second.answered(2)


def test_a_message_that_waits_is_withdrawn_and_nothing_waits_any_more(pages: list[Page], model: ChatModel) -> None:
    first, second, _ = pages
    gate = Gate(model)
    first.ask("send", text="Hello")
    assert gate.reached.wait(GUARD)
    second.ask("send", text="What is that?")
    second.until_phase("waiting")
    assert second.ask("withdraw", item=second.state["queue"][0]["id"])["text"] == "What is that?"
    second.until_phase("ready")
    assert (second.texts(), second.state["queue"]) == ([], [])
    gate.open()
    first.answered(2)


def test_closing_a_paused_chat_or_one_that_waits_leaves_the_others_alone(pages: list[Page], model: ChatModel) -> None:
    first, second, third = pages
    paused(first, 3)
    gate = Gate(model)
    second.ask("send", text="What is that?")
    assert gate.reached.wait(GUARD)
    third.ask("send", text="And this?")
    third.until_phase("waiting")
    for page in (first, third):
        page.widget.close()
    gate.open()
    second.answered(2)
    for thread in threading.enumerate():
        if thread.name.startswith("dialogpt"):
            thread.join(GUARD)
            assert not thread.is_alive()
    assert (first.widget.path[-1].stop, len(first.widget.path[-1].ids)) == ("user", 3)
    assert third.widget.path == ()


def test_a_cell_steps_one_chat_and_sends_to_another_by_turns(pages: list[Page]) -> None:
    straight = Chat(chat_model(), settings=SAMPLED)
    straight.send("Hello")
    first, second, _ = (page.widget for page in pages)
    first.send("Hello")
    ids = []
    while (token := first.step()) is not None:
        ids.append(token.id)
        if len(ids) in (3, 5):
            second.send("What is that?")
    assert first.path[-1].ids == tuple(ids) == straight.regenerate().ids
