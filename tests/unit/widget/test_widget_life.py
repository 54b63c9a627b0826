"""A widget's life: what it imports, what it shares, how it recovers, what it leaves behind."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref
from typing import Any

import pytest
import traitlets
from builders import chat_model
from page import GUARD, Gate, Page

from dialogpt_widget import ChatWidget, ModelError, Settings

QUICK = Settings(seed=1, max_new_tokens=6)


def offline() -> ModelError:
    return ModelError("offline", "It could not be downloaded.", "Check the network.", ("mini",))


SCRIPT = """
import sys, time
from dialogpt_widget import ChatWidget, Chat, Settings
widget = ChatWidget("mini")
widget.get_state()
widget.settings = Settings(seed=1)
time.sleep(2)
print(sorted({"torch", "transformers", "tokenizers", "huggingface_hub"} & set(sys.modules)))
"""


def test_neither_importing_nor_constructing_imports_torch_not_even_later() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=GUARD, check=True)
    assert done.stdout.strip() == "[]"


def test_loading_that_fails_offers_ways_out_and_another_model_answers_the_message(hub: dict[str, Any]) -> None:
    hub |= {"far/away": offline(), "mini": chat_model()}
    widget = ChatWidget("far/away", settings=QUICK)
    page = Page(widget)
    page.ask("send", text="Hello")
    page.until_phase("error")
    assert page.state["error"]["kind"] == "offline"
    assert [(action["op"], action["arguments"]) for action in page.state["error"]["actions"]] == [
        ("retry", {}),
        ("use_model", {"model": "mini"}),
    ]
    assert [item["text"] for item in page.state["queue"]] == ["Hello"]
    page.ask("use_model", model="mini")
    page.until(lambda: len(page.turns()) == 2 and page.state["status"]["phase"] == "ready")
    assert page.state["error"] is None
    assert page.state["info"]["name"] == "mini"


@pytest.mark.parametrize(("before", "embedded"), [("near/by", [{"model": "mini"}]), ("mini", [])])
def test_from_a_model_that_fails_a_way_leads_back_to_the_one_before(
    hub: dict[str, Any], before: str, embedded: list[dict[str, str]]
) -> None:
    hub |= {"far/away": offline(), before: chat_model()}
    page = Page(ChatWidget(before, settings=QUICK))
    page.ask("mount", version=1)
    page.until_phase("ready")
    page.ask("use_model", model="far/away")
    page.until_phase("error")
    again, back, *others = page.state["error"]["actions"]
    assert again["op"] == "retry"
    assert back == {"label": f"Go back to {before}", "op": "use_model", "arguments": {"model": before}}
    assert [action["arguments"] for action in others] == embedded, "what leads back is not offered twice"
    page.ask(back["op"], **back["arguments"])
    page.until_phase("ready")
    assert (page.state["info"]["name"], page.state["error"]) == (before, None)


def test_loading_can_be_retried(hub: dict[str, Any]) -> None:
    hub["tried/twice"] = offline()
    page = Page(ChatWidget("tried/twice", settings=QUICK))
    page.ask("mount", version=1)
    page.until_phase("error")
    hub["tried/twice"] = chat_model()
    page.ask("retry")
    page.until_phase("ready")
    assert hub["loads"] == ["tried/twice"] * 2


def test_code_that_waits_gets_the_loading_error(hub: dict[str, Any]) -> None:
    hub["waited/for"] = offline()
    widget = ChatWidget("waited/for", settings=QUICK)
    with pytest.raises(ModelError) as caught:
        widget.send("Hello")
    assert caught.value.kind == "offline"
    hub["waited/for"] = chat_model()
    assert widget.send("Hello").ids
    assert widget.messages[0]["content"] == "Hello"
    assert len(widget.messages) == 2


def test_another_model_can_be_chosen_as_soon_as_an_error_was_raised(hub: dict[str, Any]) -> None:
    hub |= {"far/away": offline(), "mini": chat_model()}
    widget = ChatWidget("mini", settings=QUICK)
    for _ in range(8):
        widget.use("far/away")
        with pytest.raises(ModelError):
            widget.send("Hello")
        widget.use("mini")
        assert widget.send("Hello").ids
    widget.use("far/away")
    widget.use("mini")  # what was chosen first has no say any more
    assert widget.send("Hello").ids
    assert widget.error is None


def test_a_widget_that_its_constructor_refuses_leaves_nothing_behind(hub: dict[str, Any]) -> None:
    heard: list[Any] = []
    hook, sys.unraisablehook = sys.unraisablehook, heard.append
    try:
        for wrong in ({"height": "x"}, {"height": 3}, {"device": "toaster"}):
            with pytest.raises((traitlets.TraitError, ValueError)):
                ChatWidget("mini", **wrong)  # type: ignore[arg-type]
            gc.collect()
    finally:
        sys.unraisablehook = hook
    assert heard == []


def test_two_widgets_share_one_model_and_answer_in_turn(hub: dict[str, Any]) -> None:
    hub["some/model"] = chat_model()
    first, second = (Page(ChatWidget("some/model", settings=QUICK)) for _ in range(2))
    gate = Gate(hub["some/model"])
    first.ask("send", text="one")
    assert gate.reached.wait(GUARD)
    second.ask("send", text="two")
    second.until_phase("waiting")
    assert second.state["status"]["ahead"] == 1
    assert len([thread for thread in threading.enumerate() if thread.name.startswith("dialogpt")]) == 1
    gate.open()
    for page in (first, second):
        page.until(lambda page=page: len(page.turns()) == 2 and page.state["status"]["phase"] == "ready")
    assert hub["loads"] == ["some/model"]
    assert first.texts()[0] == "one"
    assert second.texts()[0] == "two"


def test_widgets_given_the_same_model_share_its_worker() -> None:
    model = chat_model()
    first, second = ChatWidget(model), ChatWidget(model)
    assert first._session._runner.model_queue is second._session._runner.model_queue
    assert first._session._runner.model_queue is not ChatWidget(chat_model(1))._session._runner.model_queue
    ChatWidget.close_all()


def test_a_closed_widget_lets_go_of_its_model_and_leaves_no_thread(hub: dict[str, Any]) -> None:
    hub["let/go"] = chat_model()
    model = weakref.ref(hub["let/go"])
    widget = ChatWidget("let/go", settings=QUICK)
    reply = widget.send("Hello")
    Page(widget).ask("pin", turn=reply.id, index=0)
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("dialogpt")]
    widget.close()
    del hub["let/go"]
    for thread in threads:
        thread.join(GUARD)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("dialogpt")]
    gc.collect()
    assert model() is None
    assert widget.selected == reply
    with pytest.raises(RuntimeError, match="closed"):
        widget.send("Hello")
    assert len(widget.messages) == 2


def test_closing_stops_the_running_reply_and_frees_who_waits() -> None:
    model = chat_model()
    widget = ChatWidget(model, settings=Settings(seed=1, max_new_tokens=60, min_new_tokens=60))
    page = Page(widget)
    gate = Gate(model)
    page.ask("send", text="one")
    assert gate.reached.wait(GUARD)
    outcome: list[str] = []

    def cell() -> None:
        try:
            widget.send("two")
        except RuntimeError as error:
            outcome.append(str(error))

    waiting = threading.Thread(target=cell)
    waiting.start()
    page.until(lambda: page.state["queue"])
    running = [thread for thread in threading.enumerate() if thread.name.startswith("dialogpt")]
    widget.close()
    waiting.join(GUARD)
    assert "closed" in outcome[0]
    gate.open()
    for thread in running:
        thread.join(GUARD)
    assert widget.conversation.path[-1].stop == "user"


def test_a_widget_that_is_closed_and_forgotten_is_collected() -> None:
    widget = ChatWidget(chat_model(), settings=QUICK)
    widget.send("Hello")
    gone = weakref.ref(widget)
    for thread in [thread for thread in threading.enumerate() if thread.name.startswith("dialogpt")]:
        thread.join(GUARD)
    widget.close()
    del widget
    gc.collect()
    assert gone() is None
