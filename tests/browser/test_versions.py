"""More than one version of a turn: made, walked through, compared, forgotten, and what is undone."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from .lab import Lab
from .looking import assert_accessible, assert_no_sideways
from .notebook import Notebook, View
from .turning import TurnOf

_FIRST = """log => {
    const {left, top} = log.getBoundingClientRect();
    for (let y = top + 8; ; y += 4) {
        const turn = document.elementFromPoint(left + 24, y)?.closest("article");
        if (turn) return [...log.querySelectorAll("article")].indexOf(turn);
    }
}"""
THREE = "ChatWidget(Scripted([['One', ' day.'], ['Two', ' days.'], ['Three', ' days.']]))"


def _three(notebook: Notebook, source: str = THREE) -> tuple[View, TurnOf]:
    """A chat with three versions of one reply; the third is selected."""
    view = notebook.chat(source)
    view.send("How long?")
    view.wait_for_replies(1)
    reply = TurnOf(view, 1)
    for words in ("Two days.", "Three days."):
        reply.press("Regenerate")
        expect(reply.text).to_have_text(words)
        view.wait_until_idle()
    reply.assert_version(3, 3)
    return view, reply


def test_a_reply_is_made_again_and_the_mouse_goes_through_its_versions(notebook: Notebook) -> None:
    view, reply = _three(notebook)
    assert view.texts() == ["How long?", "Three days."] == notebook.said()
    for place, words in ((2, "Two days."), (1, "One day.")):
        reply.back.click()
        expect(reply.text).to_have_text(words)
        reply.assert_version(place, 3)
        expect(view.root.get_by_role("status")).to_have_text(f"Version {place} of 3")
        notebook.until(lambda: view.texts() == notebook.said())
    expect(reply.back).to_be_disabled()
    reply.forth.click()
    expect(reply.text).to_have_text("Two days.")
    view.send("And then?")
    view.wait_for_replies(2)
    assert view.texts()[:3] == ["How long?", "Two days.", "And then?"]
    assert view.texts() == notebook.said()


def test_the_arrow_keys_go_through_versions_and_the_focus_stays(notebook: Notebook) -> None:
    view, reply = _three(notebook)
    reply.back.focus()
    for place, words in ((2, "Two days."), (1, "One day.")):
        notebook.page.keyboard.press("ArrowLeft")
        expect(reply.text).to_have_text(words)
        expect(reply.back).to_be_focused()
        reply.assert_version(place, 3)
    notebook.page.keyboard.press("ArrowLeft")
    notebook.page.keyboard.press("ArrowRight")
    expect(reply.text).to_have_text("Two days.")
    expect(reply.back).to_be_focused()
    notebook.until(lambda: view.texts() == notebook.said())


def test_the_keyboard_alone_regenerates_edits_and_forgets(notebook: Notebook) -> None:
    view, reply = _three(notebook)
    press = notebook.page.keyboard.press
    view.box.focus()
    for _ in range(5):  # the buttons, two for the versions, the words, the turn
        press("Shift+Tab")
    expect(reply.element).to_be_focused()
    press("ArrowUp")
    expect(TurnOf(view, 0).element).to_be_focused()
    press("ArrowDown")
    for _ in range(4):
        press("Tab")
    expect(reply.button("Copy")).to_be_focused()
    press("ArrowLeft")
    expect(reply.button("More")).to_be_focused()
    press("Enter")
    press("End")
    expect(view.root.get_by_role("menuitem", name="Forget…")).to_be_focused()
    press("Enter")
    expect(reply.button("Cancel")).to_be_focused()
    press("Tab")
    press("Enter")
    expect(view.turns).to_have_count(1)
    assert notebook.said() == ["How long?"]
    expect(TurnOf(view, 0).button("Regenerate")).to_have_count(1)


def test_a_reply_that_was_cut_off_goes_on_as_another_version(notebook: Notebook) -> None:
    view = notebook.chat("ChatWidget(Slow(0.1), settings=LONG)")
    view.send("Hello, how are you?")
    view.wait_for_text()
    view.stop.click()
    view.wait_for_replies(1)
    reply = TurnOf(view, 1)
    begun = view.texts()[1]
    expect(reply.element).to_contain_text("stopped")
    reply.press("Continue")
    expect(reply.text).to_have_text(re.compile("^" + re.escape(begun) + ".+", re.DOTALL))
    view.wait_until_idle()
    reply.assert_version(2, 2)
    assert view.texts() == notebook.said()


def test_a_reply_that_runs_elsewhere_is_mentioned_and_found_again(notebook: Notebook) -> None:
    view = notebook.chat("ChatWidget(Scripted([['One.'], words(900)], rate=20))")
    view.send("How long?")
    view.wait_for_replies(1)
    reply = TurnOf(view, 1)
    reply.press("Regenerate")
    view.wait_for_text(longer_than=10)
    reply.assert_version(2, 2)
    reply.back.click()
    expect(reply.text).to_have_text("One.")
    expect(view.root.get_by_text("A reply is being written in another version.")).to_be_visible()
    assert notebook.said() == ["How long?", "One."]
    view.button("Show it").click()
    expect(reply.text).to_have_text(re.compile("^0000 0001 "))
    reply.back.click()
    expect(reply.text).to_have_text("One.")
    reply.forth.click()
    expect(reply.text).to_have_text(re.compile("^0000 0001 "))
    view.stop.click()
    view.wait_until_idle()
    expect(reply.element).to_contain_text("stopped")
    assert view.texts() == notebook.said()


def test_to_forget_is_asked_first_and_takes_what_follows_along(notebook: Notebook) -> None:
    view, reply = _three(notebook)
    view.send("And then?")
    view.wait_for_replies(2)
    reply.choose("Forget…")
    question = "Forget this turn and the 2 that follow, in all their versions? It cannot be undone."
    expect(reply.element).to_contain_text(question)
    expect(reply.button("Cancel")).to_be_focused()
    assert_accessible(view.root, "forget")
    reply.button("Cancel").click()
    expect(reply.button("More")).to_be_focused()
    assert notebook.ask("len(chat.turns)") == 6
    reply.choose("Forget…")
    reply.button("Forget").click()
    expect(view.turns).to_have_count(1)
    assert notebook.said() == ["How long?"]
    assert notebook.ask("len(chat.turns)") == 3
    view.button("Undo").click()
    view.wait_until_idle()
    notebook.until(lambda: view.texts() == notebook.said())
    assert "Three days." not in view.texts()


def test_a_new_chat_keeps_what_was_said_behind_undo(notebook: Notebook) -> None:
    view = notebook.chat("ChatWidget(Scripted([['Yes.']]))")
    for name in ("New chat", "Undo", "Find"):
        expect(view.button(name)).to_have_count(0)
    view.send("Hello!")
    view.wait_for_replies(1)
    said = view.texts()
    view.button("New chat").click()
    expect(view.turns).to_have_count(0)
    expect(view.root.get_by_role("group", name="Ways to begin")).to_be_visible()
    expect(view.box).to_be_focused()
    assert notebook.said() == []
    expect(view.root.get_by_text("What was said before is kept.")).to_be_visible()
    view.button("Undo").click()
    expect(view.turns).to_have_count(2)
    assert view.texts() == said == notebook.said()
    view.button("New chat").click()
    view.send("Another one.")
    view.wait_for_replies(1)
    assert view.texts() == ["Another one.", "Yes."] == notebook.said()
    view.button("Undo").click()
    expect(view.turns).to_have_count(0)
    view.button("Undo").click()
    expect(view.turns).to_have_count(2)
    assert view.texts() == said == notebook.said()


def test_two_versions_are_compared_and_one_is_gone_on_with(notebook: Notebook) -> None:
    view, reply = _three(notebook)
    reply.choose("Compare versions")
    compare = reply.element.get_by_role("group", name="Compare versions")
    expect(compare.locator("mark")).to_have_text(["Two", "Three"])  # the code for it has come first
    line = "mark => getComputedStyle(mark).borderBottomWidth"
    assert [mark.evaluate(line) for mark in compare.locator("mark").all()] == ["2px", "2px"]
    compare.get_by_role("combobox", name="Left version").select_option(label="Version 1")
    assert compare.locator("mark").all_inner_texts() == ["One", "Three"]
    sides = [side.bounding_box() for side in compare.locator(".dgpt-side").all()]
    assert sides[0]["y"] == sides[1]["y"]  # type: ignore[index]
    assert_accessible(view.root, "compare")
    view.root.evaluate("root => { root.parentElement.style.width = '320px'; }")
    sides = [side.bounding_box() for side in compare.locator(".dgpt-side").all()]
    assert sides[0]["y"] < sides[1]["y"]  # type: ignore[index]
    assert_no_sideways(view.root)
    assert_accessible(view.root, "compare, narrow")
    notebook.page.keyboard.press("Escape")
    expect(compare).to_have_count(0)
    expect(reply.button("More")).to_be_focused()
    reply.choose("Compare versions")
    compare.get_by_role("button", name="Go on with this one").first.click()
    expect(reply.text).to_have_text("Two days.")
    notebook.until(lambda: view.texts() == notebook.said())


def test_the_menu_says_how_a_reply_was_made_and_is_walked_with_the_keyboard(notebook: Notebook) -> None:
    view = notebook.chat("ChatWidget('mini', settings=Settings(max_new_tokens=6, temperature=0.7, seed=11))")
    view.send("Hello!")
    view.wait_for_replies(1)
    reply = TurnOf(view, 1)
    reply.press("More")
    menu = view.root.locator(".dgpt-menu")
    expect(menu).to_be_visible()
    for words in ("mini", "float32", "seed 11, reply 0", "temperature", "0.7"):
        expect(menu).to_contain_text(words)
    assert_accessible(view.root, "menu")
    box, window = menu.bounding_box(), notebook.page.viewport_size
    assert box
    assert window
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= window["width"]
    assert box["y"] + box["height"] <= window["height"]
    notebook.page.keyboard.press("ArrowDown")
    expect(view.root.get_by_role("menuitem", name="Forget…")).to_be_focused()
    notebook.page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(reply.button("More")).to_be_focused()


def test_a_reply_copied_as_python_makes_it_again(lab: Lab, notebook: Notebook, open_page: Callable[..., Page]) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    here = Notebook(lab, page, notebook.name)
    view = here.chat("ChatWidget('mini', settings=Settings(max_new_tokens=12))")
    view.send("Hello, how are you?")
    view.wait_for_replies(1)
    TurnOf(view, 1).choose("Copy as Python")
    expect(view.root.get_by_role("status")).to_have_text("Copied")
    code = page.evaluate("navigator.clipboard.readText()")
    assert here.ask("[ids, list(chat.path[-1].ids)]", code.replace("print(", "str(")) == 2 * [
        here.ask("list(chat.path[-1].ids)")
    ]


def test_words_are_found_anywhere_on_the_path_and_marked(notebook: Notebook) -> None:
    turns = "[f'Turn number {n}, which is about {n * n}.' for n in range(300)]"
    view = notebook.chat(f"ChatWidget(Scripted([['Yes.']]), height=300, conversation=talk(*{turns}))")
    expect(view.turns).to_have_count(300)
    view.box.focus()
    notebook.page.keyboard.press("Control+f")
    bar = view.root.get_by_role("search")
    field = bar.get_by_role("textbox", name="Find in this chat")
    expect(field).to_be_focused()
    field.fill("NUMBER 7,")
    expect(bar).to_contain_text("1 of 1")
    expect(view.turns.nth(7)).to_be_in_viewport()
    assert notebook.page.evaluate("[...CSS.highlights.get('dgpt-found')].map(String).length") == 1
    field.fill("about 1")
    shown = bar.locator("[aria-live]")
    expect(shown).to_have_text(re.compile(r"^\d+ of \d+$"))
    count = int(shown.inner_text().split(" of ")[1])
    assert count == sum(str(n * n).startswith("1") for n in range(300))
    before = shown.inner_text()
    field.press("Enter")
    expect(shown).not_to_have_text(before)
    field.press("Shift+Enter")
    expect(shown).to_have_text(before)
    field.press("Escape")
    expect(bar).to_be_hidden()
    expect(view.box).to_be_focused()
    assert notebook.page.evaluate("CSS.highlights.get('dgpt-found').size + CSS.highlights.get('dgpt-find').size") == 0


def test_a_long_chat_is_whole_on_paper(notebook: Notebook) -> None:
    view = notebook.chat("ChatWidget(Scripted([['Yes.']]), height=300, conversation=talk(*['A line.\\nMore.'] * 200))")
    tall = "log => log.scrollHeight > log.clientHeight + 100"
    assert view.log.evaluate(tall)
    notebook.page.emulate_media(media="print")
    try:
        assert not view.log.evaluate(tall)
        heights = view.turns.evaluate_all("all => all.map(one => one.querySelector('.dgpt-text').clientHeight)")
        assert len(heights) == 200
        assert min(heights) >= 48
        expect(view.box).to_be_hidden()
    finally:
        notebook.page.emulate_media(media="screen")
    assert view.log.evaluate(tall)


def test_only_turns_near_the_reader_carry_buttons_and_the_place_holds(notebook: Notebook) -> None:
    turns = "[f'{n}: ' + 'some words ' * (n % 40) for n in range(500)]"
    view = notebook.chat(f"ChatWidget(Scripted([words(40)], rate=20), height=300, conversation=talk(*{turns}))")
    expect(view.turns).to_have_count(500)
    below = "log => log.scrollHeight - log.scrollTop - log.clientHeight"
    notebook.until(lambda: view.log.evaluate(below) <= 24)
    assert 0 < view.log.locator("[role=toolbar]").count() < 100
    view.log.hover()
    for _ in range(12):
        notebook.page.mouse.wheel(0, -500)
        notebook.page.wait_for_timeout(50)
    expect(view.button("Jump to latest")).to_be_visible()
    assert view.log.locator("[role=toolbar]").count() < 100
    place = view.log.evaluate(_FIRST)
    assert 0 < place < 490
    view.send("Go on.")
    view.wait_for_replies(251)
    notebook.until(lambda: view.log.evaluate(below) <= 24)


def test_the_turn_that_the_reader_selects_is_known_to_code(notebook: Notebook) -> None:
    view = notebook.chat("ChatWidget(Scripted([['Yes.']]), conversation=talk('Hi', 'Hello.'))")
    view.turns.nth(1).locator(".dgpt-text").click()
    expect(view.turns.nth(1)).to_have_attribute("aria-current", "true")
    notebook.until(lambda: notebook.ask("getattr(chat.selected, 'text', None)") == "Hello.")
    notebook.run("chat.selected.text")
    assert notebook.ask("chat.selected.text") == "Hello."
    view.turns.nth(1).focus()
    notebook.page.keyboard.press("Escape")
    notebook.until(lambda: notebook.ask("chat.selected is None"))
    expect(view.turns.nth(1)).not_to_have_attribute("aria-current", "true")
