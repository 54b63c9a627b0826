"""What crosses between kernel and page stays as it is: keys of the state, frames, requests, and their answers.

A chat goes through all that a page can ask for, and the shapes of what was sent are compared with
`snapshots/wire.json`: names of keys and JSON types, no values. Where a change is meant, `UPDATE_SNAPSHOT=1 pytest
tests/unit/widget/test_wire_surface.py` stores it. Nothing here knows where the kernel keeps these things.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import anywidget
import pytest
import snapshot
from page import Page

from dialogpt_widget import ChatWidget, Settings

QUICK = Settings(seed=1, temperature=0.8, max_new_tokens=12, max_context=128)


class Walk:
    """A page that asks for everything, and keeps what it is answered."""

    def __init__(self, widget: ChatWidget) -> None:
        self.widget, self.page = widget, Page(widget)
        self.answers: dict[str, list[Any]] = defaultdict(list)
        self.given: dict[str, dict[str, Any]] = {}
        self.buffers: dict[str, int] = {}
        self.line = ""
        self.first = widget.get_state()

    def ask(self, op: str, file: bytes | None = None, **arguments: Any) -> dict[str, Any]:
        """Asks for what can be done."""
        answer = self.page.ask(op, file, **arguments)
        assert answer["ok"] is True, answer
        assert type(answer["rev"]) is int
        self.answers[op].append({key: value for key, value in answer.items() if key not in ("id", "ok", "rev")})
        self.given[op] = arguments
        self.buffers[op] = max(self.buffers.get(op, 0), len(self.page.files.get(answer["id"], [])))
        return answer

    def have(self, op: str, **arguments: Any) -> Any:
        """Has something said, and waits until it is; returns the path's last turn."""
        before = self.page.state["next_id"]
        self.ask(op, **arguments)
        self.page.until(lambda: self.page.state["next_id"] > before and self.page.state["status"]["phase"] == "ready")
        return self.widget.path[-1]

    def waiting(self, tokens: int) -> None:
        """Waits until the held reply has so many tokens."""
        self.page.until(
            lambda: (self.page.state["pace"]["waiting"], self.page.state["pace"]["count"]) == (True, tokens)
        )

    def talk(self) -> None:
        """Says things, goes about the tree, asks about tokens."""
        self.ask("mount", version=1)
        self.page.until_phase("ready")
        reply = self.have("send", text="Hello!")
        self.have("regenerate", turn=reply.id)
        self.have("edit", turn=reply.parent, text="Good morning!")
        self.ask("edit", turn=self.widget.path[-1].id, text="By hand.")
        self.ask("settings", values={"max_new_tokens": 2})
        cut = self.have("send", text="Do you like music?")
        self.ask("settings", values={"max_new_tokens": 12})
        reply = self.have("continue", turn=cut.id)
        reply = self.have("fork", turn=reply.id, index=1, token=reply.ids[0])
        for op in ("undo", "clear", "undo"):
            self.ask(op)
        self.ask("select", turn=reply.id)
        at = {"turn": reply.id, "index": 1}
        for values in ({}, {"do_sample": False}):
            self.ask("explain", **at, values=values)
        self.ask("ranked", **at, first=1, count=3)
        self.ask("chances", **at, text=" soup")
        self.ask("inside", **at)
        self.ask("without", turn=reply.id, turns=[reply.parent])
        self.ask("score", turn=reply.id, text="Fine.")
        self.ask("pieces", ids=[1, 2])
        self.ask("pin", **at)
        for op in ("tokens", "replay", "code"):
            self.ask(op, turn=reply.id)
        self.line = self.ask("share")["text"]
        self.ask("pin", turn=None, index=None)

    def keep(self) -> None:
        """Downloads it in every format, and takes it over again."""
        for choice in self.page.state["formats"]:
            self.ask("export", format=choice["name"], branches=True)
        _, content = self.page.download("messages")
        self.ask("import", content, name="chat.json")

    def slowly(self) -> None:
        """Says something in slow motion, and guesses."""
        self.ask("watch", on=True)
        self.ask("pace", mode="step", rate=4)
        self.ask("send", text="What do you do?")
        self.waiting(0)
        for tokens in (1, 2):
            self.ask("step")
            self.waiting(tokens)
        frames = len(self.page.frames())
        self.ask("back")
        self.page.until(lambda: any("at" in frame for frame in self.page.frames()[frames:]))
        self.ask("force", text=None, token=self.widget.path[-1].ids[0])
        self.waiting(2)
        self.ask("sync")
        self.ask("poll", rev=0)
        item = self.ask("send", text="This waits")["item"]
        self.ask("withdraw", item=item)
        self.ask("guessing", on=True)
        held = self.ask("choices")["ids"][0]
        self.ask("guess", text=None, token=held)
        self.ask("guessing", on=False)
        self.ask("stop")
        self.page.until_phase("ready")
        self.ask("pace", mode="run", rate=4)
        self.ask("sync")
        self.ask("poll", rev=0)

    def choose(self) -> None:
        """Has several replies made, ranked and compared."""
        self.ask("settings", values={"candidates": 2, "min_new_tokens": 8})
        self.have("send", text="Are you happy?")
        made = self.widget.candidates()
        one, other = ({*re.findall(r"\w+", turn.text.lower())} for turn in made.turns)
        self.ask("rerank", values={"name": "mean", "words": sorted(one - other)[:1], "temperature": 0.5})
        self.ask("rank", nbest=made.id)
        self.ask("pick", nbest=made.id, place=1 - made.ranking.chosen)
        self.ask("rerank", values={"words": []})
        self.ask("settings", values={"candidates": 1, "num_beams": 2})
        self.have("send", text="Where do you live?")
        self.ask("settings", values={"num_beams": 1})
        sides = [
            {"label": "one", "values": {"temperature": 0.5}, "model": None},
            {"label": "two", "values": {}, "model": "mini"},
        ]
        self.have("compare", turn=self.widget.path[-1].parent, sides=sides)

    def fail(self) -> None:
        """Chooses a model that is nowhere, and goes back."""
        self.ask("use_model", model="nobody/nothing")
        for _ in range(2):
            self.page.until(lambda: self.page.state["error"] is not None)
            self.ask("retry")
        self.page.until(lambda: self.page.state["error"] is not None)
        self.ask("use_model", model="mini")
        self.page.until_phase("ready")
        self.ask("use_precision", precision="float32")
        self.page.until_phase("ready")

    def forget(self) -> None:
        """Erases all."""
        for turn in self.widget.conversation.children(None):
            self.ask("forget", turn=turn.id)

    def states(self) -> Iterator[dict[str, Any]]:
        """All that the page was sent of the state, but for what ipywidgets and anywidget add."""
        theirs = anywidget.AnyWidget().get_state().keys()
        opened = ChatWidget.open(self.line, height=200)
        some = opened.get_state(["pinned", "height"])
        opened.close()
        for state in (self.first, some, *(content for method, content in self.page.messages if method == "update")):
            yield {key: value for key, value in state.items() if key not in theirs and not key.startswith("_")}


