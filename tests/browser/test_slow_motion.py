"""Replies token by token: stepped, played, forced, guessed, and on the whole screen."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from .lab import Lab
from .looking import assert_accessible, assert_no_sideways, set_theme
from .notebook import Notebook, View
from .wiretap import Wiretap

WILD = (
    "ChatWidget('mini', settings=Settings(seed=11, temperature=1.5, top_p=0.95, min_new_tokens=16, max_new_tokens=24))"
)
QUESTION = "Do you like pizza?"
_SMALL = """root => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), small = [];
    for (let node = texts.nextNode(); node; node = texts.nextNode()) {
        const {parentElement} = node, range = document.createRange();
        range.selectNodeContents(node);
        const box = range.getBoundingClientRect();
        const seen = node.data.trim() && box.width && parentElement.checkVisibility({visibilityProperty: true});
        const above = seen && document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
        if (!seen || !(root.contains(parentElement) || parentElement.contains(above))) continue;
        const size = parseFloat(getComputedStyle(parentElement).fontSize);
        if (size < 20) small.push(`${size} ${node.data}`);
    }
    return small;
}"""


def _bar(view: View) -> Locator:
    return view.root.get_by_role("group", name="Slow motion", exact=True)


def _slow(notebook: Notebook, source: str = WILD) -> tuple[View, Locator]:
    """A chat with one reply, and its bar, opened as a reader does."""
    view = notebook.chat(source)
    view.send("Hi")
    view.wait_for_replies(1)
    view.button("Inspect").click()
    view.button("Slow motion").click()
    bar = _bar(view)
    expect(bar).to_be_visible()
    expect(bar.get_by_role("button", name="Step")).to_be_focused()
    notebook.until(lambda: notebook.ask("chat.pace.mode") == "step")
    return view, bar


def _paused(notebook: Notebook, count: int) -> None:
    """Waits until so many tokens were revealed and the next one is held."""
    state = "[chat.pace.waiting, len(chat._session.chat.running.tokens) if chat._session.chat.running else -1]"
    notebook.until(lambda: notebook.ask(state) == [True, count])


def _unwatched(notebook: Notebook, *texts: str) -> Any:
    """The ids of the last reply in a chat that nobody slows down."""
    said = "; ".join(f"_other.send({text!r})" for text in texts)
    return notebook.ask("_other.turns[-1].ids", f"_other = {WILD}\n{said}")


def test_stepping_back_playing_and_running_give_the_reply_of_an_unwatched_chat(notebook: Notebook) -> None:
    view, bar = _slow(notebook)
    view.send(QUESTION)
    _paused(notebook, 0)
    expect(bar).to_contain_text("Paused: Step shows the next token")
    step, back = bar.get_by_role("button", name="Step"), bar.get_by_role("button", name="Back")
    for count in range(1, 4):
        step.click()
        _paused(notebook, count)
        expect(bar).to_contain_text(re.compile(rf"Token {count}, .+: [\d.<>]+.%, the model.s"))
    running = "chat._session.chat.running"
    expect(view.replies.last.locator(".dgpt-text")).to_have_text(notebook.ask(f"{running}.text"))
    back.click()
    _paused(notebook, 2)
    expect(view.replies.last.locator(".dgpt-text")).to_have_text(notebook.ask(f"{running}.text"))
    step.focus()
    step.press("ArrowRight")
    _paused(notebook, 3)
    step.press("ArrowLeft")
    _paused(notebook, 2)
    bar.get_by_label("Tokens a second").select_option("2")
    bar.get_by_role("button", name="Play").click()
    notebook.until(lambda: notebook.ask(f"len({running}.tokens)") >= 4)
    bar.get_by_role("button", name="Pause").click()
    notebook.until(lambda: notebook.ask("chat.pace.waiting"))
    bar.get_by_role("button", name="Run to the end").click()
    view.wait_for_replies(2)
    assert notebook.ask("chat.turns[-1].ids") == _unwatched(notebook, "Hi", QUESTION)
    view.send("Why?")
    notebook.until(lambda: notebook.ask(f"len({running}.tokens) if {running} else -1") >= 0)
    expect(bar).to_be_visible()
    bar.get_by_role("button", name="Close slow motion").click()
    expect(bar).to_be_hidden()
    view.wait_for_replies(3)
    assert notebook.ask("[chat.pace.mode, chat.pace.guessing]") == ["run", False]


def test_a_token_is_forced_typed_or_picked(notebook: Notebook) -> None:
    view, bar = _slow(notebook)
    view.send(QUESTION)
    _paused(notebook, 0)
    bar.get_by_role("button", name="Step").click()
    _paused(notebook, 1)
    bar.get_by_role("button", name="Force…").click()
    field = bar.get_by_role("textbox", name="Put a token of yours next")
    expect(field).to_be_focused()
    field.fill("green pineapple")
    field.press("Enter")
    running = "chat._session.chat.running"
    notebook.until(lambda: notebook.ask(f"{running}.text").endswith(" green pineapple"))
    count = notebook.ask(f"len({running}.tokens)")
    assert set(notebook.ask(f"[token.origin for token in {running}.tokens[1:]]")) == {"forced"}
    _paused(notebook, count)
    bar.get_by_role("button", name="Ten to pick from").click()
    guess_options = bar.get_by_role("group", name="Ten to pick from").get_by_role("button")
    expect(guess_options).to_have_count(10)
    guess_options.nth(3).click()
    _paused(notebook, count + 1)
    expect(guess_options.first).to_be_focused()
    view.stop.click()
    view.wait_for_replies(2)
    expect(bar.get_by_role("textbox", name="Put a token of yours next")).to_be_hidden()


def test_the_answer_is_nowhere_on_the_page_before_it_was_guessed(lab: Lab, open_page: Callable[..., Page]) -> None:
    page = open_page(reduced_motion="reduce")
    tap = Wiretap(page)
    notebook = Notebook(lab, page, lab.new_notebook("guessing"))
    notebook.run("from kernel_side import *")
    view, bar = _slow(notebook)
    whole = _unwatched(notebook, "Hi", QUESTION)
    pieces = notebook.ask(f"[chat._session.chat.model.piece({whole}[n]).decode() for n in range(5)]".replace("'", '"'))
    bar.get_by_role("button", name="Guess first").click()
    tap.clear()
    view.send(QUESTION)
    _paused(notebook, 0)
    field = bar.get_by_role("textbox", name="What comes next?")
    for place in range(4):
        expect(field).to_be_editable()
        shown = view.replies.last.locator(".dgpt-text")
        expect(shown).to_have_text("".join(pieces[:place]))
        said = "".join(frame.content["data"]["content"]["text"] for frame in tap.frames)
        assert said == "".join(pieces[:place])
        assert all(
            message.frame is None or "row" not in message.frame or message.frame["row"] < place
            for message in tap.frames
        )
        html = view.root.evaluate(
            "root => { const all = root.cloneNode(true);"
            " all.querySelectorAll('style').forEach(one => one.remove()); return all.innerHTML; }"
        )
        assert len(said) + len(pieces[place]) < 4 or said + pieces[place] not in html
        field.fill("banana")
        field.press("Enter")
        _paused(notebook, place + 1)
        expect(bar.get_by_role("status")).to_contain_text(
            re.compile(r"(You said .+|Right! It was .+) \(rank \d+, [\d.]+ bits\)")
        )
        expect(bar.get_by_role("status")).to_contain_text(pieces[place].strip())
        expect(bar.get_by_role("status")).to_contain_text(f"of {place + 1} right")
    bar.get_by_role("button", name="Ten to pick from").click()
    guess_options = bar.get_by_role("group", name="Ten to pick from").get_by_role("button")
    expect(guess_options).to_have_count(10)
    guess_options.first.click()
    _paused(notebook, 5)
    bar.get_by_role("button", name="Run to the end").click()
    view.wait_for_replies(2)
    assert notebook.ask("chat.turns[-1].ids") == whole


def test_the_projector_fills_the_screen_with_large_type_and_goes_with_escape(notebook: Notebook) -> None:
    page = notebook.page
    page.set_viewport_size({"width": 1280, "height": 720})
    try:
        view, bar = _slow(notebook)
        view.send(QUESTION)
        _paused(notebook, 0)
        opener = bar.get_by_role("button", name="Projector")
        opener.click()
        stage = page.get_by_role("dialog", name="Projector")
        expect(stage).to_be_visible()
        box = stage.bounding_box()
        assert box is not None
        assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 1280, 720)
        text = "chat._session.chat.running.text"
        for count in range(1, 5):
            page.keyboard.press("PageDown")
            _paused(notebook, count)
            expect(stage.get_by_role("group", name="Reply")).to_have_text(notebook.ask(text))
            expect(stage.get_by_role("list", name="What else there was").get_by_role("listitem")).to_have_count(5)
        page.keyboard.press("PageUp")
        _paused(notebook, 3)
        expect(stage.get_by_role("group", name="Reply")).to_have_text(notebook.ask(text))
        assert stage.evaluate(_SMALL) == []
        assert_accessible(stage, "projector")
        stage.get_by_role("button", name="Guess first").click()
        stage.get_by_role("button", name="Ten to pick from").click()
        expect(stage.get_by_role("group", name="Ten to pick from").get_by_role("button")).to_have_count(10)
        assert stage.evaluate(_SMALL) == []
        assert_accessible(stage, "projector, guessing")
        stage.get_by_role("button", name="Guess first").click()
        page.keyboard.press("Escape")
        expect(stage).to_be_hidden()
        expect(bar).to_be_visible()
        expect(opener).to_be_focused()
        _paused(notebook, 3)
    finally:
        page.set_viewport_size({"width": 1280, "height": 900})


def test_the_projector_walks_through_a_reply_that_has_ended(notebook: Notebook) -> None:
    bar = _slow(notebook)[1]
    replies = notebook.ask("len(chat.turns)")
    bar.get_by_role("button", name="Projector").click()
    stage = notebook.page.get_by_role("dialog", name="Projector")
    reply = stage.get_by_role("group", name="Reply")
    whole = reply.text_content()
    for _ in range(3):
        notebook.page.keyboard.press("PageUp")
    expect(reply).not_to_have_text(whole or "")
    for _ in range(4):
        notebook.page.keyboard.press("PageDown")
    expect(reply).to_have_text(whole or "")
    expect(stage.get_by_role("status")).to_contain_text("has ended")
    notebook.page.keyboard.press("Escape")
    expect(stage).to_be_hidden()
    assert notebook.ask("len(chat.turns)") == replies


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_bar_is_accessible_and_fits_a_narrow_cell(notebook: Notebook, scheme: str) -> None:
    set_theme(notebook, scheme)
    try:
        view, bar = _slow(notebook)
        view.send(QUESTION)
        _paused(notebook, 0)
        bar.get_by_role("button", name="Step").click()
        _paused(notebook, 1)
        assert_accessible(view.root, f"bar, {scheme}")
        bar.get_by_role("button", name="Guess first").click()
        bar.get_by_role("button", name="Ten to pick from").click()
        expect(bar.get_by_role("group", name="Ten to pick from").get_by_role("button")).to_have_count(10)
        assert_accessible(view.root, f"guess, {scheme}")
        view.root.evaluate("root => { root.parentElement.style.width = '320px'; }")
        assert_no_sideways(view.root)
        bar.get_by_role("button", name="Close slow motion").click()
        view.wait_for_replies(2)
    finally:
        set_theme(notebook, "light")


def test_a_page_that_comes_back_finds_the_reply_that_waits(lab: Lab, open_page: Callable[..., Page]) -> None:
    notebook = Notebook(lab, open_page(reduced_motion="reduce"), lab.new_notebook("reloaded"))
    notebook.run("from kernel_side import *")
    view, bar = _slow(notebook)
    view.send(QUESTION)
    _paused(notebook, 0)
    bar.get_by_role("button", name="Step").click()
    _paused(notebook, 1)
    other = notebook.run("chat").view
    again = _bar(other)
    expect(again).to_contain_text("Token 1, ")
    again.get_by_role("button", name="Step").click()
    _paused(notebook, 2)
    expect(bar).to_contain_text("Token 2, ")
