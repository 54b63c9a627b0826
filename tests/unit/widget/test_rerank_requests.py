"""Several replies side by side, as the page sees them and decides between them."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from page import Gate, Page

from dialogpt_widget import ChatWidget, Settings
from dialogpt_widget.chat.reranking import RERANKERS
from dialogpt_widget.engine.model import ChatModel
from dialogpt_widget.widget import protocol

SEVERAL = Settings(candidates=4, seed=1, max_new_tokens=8)


@pytest.fixture
def widget(model: ChatModel) -> Iterator[ChatWidget]:
    widget = ChatWidget(model, settings=SEVERAL)
    yield widget
    widget.close()


@pytest.fixture
def page(widget: ChatWidget) -> Page:
    return Page(widget)


def lists(page: Page) -> list[dict[str, Any]]:
    return [value for key, value in page.state.items() if key.startswith(protocol.NBEST_KEY) and value]


def test_candidates_grow_in_frames_and_settle_in_one_update(page: Page, widget: ChatWidget, model: ChatModel) -> None:
    gate = Gate(model)
    page.ask("send", text="Hello")
    page.until(lambda: page.state["status"]["drafts"] == 4)
    running = page.state["status"]
    assert running["parent"] == page.turns()[0]["id"]
    gate.open()
    page.answered(2)
    (made,) = lists(page)
    assert made["id"] == running["turn"]
    seen = ["", "", "", ""]
    for frame in page.frames():
        assert frame["turn"] == made["id"]
        for place, piece in frame["more"]:
            seen[place] += piece
    assert all(one["text"].startswith(text) for one, text in zip(made["candidates"], seen, strict=True))
    update = next(
        content for method, content in page.messages if method == "update" and f"nbest_{made['id']}" in content
    )
    chosen = page.turns()[1]
    assert update[f"turn_{chosen['id']}"] == chosen
    assert (update["leaf"], update["status"]["phase"], update["status"]["drafts"]) == (chosen["id"], "ready", 0)
    assert chosen["made"]["nbest"] == made["id"]
    assert page.turns()[0]["made"] is None
    json.dumps(made, allow_nan=False)


def test_a_list_says_what_its_record_says(page: Page, widget: ChatWidget) -> None:
    turn = widget.send("Hello")
    (state,), made = lists(page), widget.candidates()
    assert made.ranking is not None
    assert state["scorers"] == ["mean log-probability"]
    assert (state["kind"], state["cross"], state["note"], state["spared"]) == ("sampled", None, "", False)
    for one, reply, score, rank in zip(
        state["candidates"], made.turns, made.ranking.total, made.ranking.rank, strict=True
    ):
        assert (one["turn"], one["text"], one["tokens"], one["stop"]) == (
            reply.id,
            reply.text,
            len(reply.ids),
            reply.stop,
        )
        assert reply.rows is not None
        assert one["logprob"] == pytest.approx(float(reply.rows["logprob"].sum()), abs=1e-3)
        assert one["mean"] == pytest.approx(one["logprob"] / len(reply.rows), abs=1e-3)
        assert one["scores"] == [one["total"]] == [pytest.approx(float(score), abs=1e-3)]
        assert (one["rank"], one["dropped"], one["label"], one["beam"]) == (rank, None, "", None)
        assert one["rank"] == 1 or reply is not turn


def test_a_page_that_missed_the_frames_gets_what_has_grown(page: Page, widget: ChatWidget, model: ChatModel) -> None:
    asked: list[dict[str, Any]] = []

    def look(frame: object) -> None:
        if not asked and page.frames():
            asked.append(page.ask("sync"))

    side = model._network.branches

    def branches(count: int) -> Any:
        made = side(count)
        advance = made.advance

        def step(rows: Any, ids: Any) -> Any:
            widget._session.frames.flush()
            look(None)
            return advance(rows, ids)

        made.advance = step  # type: ignore[method-assign]
        return made

    model._network.branches = branches  # type: ignore[method-assign,assignment]
    widget.send("Hello")
    (answer,) = asked
    (made,) = lists(page)
    assert answer["turn"] == made["id"]
    assert len(answer["drafts"]) == 4
    assert any(answer["drafts"])
    assert page.ask("sync")["drafts"] == []


def test_picking_from_the_page(page: Page, widget: ChatWidget) -> None:
    widget.send("Hello")
    (made,) = lists(page)
    place = next(place for place, one in enumerate(made["candidates"]) if one["turn"] != page.state["leaf"])
    assert page.ask("pick", nbest=made["id"], place=place)["ok"]
    assert page.state["leaf"] == made["candidates"][place]["turn"]
    assert page.turns()[1]["text"] == made["candidates"][place]["text"]
    assert page.state["can_undo"]
    assert page.ask("pick", nbest=99, place=0)["error"] == "There is no list of replies 99 in this conversation."
    assert "replies 0 to 3" in page.ask("pick", nbest=made["id"], place=4)["error"]


def test_tokens_of_a_candidate_that_was_not_picked(page: Page, widget: ChatWidget) -> None:
    widget.send("Hello")
    (made,) = lists(page)
    for one in made["candidates"]:
        answer = page.ask("tokens", turn=one["turn"])
        assert answer["tokens"]["full"]
        assert len(page.files[answer["id"]]) == 1


def test_what_chooses_is_changed_from_the_page_and_ranks_again(page: Page, widget: ChatWidget) -> None:
    widget.send("Hello")
    before = page.state["leaf"]
    assert [choice["name"] for choice in page.state["rerankers"]] == list(RERANKERS)
    values = {"name": "likelihood", "temperature": 0.5, "words": ["zebra"], "echo": False}
    assert page.ask("rerank", values=values)["ok"]
    assert page.state["rerank"] == values | {"urls": True, "repeats": True, "empty": True}
    (made,) = lists(page)
    assert page.ask("rank", nbest=made["id"])["ok"]
    (made,) = lists(page)
    assert (made["scorers"], made["weights"], made["temperature"]) == (["log-probability"], [1.0], 0.5)
    assert page.state["leaf"] == before


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"name": "best"}, "rerank is one of mean"),
        ({"nam": "mean"}, "rerank has no nam"),
        ({"temperature": -1}, "temperature is from 0"),
        ({"temperature": "x"}, "temperature is from 0"),
        ({"words": "darn"}, "list of words"),
        ({"words": [1]}, "list of texts"),
        ({"words": ["..."]}, "is no word"),
        ({"echo": 1}, "true or false"),
    ],
)
def test_what_cannot_choose_is_refused(page: Page, widget: ChatWidget, values: dict[str, Any], words: str) -> None:
    before = page.state["rerank"]
    assert words in page.ask("rerank", values=values)["error"]
    assert widget.get_state("rerank")["rerank"] == before


def test_what_code_has_set_is_named_and_stays_when_a_rule_is_changed(page: Page, widget: ChatWidget) -> None:
    def shortest(turns: list[str], reply: str) -> float:
        return -len(reply)

    widget.rerank = shortest
    assert page.state["rerank"]["name"] == "own"
    assert page.state["rerankers"][-1]["title"] == "shortest"
    page.ask("rerank", values={"urls": False})
    assert widget.rerank is shortest
    page.ask("rerank", values={"name": "mean"})
    assert widget.rerank == "mean"
    assert [choice["name"] for choice in page.state["rerankers"]] == list(RERANKERS)


def test_comparing_from_the_page(page: Page, widget: ChatWidget) -> None:
    widget.send("Hello")
    question = page.turns()[0]["id"]
    sides = [
        {"label": "As now", "values": {}, "model": None},
        {"label": "Greedy", "values": {"do_sample": False}, "model": None},
    ]
    before = len(lists(page))
    assert page.ask("compare", turn=question, sides=sides)["item"]
    page.until(lambda: len(lists(page)) > before and page.state["status"]["phase"] == "ready")
    made = lists(page)[-1]
    assert (made["kind"], made["parent"]) == ("compared", question)
    assert [one["label"] for one in made["candidates"]] == ["As now", "Greedy"]
    assert page.state["leaf"] == question
    assert len(made["cross"]) == 2
    assert page.ask("pick", nbest=made["id"], place=1)["ok"]
    assert page.turns()[1]["made"]["nbest"] == made["id"]


@pytest.mark.parametrize(
    ("sides", "words"),
    [
        ([], "Compare 2 to 6"),
        ([{"label": "a", "values": {}}], "Compare 2 to 6"),
        ([{"label": "a", "values": {}}] * 2, "called 'a'"),
        ([3, 4], "a side has label"),
        ([{"label": "", "values": {}}] * 2, "has a label"),
        ([{"label": "a", "values": {}}, {"label": "b", "values": {"tempo": 1}}], "'tempo' is not a setting"),
        ([{"label": "a", "values": {}}, {"label": "b", "values": {}, "model": 3}], "a model's name or none"),
    ],
)
def test_what_cannot_be_compared_is_refused(page: Page, widget: ChatWidget, sides: list[Any], words: str) -> None:
    question = widget.send("Hello").parent
    assert words in page.ask("compare", turn=question, sides=sides)["error"]


def test_code_compares_picks_and_ranks(page: Page, widget: ChatWidget) -> None:
    widget.send("Hello")
    made = widget.compare([SEVERAL, SEVERAL.replace(do_sample=False)])
    assert page.state[f"nbest_{made.id}"]["candidates"][1]["label"] == "greedy"
    picked = widget.pick(made, 0)
    assert page.state["leaf"] == picked.id
    widget.rerank = "likelihood"
    assert widget.rank(widget.candidates(picked)).ranking is not None


def test_a_forgotten_question_takes_its_lists_along(page: Page, widget: ChatWidget) -> None:
    question = widget.send("Hello").parent
    (made,) = lists(page)
    page.ask("forget", turn=question)
    assert page.state[f"nbest_{made['id']}"] is None
    assert lists(page) == []


def test_a_scorer_that_fails_is_told_where_the_reader_looks(page: Page, widget: ChatWidget) -> None:
    def fails(turns: list[str], reply: str) -> float:
        raise RuntimeError("my mistake")

    widget.rerank = fails
    page.ask("send", text="Hello")
    page.until_phase("error")
    assert "my mistake" in page.state["error"]["message"]
    (made,) = lists(page)
    assert made["scorers"] == []
    assert page.state["leaf"] == made["candidates"][0]["turn"]


def test_a_late_page_and_a_saved_one_have_the_lists(widget: ChatWidget) -> None:
    widget.send("Hello")
    made = widget.candidates()
    assert widget.get_state()[f"nbest_{made.id}"]["id"] == made.id
    offline = widget._session.state.offline(widget.path, widget.path, 1.0)
    assert offline[f"nbest_{made.id}"]["candidates"][0]["text"] == made.turns[0].text
    assert offline["decider"]


def test_a_saved_notebook_has_the_code_for_lists_where_there_are_some(widget: ChatWidget) -> None:
    def kept() -> dict[str, Any]:
        (folded,) = re.findall('data-tokens="([^"]*)"', widget._transcribed_tokens())
        state: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(folded)))
        return state

    widget.settings = SEVERAL.replace(candidates=1)
    widget.send("Hello")
    assert kept()["decider"] == ""
    widget.settings = SEVERAL
    widget.send("Hello")
    assert kept()["decider"] == widget._decider
    assert f"nbest_{widget.candidates().id}" in kept()


def test_stop_from_the_page_keeps_what_was_said(page: Page, widget: ChatWidget, model: ChatModel) -> None:
    widget.settings = SEVERAL.replace(max_new_tokens=200, min_new_tokens=200)
    page.ask("send", text="Hello")
    page.until(page.frames)
    page.ask("stop")
    page.answered(2)
    (made,) = lists(page)
    assert {one["stop"] for one in made["candidates"]} == {"user"}
    assert all(one["text"] for one in made["candidates"])
