"""A widget and its page, without a browser."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from builders import before_each_step
from page import GUARD, Gate, Page

from dialogpt_widget import ChatWidget, Settings
from dialogpt_widget.engine.model import ChatModel

QUICK = Settings(seed=1, max_new_tokens=8)
LONG = Settings(seed=1, max_new_tokens=40, min_new_tokens=40)


@pytest.fixture
def widget(model: ChatModel) -> Iterator[ChatWidget]:
    widget = ChatWidget(model, settings=QUICK)
    yield widget
    widget.close()


@pytest.fixture
def page(widget: ChatWidget) -> Page:
    return Page(widget)


def test_mounting_makes_the_model_ready(page: Page) -> None:
    assert page.ask("mount", version=1)["ok"]
    page.until_phase("ready")
    assert page.state["info"]["parameters"] > 0
    assert page.state["meter"] == {"used": 0, "window": 256, "first": None, "cut": 0, "reused": None}


def test_a_page_of_another_version_is_told_to_reload(page: Page) -> None:
    assert "reload" in page.ask("mount", version=2)["error"]


def test_a_message_from_the_page_is_answered_in_its_state(page: Page, widget: ChatWidget) -> None:
    assert page.ask("send", text="Hello")["item"]
    page.until(lambda: len(page.turns()) == 2 and page.state["status"]["phase"] == "ready")
    assert page.texts() == [message["content"] for message in widget.messages]
    assert page.turns()[1]["stop"] in ("eos", "length")
    assert page.state["status"]["speed"] > 0
    assert page.state["meter"]["used"] > 0
    assert page.state["queue"] == []


def test_the_page_is_told_what_the_cache_saved_the_newest_reply(page: Page, widget: ChatWidget) -> None:
    first = widget.send("Hello")
    assert page.state["meter"]["reused"] == 0
    before = len(widget.conversation[first.parent].ids) + 1 + len(first.ids)
    second = widget.send("And then?")
    assert before - 1 <= page.state["meter"]["reused"] <= before  # the cache never has what was said last
    third = widget.regenerate(second)
    assert page.state["meter"]["reused"] > before
    widget.select(second)
    page.until(lambda: page.state["leaf"] == second.id)
    assert page.state["meter"]["reused"] is None
    assert third.id in widget.conversation


def test_frames_and_the_settled_turn_agree(page: Page, widget: ChatWidget) -> None:
    widget.settings = LONG
    turn = widget.send("Hello")
    frames = page.frames()
    assert [frame["seq"] for frame in frames] == list(range(1, len(frames) + 1))
    assert {frame["turn"] for frame in frames} <= {turn.id}
    assert turn.text.startswith("".join(frame["text"] for frame in frames))
    assert page.texts()[-1] == turn.text


def test_a_settled_turn_costs_its_own_key_and_no_other(page: Page, widget: ChatWidget) -> None:
    widget.send("one")
    page.messages.clear()
    turn = widget.send("two")
    sent = [key for method, state in page.messages if method == "update" for key in state if key.startswith("turn_")]
    assert sorted(sent) == sorted([f"turn_{turn.parent}", f"turn_{turn.id}"])


def test_state_has_one_key_a_turn_and_a_late_page_gets_all(page: Page, widget: ChatWidget) -> None:
    widget.send("one")
    widget.regenerate()
    late = Page(widget)
    assert {key for key in late.state if key.startswith("turn_")} == {
        f"turn_{turn.id}" for turn in widget.conversation.turns
    }
    assert late.texts() == page.texts()


def test_sync_gives_the_running_reply_as_far_as_frames_brought_it(
    page: Page, widget: ChatWidget, model: ChatModel
) -> None:
    assert {key: page.ask("sync")[key] for key in ("turn", "text")} == {"turn": None, "text": ""}
    widget.settings = LONG
    gate = Gate(model)
    page.ask("send", text="Hello")
    assert gate.reached.wait(GUARD)
    running = page.ask("sync")
    assert running["turn"] == page.state["status"]["turn"]
    assert running["text"] == ""
    gate.open()
    page.until_phase("ready")
    after = page.ask("sync")
    assert (after["turn"], after["seq"]) == (None, len(page.frames()))


def test_messages_queue_in_order_and_can_be_withdrawn(page: Page, widget: ChatWidget, model: ChatModel) -> None:
    gate = Gate(model)
    page.ask("send", text="one")
    assert gate.reached.wait(GUARD)
    second, third = page.ask("send", text="two")["item"], page.ask("send", text="three")["item"]
    page.until(lambda: [item["text"] for item in page.state["queue"]] == ["two", "three"])
    assert page.ask("withdraw", item=second)["text"] == "two"
    assert [item["id"] for item in page.state["queue"]] == [third]
    assert "answered already" in page.ask("withdraw", item=second)["error"]
    gate.open()
    page.until(lambda: len(page.turns()) == 4 and page.state["status"]["phase"] == "ready")
    assert page.texts()[::2] == ["one", "three"]


def test_a_cell_whose_message_is_withdrawn_goes_on(page: Page, widget: ChatWidget, model: ChatModel) -> None:
    gate = Gate(model)
    page.ask("send", text="one")
    assert gate.reached.wait(GUARD)
    outcome: list[BaseException] = []

    def cell() -> None:
        try:
            widget.send("two")
        except RuntimeError as error:
            outcome.append(error)

    thread = threading.Thread(target=cell)
    thread.start()
    page.until(lambda: page.state["queue"])
    page.ask("withdraw", item=page.state["queue"][0]["id"])
    thread.join(GUARD)
    assert not thread.is_alive()
    assert "withdrawn" in str(outcome[0])
    gate.open()


def test_stop_ends_the_running_reply(page: Page, widget: ChatWidget, model: ChatModel) -> None:
    widget.settings = LONG
    gate = Gate(model)
    page.ask("send", text="Hello")
    assert gate.reached.wait(GUARD)
    page.ask("stop")
    gate.open()
    page.until(lambda: len(page.turns()) == 2 and page.state["status"]["phase"] == "ready")
    assert page.turns()[1]["stop"] == "user"
    assert page.turns()[1]["tokens"] == 1


def test_ctrl_c_stops_the_reply_and_keeps_it(
    page: Page, widget: ChatWidget, model: ChatModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    widget.settings = LONG
    gate = Gate(model)

    def interrupt() -> None:
        assert gate.reached.wait(GUARD)
        threading.Timer(0.01, gate.open).start()
        raise KeyboardInterrupt

    monkeypatch.setattr(widget._session.frames, "post_due", interrupt)
    with pytest.raises(KeyboardInterrupt):
        widget.send("Hello")
    assert page.turns()[1]["stop"] in ("user", "length")
    assert page.state["status"]["phase"] == "ready"


def test_cancelling_asend_stops_the_reply_and_leaves_no_error(page: Page, widget: ChatWidget, model: ChatModel) -> None:
    widget.settings = LONG
    gate = Gate(model)

    async def talk() -> None:
        work = asyncio.create_task(widget.asend("Hello"))
        await asyncio.to_thread(gate.reached.wait, GUARD)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    asyncio.run(talk())
    gate.open()
    page.until(lambda: len(page.turns()) == 2 and page.state["status"]["phase"] == "ready")
    assert page.turns()[1]["stop"] == "user"
    assert page.state["error"] is None
    assert widget.send("Again").stop == "length"


def test_a_reply_that_fails_is_shown_and_can_be_retried(page: Page, widget: ChatWidget, model: ChatModel) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("broken")

    end = before_each_step(model, fail)
    page.ask("send", text="Hello")
    page.until_phase("error")
    error = page.state["error"]
    assert "broken" in error["message"]
    assert [action["op"] for action in error["actions"]] == ["retry"]
    assert page.texts() == ["Hello"]
    end()
    page.ask("retry")
    page.until(lambda: len(page.turns()) == 2 and page.state["status"]["phase"] == "ready")
    assert page.state["error"] is None
    assert page.texts()[0] == "Hello"


def test_a_callback_may_not_wait_for_another_reply(page: Page, widget: ChatWidget) -> None:
    errors: list[str] = []

    def listen(_: Any) -> None:
        try:
            widget.send("from a callback")
        except RuntimeError as error:
            errors.append(str(error))

    end = widget.on_token(listen)
    widget.send("Hello")
    end()
    assert "callback" in errors[0]
    assert len(widget.messages) == 2


@pytest.mark.parametrize("text", ["", " ", "x" * 70_000])
def test_a_message_that_cannot_be_said_is_refused_with_the_reason(page: Page, text: str) -> None:
    assert page.ask("send", text=text)["error"]
    assert page.state["queue"] == []


def test_clear_undo_and_select_move_the_page(page: Page, widget: ChatWidget) -> None:
    first = widget.send("one")
    widget.clear()
    assert page.turns() == []
    widget.undo()
    assert page.turns()[-1]["id"] == first.id
    second = widget.regenerate()
    widget.select(first)
    assert page.turns()[-1]["id"] == first.id != second.id
    widget.settings = widget.settings.replace(temperature=0.5)
    assert page.state["settings"]["temperature"] == 0.5


def test_a_reader_who_went_to_another_version_finds_back_to_the_running_reply(
    page: Page, widget: ChatWidget, model: ChatModel
) -> None:
    first = widget.send("one")
    gate = Gate(model)
    page.ask("regenerate", turn=first.id)
    assert gate.reached.wait(GUARD)
    running = page.state["status"]
    assert page.state["leaf"] == running["parent"] == first.parent
    page.ask("select", turn=first.id)
    assert page.state["leaf"] == first.id
    page.ask("select", turn=running["turn"])
    assert page.state["leaf"] == running["parent"]
    gate.open()
    page.until_phase("ready")
    assert page.state["leaf"] == running["turn"]


def test_all_turns_are_found_below_the_next_id(page: Page, widget: ChatWidget) -> None:
    widget.send("one")
    widget.regenerate()
    page.ask("edit", turn=widget.path[-1].id, text="written")
    assert {turn.id for turn in widget.turns} <= set(range(page.state["next_id"]))


def test_lone_surrogates_of_a_page_become_visible(page: Page, widget: ChatWidget) -> None:
    page.ask("send", text="hi \ud800")
    page.until(lambda: len(page.turns()) == 2 and page.state["status"]["phase"] == "ready")
    assert page.texts()[0] == "hi \ufffd"


@pytest.mark.parametrize(
    "content", [None, 3, [], {"op": "sync"}, {"op": "x", "id": "\ud800"}, {"op": "sync", "id": "\ud800"}]
)
def test_whatever_comes_over_the_wire_is_answered(page: Page, widget: ChatWidget, content: Any) -> None:
    widget._handle_custom_msg(content, [])
    assert len(page.custom()) == 1


def test_what_is_said_from_code_is_shown_and_waits_to_be_answered(page: Page, widget: ChatWidget) -> None:
    said = widget.say("Hello")
    assert [turn["text"] for turn in page.turns()] == ["Hello"]
    assert widget.path == (said,)
    assert widget.regenerate().parent == said.id
    assert len(page.turns()) == 2
    with pytest.raises(ValueError, match="empty"):
        widget.say(" ")


def test_who_only_reads_does_not_wait_for_what_the_page_is_told(widget: ChatWidget) -> None:
    reply = widget.send("Hello")
    with ThreadPoolExecutor(1) as reader, widget._session.state.lock:
        read = reader.submit(lambda: (widget.siblings(reply), widget.path, widget.explain(reply, 0).token.id))
        assert read.result(GUARD) == ((reply,), widget.path, reply.ids[0])
