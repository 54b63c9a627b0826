"""What a page asks for: done, queued where the user sees it, or refused in words for people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from builders import before_each_step, chat_model
from page import GUARD, Gate, Page

from dialogpt_widget import Chat, ChatWidget, Settings
from dialogpt_widget.engine.model import ChatModel
from dialogpt_widget.widget import protocol

QUICK = Settings(seed=1, max_new_tokens=6)


@pytest.fixture
def widget(model: ChatModel) -> Iterator[ChatWidget]:
    widget = ChatWidget(model, settings=QUICK)
    yield widget
    widget.close()


@pytest.fixture
def page(widget: ChatWidget) -> Page:
    return Page(widget)


def test_regenerate_adds_a_version(page: Page, widget: ChatWidget) -> None:
    widget.settings = QUICK.replace(temperature=5.0, top_k=0, top_p=1.0)
    first = widget.send("Hello")
    for turn in (first.id, first.parent):
        before = page.state["leaf"]
        assert page.ask("regenerate", turn=turn)["item"]
        page.until(lambda seen=(before, first.parent): page.state["leaf"] not in seen)  # type: ignore[misc]
        page.answered(2)
    assert len(widget.siblings(first)) == 3
    assert page.turns()[0]["id"] == first.parent


def test_continue_adds_a_version_that_begins_the_same(page: Page, widget: ChatWidget) -> None:
    cut = widget.send("Hello")
    assert page.ask("continue", turn=cut.id)["item"]
    page.until(lambda: page.state["leaf"] not in (cut.id, cut.parent))
    page.answered(2)
    longer = widget.path[-1]
    assert longer.ids[: len(cut.ids)] == cut.ids
    assert page.turns()[1]["text"] == longer.text


def test_an_edited_message_is_answered_and_an_edited_reply_is_not(page: Page, widget: ChatWidget) -> None:
    reply = widget.send("Hello")
    assert page.ask("edit", turn=reply.parent, text="Good evening")["item"]
    page.until(lambda: page.texts()[:1] == ["Good evening"])
    page.answered(2)
    answer = page.ask("edit", turn=reply.id, text="By hand")
    assert answer["ok"]
    assert "item" not in answer
    assert page.texts() == ["Hello", "By hand"]
    assert page.turns()[1]["made"] is None


def test_what_waits_is_shown_with_what_it_is(page: Page, widget: ChatWidget, model: ChatModel) -> None:
    reply = widget.send("Hello")
    gate = Gate(model)
    page.ask("send", text="running")
    assert gate.reached.wait(GUARD)
    page.ask("edit", turn=reply.parent, text="Good evening")
    page.ask("regenerate", turn=reply.id)
    page.ask("continue", turn=reply.id)
    shown = [(item["kind"], item["text"], item["turn"]) for item in page.state["queue"]]
    assert shown == [
        ("edit", "Good evening", reply.parent),
        ("regenerate", "Hello", reply.parent),
        ("continue", reply.text, reply.id),
    ]
    withdrawn = page.ask("withdraw", item=page.state["queue"][0]["id"])
    assert withdrawn["text"] == "Good evening"
    gate.open()
    page.until(lambda: len(widget.siblings(reply)) == 3 and page.state["status"]["phase"] == "ready")
    assert len(widget.conversation.children(None)) == 1


def test_select_undo_and_clear_move_the_page_at_once(page: Page, widget: ChatWidget) -> None:
    first = widget.send("Hello")
    second = widget.regenerate()
    assert page.ask("select", turn=first.id)["ok"]
    assert page.state["leaf"] == first.id
    assert page.ask("undo")["ok"]
    assert page.state["leaf"] == second.id
    assert page.ask("clear")["ok"]
    assert (page.turns(), page.state["meter"]["used"], page.state["can_undo"]) == ([], 0, True)
    for _ in range(3):
        assert page.ask("undo")["ok"]
    assert (page.state["leaf"], page.state["can_undo"]) == (None, False)


def test_undo_gives_a_message_back_and_nothing_else(page: Page, widget: ChatWidget) -> None:
    widget.send("Hello")
    widget.send("How are you?")
    widget.regenerate()
    widget.clear()
    assert [page.ask("undo")["text"] for _ in range(4)] == ["", "", "How are you?", "Hello"]


def test_forgotten_turns_are_taken_off_the_page(page: Page, widget: ChatWidget) -> None:
    first = widget.send("Hello")
    again = widget.regenerate()
    page.messages.clear()
    assert page.ask("forget", turn=again.id)["ok"]
    changed = {key: value for method, state in page.messages if method == "update" for key, value in state.items()}
    assert changed[f"turn_{again.id}"] is None
    assert (page.state["leaf"], page.state[f"turn_{first.id}"]["text"]) == (first.parent, first.text)
    page.ask("forget", turn=first.parent)
    assert page.turns() == widget.messages == []
    assert not [key for key in Page(widget).state if key.startswith(protocol.TURN_KEY)]


def test_what_waits_for_a_forgotten_turn_goes_with_it(page: Page, widget: ChatWidget, model: ChatModel) -> None:
    secret = widget.send("my secret")
    widget.clear()
    gate = Gate(model)
    page.ask("send", text="running")
    assert gate.reached.wait(GUARD)
    page.ask("regenerate", turn=secret.id)
    page.ask("edit", turn=secret.parent, text="my other secret")
    page.ask("send", text="stays")
    assert "being said there" in page.ask("forget", turn=page.state["leaf"])["error"]
    page.ask("forget", turn=secret.parent)
    assert [item["text"] for item in page.state["queue"]] == ["stays"]
    assert "secret" not in str(widget.get_state())
    gate.open()
    page.answered(4)
    assert page.state["error"] is None


def test_a_forgotten_message_is_not_said_again_by_a_retry(page: Page, widget: ChatWidget, model: ChatModel) -> None:
    def fail() -> None:
        raise RuntimeError("broken")

    end = before_each_step(model, fail)
    page.ask("send", text="my secret")
    page.until_phase("error")
    end()
    page.ask("forget", turn=page.state["leaf"])
    page.ask("retry")
    page.until(lambda: page.state["error"] is None)
    page.ask("send", text="Hello")
    page.answered(2)
    assert page.texts()[0] == "Hello"
    assert "secret" not in str(page.state)


def test_a_message_that_is_forgotten_as_its_reply_begins_leaves_no_error(page: Page, widget: ChatWidget) -> None:
    widget.on_turn(lambda turn: widget.forget(turn) if "secret" in turn.text else None)
    page.ask("send", text="my secret")
    page.ask("send", text="Hello")
    page.answered(2)
    assert (page.texts()[0], page.state["error"], page.state["queue"]) == ("Hello", None, [])
    with pytest.raises(RuntimeError, match="forgotten"):
        widget.send("another secret")
    assert "secret" not in str(page.state)


def test_a_message_whose_reply_cannot_even_begin_is_shown(
    page: Page, widget: ChatWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(widget._session.chat.planner, "reply", fail)
    page.ask("send", text="Hello")
    page.until_phase("error")
    assert page.texts() == ["Hello"]


def test_settings_change_those_that_are_named(page: Page, widget: ChatWidget) -> None:
    assert page.ask("settings", values={"temperature": 0.5, "seed": None})["ok"]
    assert widget.settings == QUICK.replace(temperature=0.5, seed=None)
    assert page.state["settings"] == widget.settings.to_dict()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"temperature": 99}, r"temperature is from 0\.01 to 10\.0, not 99"),
        ({"temprature": 1}, "Did you mean 'temperature'"),
        ({"self": 1}, "'self' is not a setting"),
        ({"top_k": "many"}, "top_k is a whole number, not 'many'"),
        ({"min_new_tokens": 50}, "lower the one or raise the other"),
        ({"seed": [[]]}, "seed is a whole number"),
    ],
)
def test_settings_that_cannot_be_are_refused_with_what_can(
    page: Page, widget: ChatWidget, values: dict[str, Any], words: str
) -> None:
    assert re.search(words, page.ask("settings", values=values)["error"])
    assert widget.settings == QUICK


def test_code_is_the_python_that_makes_a_reply_again(page: Page, widget: ChatWidget) -> None:
    reply = widget.send("Hello")
    assert page.ask("code", turn=reply.id)["text"] == widget.code(reply)
    assert "A person wrote this" in page.ask("code", turn=reply.parent)["error"]


def test_selected_follows_what_the_reader_pins(page: Page, widget: ChatWidget) -> None:
    told: list[Any] = []
    widget.observe(lambda change: told.append(change["new"]), "selected")
    reply = widget.send("Hello")
    page.ask("pin", turn=reply.id)
    page.ask("pin", turn=None)
    page.ask("pin", turn=reply.parent)
    asked = widget.path[0]
    assert told == [reply, None, asked]
    assert "no turn 99" in page.ask("pin", turn=99)["error"]
    assert widget.selected == asked
    page.ask("forget", turn=reply.parent)
    assert told == [reply, None, asked, None]


def test_a_reply_that_ended_by_itself_is_not_continued(page: Page, widget: ChatWidget) -> None:
    widget.settings = QUICK.replace(max_new_tokens=100, no_repeat_ngram_size=1, temperature=5.0)
    while (ended := widget.send("Hello")).stop != "eos":
        pass
    assert "ended by itself" in page.ask("continue", turn=ended.id)["error"]
    with pytest.raises(ValueError, match="ended by itself"):
        widget.continue_(ended)
    assert (page.state["status"]["phase"], page.state["error"], page.state["queue"]) == ("ready", None, [])


@pytest.mark.parametrize("op", [op for op, arguments in protocol.OPS.items() if "turn" in arguments])
def test_a_turn_that_is_not_there_is_named(page: Page, widget: ChatWidget, op: str) -> None:
    widget.send("Hello")
    before = page.state["leaf"]
    assert (
        page.ask(op, turn=99, text="x", index=0, token=0, values={}, first=1, count=1, turns=[], sides=[])["error"]
        == "There is no turn 99 in this conversation."
    )
    assert page.state["leaf"] == before
    assert page.state["error"] is None


@pytest.mark.parametrize(
    ("op", "arguments"),
    [
        ("edit", {"turn": 1, "text": "By hand"}),
        ("code", {"turn": 1}),
        ("export", {"format": "csv", "branches": False}),
        ("import", {"name": "x.json", "file": b'[{"role": "user", "content": "Hi"}]'}),
    ],
)
def test_what_needs_the_model_says_so_and_does_not_hold_up_the_kernel(op: str, arguments: dict[str, Any]) -> None:
    talk = Chat(chat_model(), settings=QUICK)
    talk.send("Hello")
    widget = ChatWidget("mini", conversation=talk.conversation)
    page = Page(widget)
    assert "needs the model, which is not loaded yet" in page.ask(op, **arguments)["error"]
    assert widget._session.chat.model is None
    assert page.texts() == [turn.text for turn in talk.path]
    widget.close()


def test_requests_after_the_end_are_refused(page: Page, widget: ChatWidget) -> None:
    reply = widget.send("Hello")
    comm = widget.comm
    widget.close()
    widget.comm = comm
    for op in ("send", "regenerate"):
        assert "This widget is closed" in page.ask(op, text="x", turn=reply.id)["error"]
    widget.comm = None
