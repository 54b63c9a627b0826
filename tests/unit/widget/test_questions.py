"""What a page asks about tokens is what the chat says."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from builders import chat_model
from page import Page

from dialogpt_widget import ChatWidget, Settings
from dialogpt_widget.widget.streaming import wire_type

QUICK = Settings(seed=5, max_new_tokens=12, temperature=1.3)


@pytest.fixture
def widget() -> ChatWidget:
    widget = ChatWidget(chat_model(3, eagerness=0.0), settings=QUICK)
    widget.send("Hello")
    widget.send("How are you?")
    return widget


@pytest.fixture
def page(widget: ChatWidget) -> Page:
    return Page(widget)


def test_explain_names_every_token_it_mentions_and_is_json(page: Page, widget: ChatWidget) -> None:
    reply = widget.path[-1]
    for values in ({}, {"temperature": 0.5, "top_k": 3, "top_p": 1.0}):
        answer = page.ask("explain", turn=reply.id, index=2, values=values)
        json.dumps(answer, allow_nan=False)
        choice = widget.explain(reply, 2, **values)
        assert answer["chosen"] == choice.token.id
        assert [stage["name"] for stage in answer["stages"]] == [stage.name for stage in choice.stages]
        assert answer["span"] == list(choice.span)
        mentioned = {str(token) for stage in answer["stages"] for token in stage["ids"]}
        assert mentioned <= set(answer["pieces"])
    assert "temperature is from" in page.ask("explain", turn=reply.id, index=2, values={"temperature": 0})["error"]
    assert "tokens 0 to" in page.ask("explain", turn=reply.id, index=99, values={})["error"]
    greedy = page.ask("explain", turn=reply.id, index=2, values={"do_sample": False})
    assert greedy["draw"] is None
    assert greedy["lead"] > 0


def test_fork_is_queued_and_becomes_a_version(page: Page, widget: ChatWidget) -> None:
    reply = widget.path[-1]
    assert page.ask("fork", turn=reply.id, index=1, token=42)["item"]
    page.until(lambda: len(widget.siblings(reply)) == 2 and page.state["status"]["phase"] == "ready")
    assert widget.path[-1].ids[:2] == (reply.ids[0], 42)
    before = len(widget.turns)
    for index, token in ((99, 42), (1, -1)):
        assert page.ask("fork", turn=reply.id, index=index, token=token)["error"]
    assert len(widget.turns) == before


def test_pieces_ranks_and_chances(page: Page, widget: ChatWidget) -> None:
    reply, model = widget.path[-1], widget._session.chat.load_model()
    assert set(page.ask("pieces", ids=[1, 2, 201])["pieces"]) == {"1", "2", "201"}
    for ids in ([-1], [10**6], ["x"], [True], list(range(300)) * 20):
        assert "pieces needs ids" in page.ask("pieces", ids=ids)["error"]
    places = page.ask("ranked", turn=reply.id, index=1, first=3, count=4)["places"]
    assert [place["rank"] for place in places] == [3, 4, 5, 6]
    found = page.ask("chances", turn=reply.id, index=1, text="so")["places"]
    assert [place["token"] for place in found] == model.encode("so")
    assert "Type at least" in page.ask("chances", turn=reply.id, index=1, text="")["error"]


def test_inside_without_score_and_replay(page: Page, widget: ChatWidget) -> None:
    reply = widget.path[-1]
    inside = page.ask("inside", turn=reply.id, index=1)
    (attention,) = page.files[inside["id"]]
    grid = np.frombuffer(attention, "<f2").reshape(len(inside["layers"]) - 1, inside["heads"], len(inside["seen"]))
    np.testing.assert_allclose(grid.sum(-1), 1, atol=0.01)
    less = page.ask("without", turn=reply.id, turns=[widget.path[0].id])
    assert less["logprob"] == widget.without(reply, [widget.path[0]]).logprob
    assert page.ask("without", turn=reply.id, turns=["x"])["error"]
    scored = page.ask("score", turn=reply.id, text="Fine.")
    (data,) = page.files[scored["id"]]
    rows = np.frombuffer(data, wire_type(wide=scored["tokens"]["wide"], full=True))
    assert rows["logprob"].tolist() == widget.score("Fine.")["logprob"].tolist()
    assert page.ask("replay", turn=reply.id)["same"] is True


def test_tokens_for_hosts_that_lose_messages(page: Page, widget: ChatWidget) -> None:
    reply = widget.path[-1]
    answer = page.ask("tokens", turn=reply.id)
    assert page.files[answer["id"]] == [page.state[f"tokens_{reply.id}"]["data"]]
    polled = page.ask("poll", rev=0)
    assert not [name for name in polled["state"] if name.startswith("tokens_")]
    json.dumps(polled)


def test_a_pinned_token_is_what_python_has_selected_and_shares(page: Page, widget: ChatWidget) -> None:
    reply = widget.path[-1]
    page.ask("pin", turn=reply.id, index=2)
    assert (widget.selected.turn, widget.selected.index, widget.selected.id) == (reply, 2, reply.ids[2])
    line = page.ask("share")["text"]
    opened = ChatWidget.open(line, chat_model(3, eagerness=0.0))
    assert opened.get_state()["pinned"] == [reply.id, 2]
    assert opened.messages == widget.messages
    assert page.ask("pin", turn=reply.id, index=99)["error"]
    widget.forget(reply)
    assert widget.selected is None


def test_a_shared_chat_is_computed_when_its_model_is_there(widget: ChatWidget, hub: dict[str, Any]) -> None:
    hub["tiny-3"] = chat_model(3, eagerness=0.0)
    opened = ChatWidget.open(widget.share())
    page = Page(opened)
    page.ask("mount", version=1)
    page.until(lambda: page.state["status"]["phase"] == "ready")
    reply = opened.path[-1]
    page.until(lambda: page.state[f"tokens_{reply.id}"] is not None)
    assert page.state[f"tokens_{reply.id}"]["differs"] is None
    assert reply.id in {turn.id for turn in opened.turns}
    assert opened.replay(reply).ok
    assert np.isfinite(opened.tokens["logprob"][-3:]).any()