@pytest.fixture(scope="module")
def walk() -> Iterator[Walk]:
    walk = Walk(ChatWidget("mini", device="cpu", precision="float32", settings=QUICK))
    for part in (walk.talk, walk.keep, walk.slowly, walk.choose):
        part()
    yield walk
    walk.widget.close()


def test_what_crosses_has_the_shape_it_had(walk: Walk) -> None:
    page = walk.widget.page(branches=True)
    found = re.search(r'<script id="state" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found
    offline = json.loads(found[1])
    walk.fail()
    walk.forget()
    every: dict[str, list[Any]] = defaultdict(list)
    for state in walk.states():
        for key, value in state.items():
            every[snapshot.numbered(key)].append(value)
    operations = known(walk.page)
    assert sorted(operations) == sorted(walk.answers)
    snapshot.check(
        "wire.json",
        {
            "state": {key: snapshot.shape(values) for key, values in every.items()},
            "state of a page without a kernel": sorted({snapshot.numbered(key) for key in offline}),
            "tokens of a page without a kernel": snapshot.shape(
                [offline[key] for key in offline if key.startswith("tokens_")]
            ),
            "frames": snapshot.shape(walk.page.frames()),
            "requests": {
                op: {
                    "arguments": arguments(walk, op),
                    "answer": snapshot.shape(walk.answers[op]),
                    "buffers": walk.buffers[op],
                }
                for op in operations
            },
            "refusal": snapshot.shape([walk.page.ask("select", turn=10_000)]),
        },
    )


def known(page: Page) -> list[str]:
    """The requests that a kernel says it knows."""
    return list(page.ask("nonsense")["error"].partition("this kernel knows ")[2].split(", "))


def arguments(walk: Walk, op: str) -> dict[str, str]:
    """A request's arguments and the types that the kernel asks for; nothing is done, for one of them is wrong."""
    found = {}
    for name, right in walk.given[op].items():
        wrong = walk.given[op] | {name: [] if isinstance(right, dict) else {}}
        error = walk.page.ask(op, **wrong)["error"]
        asked, _, found[name] = error.partition(": ")
        assert asked == f"{op} needs {name}"
    return found
