"""A widget's reply in slow motion, from the page and from a cell."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from builders import before_each_step, chat_model
from page import GUARD, Page

from dialogpt_widget import Chat, ChatWidget, Settings
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.engine.model import ChatModel

SAMPLED = Settings(seed=1, max_new_tokens=12, min_new_tokens=12)


@pytest.fixture
def widget(model: ChatModel) -> Iterator[ChatWidget]:
    widget = ChatWidget(model, settings=SAMPLED)
    yield widget
    widget.close()


@pytest.fixture
def page(widget: ChatWidget) -> Page:
    page = Page(widget)
    page.ask("mount", version=1)
    page.until_phase("ready")
    return page


@pytest.fixture(scope="module")
def whole() -> Turn:
    """The reply when nobody slows it down."""
    return Chat(chat_model(), settings=SAMPLED).send("Hello")


def paused(page: Page, text: str = "Hello") -> None:
    """Sends a message whose reply waits for its first step."""
    assert page.ask("pace", mode="step", rate=4)["ok"]
    page.ask("send", text=text)
    page.until(lambda: page.state["pace"]["waiting"])


def stepped(page: Page, count: int) -> None:
    """One step, after which that many tokens are there."""
    assert page.ask("step")["ok"]
    page.until(lambda: page.state["pace"]["count"] == count and page.state["pace"]["waiting"])


def text_of(page: Page) -> str:
    """The running reply as a page folds its frames."""
    text = ""
    for frame in page.frames():
        text = text[: frame.get("at")] + frame["text"]
    return text


def test_pace_is_part_of_the_state(page: Page) -> None:
    assert page.state["pace"] == {"mode": "run", "rate": 4.0, "guessing": False, "waiting": False, "count": 0}
    page.ask("pace", mode="play", rate=2.5)
    page.ask("guessing", on=True)
    assert page.state["pace"] == {"mode": "play", "rate": 2.5, "guessing": True, "waiting": False, "count": 0}
    for wrong in ({"mode": "fast", "rate": 1}, {"mode": "play", "rate": 0}, {"mode": "step", "rate": 51}):
        assert "error" in page.ask("pace", **wrong)


def test_a_message_sent_while_paused_is_answered_step_by_step(page: Page, widget: ChatWidget, whole: Turn) -> None:
    paused(page)
    for count in range(1, 12):
        stepped(page, count)
        assert whole.text.startswith(text_of(page))
    page.ask("step")
    page.until(lambda: len(page.turns()) == 2 and page.state["status"]["phase"] == "ready")
    assert widget.path[-1].ids == whole.ids
    assert page.state["pace"] == {"mode": "step", "rate": 4.0, "guessing": False, "waiting": False, "count": 0}
    assert widget._session.chat.replay(widget.path[-1]).ok


def test_back_cuts_the_frames_and_the_rows(page: Page, widget: ChatWidget, whole: Turn) -> None:
    page.ask("watch", on=True)
    paused(page)
    for count in range(1, 5):
        stepped(page, count)
    before = text_of(page)
    page.ask("back")
    page.until(lambda: page.state["pace"]["count"] == 3 and page.state["pace"]["waiting"])
    page.ask("back")
    page.until(lambda: page.state["pace"]["count"] == 2 and page.state["pace"]["waiting"])
    assert before.startswith(text_of(page))
    assert text_of(page) != before
    assert page.frames()[-1]["row"] == 2
    stepped(page, 3)
    stepped(page, 4)
    assert text_of(page) == before
    page.ask("pace", mode="run", rate=4)
    page.answered(2)
    assert widget.path[-1].ids == whole.ids


def test_a_token_is_forced_from_the_page(page: Page, widget: ChatWidget) -> None:
    paused(page)
    stepped(page, 1)
    assert "Ids are" in page.ask("force", text=None, token=300)["error"]
    assert "text: str, or token" in page.ask("force", text="a", token=1)["error"]
    assert page.ask("force", text=None, token=65)["ok"]
    page.until(lambda: page.state["pace"]["count"] == 2)
    page.ask("force", text=None, token=widget._session.chat.load_model().eos)
    page.answered(2)
    turn = widget.path[-1]
    assert (turn.ids[1:], turn.stop) == ((65,), "eos")


def test_what_is_typed_is_forced_token_by_token(page: Page, widget: ChatWidget) -> None:
    paused(page)
    stepped(page, 1)
    for text, words in (("", "one character"), ("a" * 21, "At most 20")):
        assert words in page.ask("force", text=text, token=None)["error"]
    ids = page.ask("force", text="good day", token=None)["ids"]
    assert ids == widget._session.chat.load_model().encode("good day")
    page.until(lambda: page.state["pace"]["count"] == 1 + len(ids) and page.state["pace"]["waiting"])
    assert text_of(page).endswith("good day")
    page.ask("stop")
    page.until_phase("ready")
    assert widget.path[-1].ids[1:] == tuple(ids)
    assert "one token" in page.ask("force", text="good", token=None)["error"]


def test_finishing_is_for_the_running_reply_alone(page: Page, widget: ChatWidget, whole: Turn) -> None:
    paused(page)
    stepped(page, 1)
    assert page.ask("pace", mode="finish", rate=4)["ok"]
    page.answered(2)
    assert widget.path[-1].ids == whole.ids
    assert page.state["pace"]["mode"] == "step"


def test_choices_do_not_tell_which_token_is_held(page: Page, widget: ChatWidget) -> None:
    assert "no token" in page.ask("choices")["error"]
    page.ask("guessing", on=True)
    page.ask("send", text="Hello")
    page.until(lambda: page.state["pace"]["waiting"])
    for place in range(1, 6):
        answer = page.ask("choices")
        assert set(answer) == {"id", "ok", "rev", "ids", "end", "pieces"}
        assert answer["ids"] == sorted(set(answer["ids"]))
        assert list(answer["pieces"]) == [str(token) for token in answer["ids"]]
        assert len(answer["ids"]) == 10
        assert page.ask("choices")["ids"] == answer["ids"]
        assert page.state["pace"]["count"] == place - 1
        page.ask("guess", text=None, token=answer["ids"][0])
        page.until(lambda place=place: page.state["pace"]["count"] == place and page.state["pace"]["waiting"])
        running = widget._session.chat.running
        assert running is not None
        assert running.tokens[-1].id in answer["ids"]
        assert set(running.tokens[-1].alt_id[:9]) < set(answer["ids"])
    page.ask("stop")


def test_step_begins_a_reply_to_the_last_message(page: Page, widget: ChatWidget) -> None:
    assert "nothing to answer" in page.ask("step")["error"]
    widget.send("Hello")
    page.ask("step")
    page.until(lambda: page.state["pace"]["waiting"])
    assert page.state["pace"]["mode"] == "step"
    page.ask("stop")
    page.until_phase("ready")
    assert page.state["pace"]["mode"] == "run"
    assert [turn.stop for turn in widget.conversation.siblings(widget.path[-1])] == ["length", "user"]
    assert "No reply" in page.ask("back")["error"]


def test_the_answer_is_in_no_message_before_the_guess(page: Page, widget: ChatWidget, whole: Turn) -> None:
    told: list[Any] = []
    widget.on_token(told.append)
    page.ask("watch", on=True)
    page.ask("guessing", on=True)
    page.ask("send", text="Hello")
    page.until(lambda: page.state["pace"]["waiting"])
    for place in range(3):
        assert (len(told), page.state["pace"]["count"]) == (place, place)
        seen = page.ask("sync")
        assert whole.text.startswith(seen["text"])
        assert seen["text"] == text_of(page) == widget._session.chat.running.text  # type: ignore[union-attr]
        assert len(widget._session.chat.running.tokens) == place  # type: ignore[union-attr]
        assert "guessed first" in page.ask("step")["error"]
        assert "text: str, or token" in page.ask("guess", text=None, token=None)["error"]
        guess: dict[str, Any] = {"text": None, "token": whole.ids[place]} if place else {"text": "Hi", "token": None}
        answer = page.ask("guess", **guess)
        assert answer["token"] == whole.ids[place]
        assert answer["right"] == (answer["guess"] == answer["token"])
        assert answer["rank"] > 0
        assert answer["bits"] >= 0
        assert set(answer["pieces"]) == {str(answer["guess"]), str(answer["token"])}
        page.until(lambda place=place: page.state["pace"]["count"] == place + 1 and page.state["pace"]["waiting"])
    page.ask("guessing", on=False)
    page.answered(2)
    assert widget.path[-1].ids == whole.ids


def test_a_guess_without_a_token_is_refused(page: Page) -> None:
    assert "no token to guess" in page.ask("guess", text="Hi", token=None)["error"]


def test_playing_reveals_at_its_rate(page: Page, widget: ChatWidget, whole: Turn) -> None:
    page.ask("pace", mode="play", rate=20)
    began = time.monotonic()
    assert widget.send("Hello").ids == whole.ids
    assert time.monotonic() - began >= 11 / 20
    assert len(page.frames()) >= 3
    assert page.state["status"]["speed"] > 20


def test_the_verbs_of_a_cell(page: Page, widget: ChatWidget, whole: Turn) -> None:
    with pytest.raises(ValueError, match="nothing to answer"):
        widget.step()
    widget.send("Hello")
    first = widget.step()
    assert first is not None
    running = widget._session.chat.running
    assert running is not None
    assert text_of(page).endswith(running.text)
    assert widget.force(65).id == 65
    widget.back()
    made = widget.guess("Hello")
    assert len(running.tokens) == 2
    assert running.tokens[1].id == made.token
    turn = widget.finish()
    page.answered(2)
    assert page.turns()[1]["id"] == turn.id
    assert widget._session.chat.replay(turn).ok
    assert turn.ids == Chat(chat_model(), settings=SAMPLED).send("Hello").ids or turn.reply == 1
    assert widget.pace.mode == "run"
    ids = []
    while (token := widget.step()) is not None:
        ids.append(token.id)
    page.until_phase("ready")
    assert widget.path[-1].ids == tuple(ids)


def test_send_is_refused_while_a_reply_is_paused(page: Page, widget: ChatWidget) -> None:
    paused(page)
    with pytest.raises(RuntimeError, match="finish"):
        widget.send("And?")
    assert page.state["queue"] == []
    widget.finish()
    page.answered(2)


def test_errors_of_the_model_reach_the_cell_and_the_page(page: Page, widget: ChatWidget, model: ChatModel) -> None:
    widget.send("Hello")

    def fail() -> None:
        raise RuntimeError("broken")

    end = before_each_step(model, fail)
    with pytest.raises(RuntimeError, match="broken"):
        widget.step()
    page.until_phase("error")
    end()
    assert widget.step() is not None


def test_closing_ends_a_paused_reply(model: ChatModel) -> None:
    widget = ChatWidget(model, settings=SAMPLED)
    page = Page(widget)
    paused(page)
    stepped(page, 1)
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("dialogpt")]
    widget.close()
    for thread in threads:
        thread.join(GUARD)
        assert not thread.is_alive()
    assert (widget.path[-1].stop, len(widget.path[-1].ids)) == ("user", 1)
