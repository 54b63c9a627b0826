"""Files that a page gets and gives, and what a page asks for that cannot be told."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from page import GUARD, Gate, Page
from samples import contents, saved_text, well_used

from dialogpt_widget import ChatWidget, Settings
from dialogpt_widget.dialogue import exports, files
from dialogpt_widget.engine.model import ChatModel
from dialogpt_widget.widget import downloads, protocol

QUICK = Settings(seed=1, max_new_tokens=6)
MESSAGES = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]


@pytest.fixture
def widget(model: ChatModel) -> Iterator[ChatWidget]:
    widget = ChatWidget(model, settings=QUICK)
    yield widget
    widget.close()


@pytest.fixture
def page(widget: ChatWidget) -> Page:
    return Page(widget)


def test_every_format_on_offer_can_be_downloaded(page: Page, widget: ChatWidget) -> None:
    widget.send("Hello")
    widget.regenerate()
    assert [choice["name"] for choice in page.state["formats"]] == list(downloads.FORMATS)
    files_of = {name: page.download(name) for name in downloads.FORMATS}
    for name, (answer, content) in files_of.items():
        some = downloads.FORMATS[name]
        assert (answer["name"], answer["type"]) == (f"chat.{some.ending}", some.type)
        assert content
    text = {name: content.decode("utf-8", "replace") for name, (_, content) in files_of.items()}
    assert files.parse(text["conversation"]).conversation.turns == widget.path
    assert text["markdown"] == exports.to_markdown(widget.conversation)
    assert json.loads(text["messages"]) == json.loads(text["dataset"])["messages"] == widget.messages
    assert text["html"].startswith("<!doctype html>")
    assert pd.read_csv(io.StringIO(text["csv"]))["id"].tolist() == widget.tokens["id"].tolist()
    assert pd.read_parquet(io.BytesIO(files_of["parquet"][1]))["id"].tolist() == widget.tokens["id"].tolist()


def test_all_branches_are_downloaded_on_request(page: Page, widget: ChatWidget) -> None:
    widget.send("Hello")
    widget.regenerate()
    _, whole = page.download("conversation", branches=True)
    assert contents(files.parse(whole.decode()).conversation) == contents(widget.conversation)
    _, lists = page.download("messages", branches=True)
    assert len(json.loads(lists)) == 2


def test_a_format_that_is_not_there_is_refused_with_those_that_are(
    page: Page, widget: ChatWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = page.ask("export", format="pdf", branches=False)
    assert refused["error"].startswith("There is no format 'pdf'; there are conversation, html")
    monkeypatch.setattr(downloads, "find_spec", lambda name: None)
    assert [choice["name"] for choice in widget.get_state()["formats"]][-1] == "dataset"
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    widget.send("Hello")
    assert page.ask("export", format="csv", branches=False)["error"] == "This needs pandas: pip install pandas."


def test_a_saved_conversation_is_opened_as_branches(page: Page, widget: ChatWidget) -> None:
    widget.send("Hello")
    before = page.state["leaf"]
    answer = page.ask("import", name="chat.json", file=saved_text().encode())
    other = files.parse(saved_text()).conversation
    assert answer["turns"] == len(other)
    assert page.texts() == [turn.text for turn in other.path]
    assert sum(key.startswith(protocol.TURN_KEY) for key in page.state) == len(other) + 2
    page.ask("undo")
    assert page.state["leaf"] == before


@pytest.mark.parametrize(
    "data",
    [
        json.dumps(MESSAGES).encode(),
        b"\xef\xbb\xbf" + json.dumps([MESSAGES]).encode(),
        (json.dumps({"messages": MESSAGES}) + "\n").encode() * 2,
    ],
)
def test_lists_of_messages_are_opened(page: Page, widget: ChatWidget, data: bytes) -> None:
    assert page.ask("import", name="x", file=data)["ok"]
    assert page.texts() == ["Hi", "Hello"]
    widget.send("And?")
    assert len(page.turns()) == 4


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "neither a saved conversation nor a list of messages"),
        (b"\x89PNG\xff", "neither a saved conversation nor a list of messages: it is no text"),
        (b"[1, 2]", "neither a saved conversation nor a list of messages"),
        (saved_text().encode()[:-100], "not JSON, or was cut off"),
        (saved_text().replace(f'"version":{files.VERSION}', '"version":9').encode(), "Update the package"),
        (json.dumps([{"role": "system", "content": "x"}]).encode(), "knows user and assistant alone"),
        (b"[" * 200_000, "neither a saved conversation nor a list of messages"),
    ],
)
def test_what_cannot_be_opened_is_refused_and_changes_nothing(
    page: Page, widget: ChatWidget, data: bytes, words: str
) -> None:
    widget.send("Hello")
    before = contents(widget.conversation)
    assert words in page.ask("import", name="x", file=data)["error"]
    assert contents(widget.conversation) == before


def test_a_file_too_large_or_missing_is_refused(
    page: Page, widget: ChatWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dialogpt_widget.widget import requests

    assert "needs the file" in page.ask("import", name="x")["error"]
    monkeypatch.setattr(requests, "MOST_BYTES", 1_000_000)
    assert page.ask("import", name="x", file=b" " * 2_000_000)["error"] == "The file has 2 MB; at most 1 can be opened."


def test_a_poll_gives_what_changed_since(page: Page, widget: ChatWidget) -> None:
    began = page.ask("poll", rev=0)
    assert (began["turn"], began["text"]) == (None, "")
    reply = widget.send("Hello")
    after = page.ask("poll", rev=began["rev"])
    assert after["rev"] > began["rev"]
    assert after["state"].keys() >= {f"turn_{reply.id}", f"turn_{reply.parent}", "leaf", "meter"}
    assert {key: page.state[key] for key in after["state"]} == after["state"]
    assert page.ask("poll", rev=after["rev"])["state"] == {}
    widget.forget(reply)
    assert page.ask("poll", rev=after["rev"])["state"][f"turn_{reply.id}"] is None


def test_a_page_that_only_polls_folds_the_same_state(page: Page, widget: ChatWidget) -> None:
    deaf = dict(page.state)
    rev = 0
    acts: tuple[Callable[[], Any], ...] = (
        lambda: widget.send("Hello"),
        widget.regenerate,
        widget.clear,
        widget.undo,
        lambda: setattr(widget, "settings", QUICK.replace(top_k=3)),
        lambda: setattr(widget, "height", 300),
        lambda: widget.forget(widget.path[-1]),
    )
    for act in acts:
        act()
        answer = page.ask("poll", rev=rev)
        rev = answer["rev"]
        deaf |= answer["state"]
    ours = [key for key in page.state if key in (*protocol.TRAITS, *deaf) and key != "rev"]
    assert {key: deaf[key] for key in ours} == {key: page.state[key] for key in ours}


def test_a_poll_brings_the_running_reply_without_frames(page: Page, widget: ChatWidget, model: ChatModel) -> None:
    widget.settings = Settings(seed=1, max_new_tokens=40, min_new_tokens=40)
    widget._session.frames.post_due = lambda: None  # type: ignore[method-assign]  # the host loses them
    gate = Gate(model)
    page.ask("send", text="Hello")
    assert gate.reached.wait(GUARD)
    first = page.ask("poll", rev=0)
    assert (first["turn"], first["text"]) == (page.state["status"]["turn"], "")
    seen: list[dict[str, Any]] = []
    widget.on_token(lambda token: seen.append(page.ask("poll", rev=0)) if token.position % 10 == 9 else None)
    gate.open()
    page.answered(2)
    text = widget.path[-1].text
    assert [text.startswith(poll["text"]) for poll in seen] == [True] * 4
    assert seen[0]["text"] < seen[-1]["text"]
    assert [poll["seq"] for poll in seen] == sorted(poll["seq"] for poll in seen)
    assert page.ask("poll", rev=0)["text"] == ""


def test_a_widget_is_loaded_from_a_file(tmp_path: Path, model: ChatModel) -> None:
    chat = well_used()
    chat.save(tmp_path / "chat.json")
    widget = ChatWidget.load(tmp_path / "chat.json", model, starters=[], height=200)
    page = Page(widget)
    assert page.texts() == [turn.text for turn in chat.path]
    assert (widget.settings, page.state["starters"], widget.height) == (chat.settings, [], 200)
    widget.save(tmp_path / "again.json")
    saved = json.loads((tmp_path / "again.json").read_bytes())
    assert saved.pop("chat")["model"] == "tiny-0"
    before = json.loads((tmp_path / "chat.json").read_bytes())
    assert saved == {key: value for key, value in before.items() if key != "chat"}
    widget.close()
    (tmp_path / "chat.json").write_text("{}")
    with pytest.raises(ValueError, match=r"chat\.json: This is no saved conversation"):
        ChatWidget.load(tmp_path / "chat.json")


def test_messages_are_assigned_and_shown(page: Page, widget: ChatWidget) -> None:
    widget.messages = MESSAGES
    assert page.texts() == ["Hi", "Hello"]
    page.ask("undo")
    assert page.texts() == []
