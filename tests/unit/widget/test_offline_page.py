"""The chat without a kernel: a page that loads nothing, and text that stays text."""

from __future__ import annotations

import base64
import json
import re
import zlib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from builders import turn
from hypothesis import example, given
from hypothesis import strategies as st
from samples import well_used

from dialogpt_widget import ChatWidget, Settings
from dialogpt_widget.widget import protocol, transcript

NASTY = (
    "</script> </SCRIPT\n> <!--<script> --> ]]> </noscript> </style> </title> <img/src=x> {state} {{ } &lt; & \\u003c"
)
LONE = ['"', "'", "\\", "\u2028", "\0", "\r", "https://evil.example/x.js"]
nasty = st.sampled_from([*NASTY.split(" "), *LONE])
texts = st.lists(nasty | st.characters(exclude_categories=["Cs"]), max_size=8).map("".join)


class Read(HTMLParser):
    """The tags of a page, its text, and what its scripts hold."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[Any, ...]]] = []
        self.ends: list[str] = []
        self.inside = ""
        self.held: dict[str, list[str]] = {}
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, tuple(attrs)))
        self.inside = tag
        self.held.setdefault(tag, []).append("")
        if tag == "br":
            self.handle_data("\n")

    def handle_endtag(self, tag: str) -> None:
        self.ends.append(tag)
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.held[self.inside][-1] += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


def said(*texts: str) -> list[Any]:
    return [turn(place, (), place - 1 if place else None, text=text, stop="eos") for place, text in enumerate(texts)]


def written(text: str) -> tuple[dict[str, Any], str]:
    state = {"turn_0": {"text": text}, "leaf": 0}
    return state, transcript.page(state, said(text), text, "var a=1;export{a as default};", "p{color:red}")


@given(texts)
@example("</script><script>alert(1)</script>")
@example("<!--<script>")
def test_no_text_breaks_out_of_the_page(text: str) -> None:
    state, source = written(text)
    read, harmless = Read(source), Read(written("x")[1])
    lines = [("br", ())] * text.count("\n")
    assert [tag for tag in read.tags if tag != ("br", ())] == [tag for tag in harmless.tags if tag != ("br", ())]
    assert read.tags.count(("br", ())) == 1 + len(lines)
    assert read.ends == harmless.ends
    assert json.loads(read.held["script"][0]) == state
    assert read.held["script"][1] == harmless.held["script"][1]
    assert "<!--" not in source


@given(st.lists(texts, max_size=3), texts)
def test_a_transcript_is_text_alone(said_texts: list[str], title: str) -> None:
    read = Read(transcript.transcript(said(*said_texts), title, "view<1>"))
    assert {tag for tag, attributes in read.tags if attributes} == {"div"}
    assert read.tags[0] == ("div", (("data-dialogpt", "view<1>"),))
    assert {tag for tag, _ in read.tags} <= {"div", "p", "em", "strong", "br"}
    if said_texts:
        heads = [f"A chat with {title}"], ["You"] * len(said_texts)
        assert (read.held["em"], read.held["strong"]) == heads
        shown = "".join(read.held["br"]).split()
        assert shown == "\n".join(said_texts).split() or "\0" in "".join(said_texts)


def test_a_transcript_says_how_a_reply_ended_and_is_empty_for_nobody() -> None:
    ends = [turn(place, text="so", stop=stop) for place, stop in enumerate(("eos", "length", "user", "error"))]
    text = transcript.transcript(ends, "mini")
    assert re.findall(r"<br>(.*?)</p>", text) == ["so", "so […]", "so [stopped]", "so [interrupted]"]
    assert transcript.transcript([], "mini", "a") == '<div data-dialogpt="a"></div>'
    assert transcript.transcript([], "mini") == "<div></div>"


def test_a_bundle_without_an_export_is_refused() -> None:
    with pytest.raises(ValueError, match="no default export"):
        transcript.page({}, [], "x", "var a=1;", "")


@pytest.fixture
def widget() -> Any:
    widget = ChatWidget("mini", settings=Settings(seed=1), conversation=well_used().conversation)
    yield widget
    widget.close()


def test_a_page_asks_for_nothing(widget: ChatWidget) -> None:
    source = widget.page(branches=True)
    assert set(re.findall(r"https?://[^\s\"'`)<\\]*", source)) <= {"http://www.w3.org/2000/svg"}
    read = Read(source)
    assert not [name for _, attributes in read.tags for name, _ in attributes if name in ("src", "href", "srcset")]
    assert not re.findall(r"@import|url\((?!['\"]?data:)", read.held["style"][0])
    module = read.held["script"][1]
    imports = r"\bimport\s*[(.{*]|\bfrom\s*[\"']"
    assert re.findall(imports, module) == ["import("]  # of the code that the page itself holds
    assert module.count("createObjectURL(new Blob([") == 1
    inspector = zlib.decompress(base64.b64decode(widget._inspector)).decode()
    assert re.findall(r"\bimport\s*[(.{*]", inspector) == []
    for way_out in ("fetch(", "XMLHttpRequest", "WebSocket", "EventSource", "sendBeacon", "importScripts", "Worker("):
        assert way_out not in module
        assert way_out not in inspector
    assert widget._session.chat.model is None, "no model is needed for it"


def test_a_page_holds_the_state_that_its_view_reads(widget: ChatWidget, tmp_path: Path) -> None:
    widget.export_html(tmp_path / "chat.html")
    read = Read((tmp_path / "chat.html").read_bytes().decode())
    state = json.loads(read.held["script"][0])
    assert set(protocol.TRAITS) <= set(state)
    assert {key for key in state if key.startswith(protocol.TURN_KEY)} == {f"turn_{turn.id}" for turn in widget.path}
    live = widget.get_state()
    same = [key for key in state if key.startswith(protocol.TURN_KEY) or key in ("leaf", "settings", "info", "presets")]
    assert {key: state[key] for key in same} == {key: live[key] for key in same}
    assert state["offline"]
    assert (state["error"], state["queue"], state["status"]["phase"]) == (None, [], "idle")
    assert read.held["title"] == [f"A chat with {live['info']['title']}"]
    widget.export_html(tmp_path / "all.html", branches=True)
    everything = json.loads(Read((tmp_path / "all.html").read_bytes().decode()).held["script"][0])
    assert {key for key in everything if key.startswith(protocol.TURN_KEY)} == {
        f"turn_{turn.id}" for turn in widget.turns
    }


def test_what_was_forgotten_is_on_no_page(widget: ChatWidget) -> None:
    widget._session.chat.use(well_used().load_model())
    widget.edit(widget.path[1], "my secret")
    widget.forget(widget.path[1])
    assert "secret" not in widget.page(branches=True)
    assert "secret" not in str(widget.get_state())
