"""Another precision is chosen like another model; what it costs is said."""

from __future__ import annotations

import pytest
from page import Page

from dialogpt_widget import ChatWidget, Settings
from dialogpt_widget.engine.loading.precision import Exactness
from dialogpt_widget.engine.model import ChatModel
from dialogpt_widget.engine.models import linear as linears
from dialogpt_widget.widget import serialize

QUICK = Settings(seed=1, max_new_tokens=6, max_context=128)


def page_of(widget: ChatWidget) -> Page:
    page = Page(widget)
    page.ask("mount", version=1)
    page.until_phase("ready")
    return page


def test_a_chat_goes_on_in_another_precision_and_says_what_that_costs() -> None:
    widget = ChatWidget("mini", device="cpu", settings=QUICK)
    assert Page(widget).state["precisions"] == [], "where it will run is not known yet"
    page = page_of(widget)
    assert [one["name"] for one in page.state["precisions"]] == ["float32", "bfloat16", "int8"]
    assert len(page.state["info"]["notes"]) == 1
    page.ask("send", text="Hello")
    page.until(lambda: len(page.turns()) == 2)
    page.ask("use_precision", precision="int8")
    page.until(lambda: page.state["info"]["precision"] == "int8")
    assert "In int8 its distributions are 0.0" in page.state["info"]["notes"][0]
    assert "nat from float32" in page.state["info"]["notes"][0]
    page.ask("send", text="And now?")
    page.until(lambda: len(page.turns()) == 4)
    assert [turn.precision for turn in widget.path] == ["float32", "float32", "int8", "int8"]
    widget.close()


def test_what_is_no_precision_is_refused_and_nothing_changes(model: ChatModel) -> None:
    page = page_of(ChatWidget(model, settings=QUICK))
    answer = page.ask("use_precision", precision="int3")
    assert "precision is" in answer["error"]
    page.ask("send", text="Hello")
    page.until(lambda: len(page.turns()) == 2)


def test_from_a_precision_that_fails_a_way_leads_back_to_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    widget = ChatWidget("mini", device="cpu", settings=QUICK)
    page = page_of(widget)
    page.ask("send", text="Hello")
    page.until(lambda: len(page.turns()) == 2)
    monkeypatch.setattr(linears, "_has", lambda *_: False)
    page.ask("use_precision", precision="int8")
    page.until_phase("error")
    problem = page.state["error"]
    assert "cannot multiply in int8" in problem["title"]
    _, back = problem["actions"]
    assert back == {"label": "Go back to float32", "op": "use_precision", "arguments": {"precision": "auto"}}
    monkeypatch.undo()
    page.ask(back["op"], **back["arguments"])
    page.until_phase("ready")
    assert (page.state["info"]["precision"], page.state["error"]) == ("float32", None)
    page.ask("send", text="And now?")
    page.until(lambda: len(page.turns()) == 4)
    widget.close()


def test_what_comes_to_light_while_it_runs_is_said_after_the_reply(
    model: ChatModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = page_of(ChatWidget(model, settings=QUICK))
    monkeypatch.setattr(model._network, "remark", "Steps are slow here.", raising=False)
    page.ask("send", text="Hello")
    page.until(lambda: len(page.turns()) == 2)
    assert page.state["info"]["notes"][0] == "Steps are slow here."


@pytest.mark.parametrize(("kl", "notes"), [(0.01, 1), (0.2, 2)])
def test_much_is_said_to_be_much(model: ChatModel, kl: float, notes: int) -> None:
    model.exactness = Exactness(kl, 0.9, 180)
    assert len(serialize.info("mini", model)["notes"]) == 1 + notes
