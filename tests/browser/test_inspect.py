"""The words of a reply: clicked, read, forked, explained; with the mouse, with the keyboard, without a kernel."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from .looking import assert_accessible, assert_no_sideways, set_theme
from .notebook import Notebook, View
from .turning import TurnOf

WILD = "ChatWidget('mini', settings=Settings(seed=11, temperature=1.5, top_p=0.95, max_new_tokens=24))"
PRESSES = 3  # in which each task can be done


@pytest.fixture
def themed(notebook: Notebook) -> Iterator[Notebook]:
    yield notebook
    notebook.page.set_viewport_size({"width": 1280, "height": 900})
    set_theme(notebook, "light")


def _talk(notebook: Notebook, source: str = WILD) -> tuple[View, TurnOf]:
    view = notebook.chat(source)
    view.send("Do you like pizza?")
    view.wait_for_replies(1)
    return view, TurnOf(view, 1)


def _words(turn: TurnOf) -> Locator:
    return turn.text.locator(".dgpt-word:not(.dgpt-end)")


def _card(turn: TurnOf) -> Locator:
    return turn.element.locator(".dgpt-card")


def _bars(turn: TurnOf) -> Locator:
    return _card(turn).get_by_role("list", name="What else there was").get_by_role("button")


def test_a_click_on_a_word_tells_of_it_and_a_click_on_a_bar_forks_there(notebook: Notebook) -> None:
    view, reply = _talk(notebook)
    before = view.texts()[1]
    expect(reply.element).to_contain_text("Click a word")
    assert "".join(_words(reply).all_inner_texts()).replace(" ", "") == before.replace(" ", "")
    _words(reply).nth(1).click()
    expect(reply.element).not_to_contain_text("Click a word")
    expect(_card(reply)).to_contain_text(re.compile(r"%, the model.s \d+(st|nd|rd|th) choice; the dice picked it"))
    expect(_card(reply)).to_contain_text("everything else")
    notebook.until(lambda: notebook.ask("getattr(chat.selected, 'index', None)") == 1)
    assert notebook.ask("chat.selected.id == chat.path[-1].ids[1]")
    _bars(reply).first.click()
    reply = TurnOf(view, 1)
    reply.assert_version(2, 2)
    view.wait_until_idle()
    assert notebook.ask(
        "[turn.ids[:1] == other.ids[:1], turn.ids[1] != other.ids[1]]", "turn, other = chat.turns[1], chat.path[1]"
    ) == [True, True]
    assert view.texts() == notebook.said()
    reply.press("Previous version")
    expect(reply.text).to_have_text(before)


def test_how_a_word_was_chosen_is_shown_step_by_step_and_sliders_ask_the_same_dice(notebook: Notebook) -> None:
    view, reply = _talk(notebook)
    _words(reply).nth(1).click()
    _card(reply).get_by_role("button", name="How was it chosen?").click()
    titles = _card(reply).locator(".dgpt-step-words > strong")
    expect(titles.last).to_contain_text("The dice:")
    shown = [title.split(":")[0] for title in titles.all_inner_texts()]
    order = ["Temperature 1.5", "Top-k 40", "Top-p 0.95", "What was left", "The dice"]
    assert shown[0].endswith("own distribution")
    assert [title for title in shown if title in order] == order
    said = notebook.ask(
        "[choice.token.id == chat.path[1].ids[1], dict(zip(FILTERS, choice.token.cut_count))['top_k']]",
        "from dialogpt_widget.dialogue.tokens import FILTERS; choice = chat.explain(1, 1)",
    )
    assert said[0]
    expect(_card(reply)).to_contain_text(f"{said[1]:,} tokens cut" if said[1] else "Cut nothing")
    slider = _card(reply).get_by_role("slider", name="Temperature")
    slider.fill("0.1")
    expect(_card(reply)).to_contain_text("Exact, over the whole vocabulary")
    expect(_card(reply)).to_contain_text("With this, the same dice hit")
    expect(titles.filter(has_text="Temperature 0.1")).to_be_visible()
    assert view.texts() == notebook.said()


def test_the_keyboard_walks_the_words_opens_the_card_forks_and_goes_back(notebook: Notebook) -> None:
    view, reply = _talk(notebook)
    before = view.texts()[1]
    view.box.focus()
    press = notebook.page.keyboard.press
    for _ in range(2):  # the buttons, the words
        press("Shift+Tab")
    focused = reply.text.locator(":focus")
    expect(focused).to_have_attribute("role", "button")
    assert reply.text.locator("[tabindex]").count() == 1
    press("Home")
    expect(_words(reply).first).to_be_focused()
    press("ArrowRight")
    expect(_words(reply).nth(1)).to_be_focused()
    expect(focused).to_have_accessible_name(re.compile(r"choice"))
    press("Enter")
    expect(_bars(reply).first).to_be_focused()
    press("ArrowDown")
    expect(_bars(reply).nth(1)).to_be_focused()
    press("Escape")
    expect(_card(reply)).to_have_count(0)
    expect(_words(reply).nth(1)).to_be_focused()
    press("Enter")
    press("Enter")
    view.wait_until_idle()
    reply = TurnOf(view, 1)
    reply.assert_version(2, 2)
    expect(reply.back).to_be_focused()
    press("Enter")
    expect(reply.text).to_have_text(before)


def test_each_task_takes_three_presses_at_most(notebook: Notebook) -> None:
    view, reply = _talk(notebook)
    before = view.texts()[1]
    bits = notebook.ask("[-float(row) for row in chat.path[1].rows['logprob'][:-1]]")
    view.box.focus()
    count = 0

    def press(key: str) -> None:
        nonlocal count
        count += 1
        notebook.page.keyboard.press(key)

    press("Alt+Period")  # find the most surprising word
    word = reply.text.locator(":focus")
    expect(word).to_have_count(1)
    place = _words(reply).evaluate_all("all => all.indexOf(document.activeElement)")
    assert place == max(range(len(bits)), key=bits.__getitem__)
    press("Enter")  # why it was chosen
    expect(_card(reply)).to_contain_text("the dice picked it")
    press("Enter")  # another word there
    assert count <= PRESSES
    view.wait_until_idle()
    reply.assert_version(2, 2)
    count = 0
    press("Enter")  # back
    expect(reply.text).to_have_text(before)
    assert count <= PRESSES


def test_each_task_takes_three_clicks_at_most(notebook: Notebook) -> None:
    view, reply = _talk(notebook)
    before = view.texts()[1]
    bits = notebook.ask("[-float(row) for row in chat.path[1].rows['logprob'][:-1]]")
    surprising = max(range(len(bits)), key=bits.__getitem__)
    clicks = 0

    def click(what: Locator) -> None:
        nonlocal clicks
        clicks += 1
        what.click()

    click(_words(reply).nth(surprising))  # underlined; what it is and why it was chosen
    expect(_card(reply)).to_contain_text("the dice picked it")
    click(_bars(reply).first)  # another word there
    assert clicks <= PRESSES
    view.wait_until_idle()
    reply.assert_version(2, 2)
    clicks = 0
    click(reply.back)  # back
    expect(reply.text).to_have_text(before)
    assert clicks <= PRESSES


def test_what_the_model_has_forgotten_is_seen_in_two_actions(notebook: Notebook) -> None:
    view = notebook.chat("ChatWidget('mini', settings=Settings(seed=1, max_context=64, max_new_tokens=24))")
    for place in range(5):
        view.send("Tell me a long story about the sea, please.")
        view.wait_for_replies(place + 1)
    assert notebook.ask("len(chat._session.chat.context.dropped)") > 0
    view.button("Inspect").click()
    panel = view.root.get_by_role("region", name="Inspect")
    panel.locator("summary").filter(has_text="Context").click()
    fallen = re.compile(r"Fell out\s*\d+ turns?, \d+ tokens")
    expect(panel).to_contain_text(fallen)
    notebook.page.keyboard.press("Escape")
    view.button("Inspect").focus()
    notebook.page.keyboard.press("Enter")
    expect(panel).to_contain_text(fallen)


def test_the_card_is_accessible_in_both_themes_and_widths(themed: Notebook) -> None:
    view, reply = _talk(themed)
    _words(reply).nth(1).click()
    _card(reply).get_by_role("button", name="How was it chosen?").click()
    expect(_card(reply)).to_contain_text("The dice:")
    for theme in ("light", "dark"):
        set_theme(themed, theme)
        expect(view.root).to_have_attribute("data-scheme", theme)
        for width in (760, 320):
            view.root.evaluate("(root, width) => { root.parentElement.style.width = `${width}px`; }", width)
            themed.page.wait_for_timeout(400)  # transitions end
            assert_no_sideways(view.root)
            assert_accessible(view.root, f"card {theme} {width}")


def test_an_exported_page_keeps_its_words_and_cards_without_a_kernel(
    notebook: Notebook, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    view, _ = _talk(notebook)
    said = view.texts()
    path = tmp_path / "chat.html"
    notebook.ask("chat.export_html(path)", f"path = {str(path)!r}")
    page = open_page(offline=True)
    page.goto(path.as_uri())
    saved = View(page.locator("body"))
    reply = TurnOf(saved, 1)
    _words(reply).nth(1).click()
    expect(_card(reply)).to_contain_text("choice; the dice picked it")
    expect(_card(reply)).to_contain_text("needs the model")
    expect(_bars(reply)).to_have_count(0)
    _card(reply).get_by_role("button", name="How was it chosen?").click()
    expect(_card(reply)).to_contain_text("From the stored record")
    expect(_card(reply)).to_contain_text("The dice:")
    assert saved.texts() == said
    assert_accessible(saved.root, "saved card")


def test_without_inspect_there_is_text_alone(notebook: Notebook) -> None:
    view, reply = _talk(notebook, WILD.replace("'mini'", "'mini', inspect=False"))
    expect(reply.text).to_have_text(notebook.said()[1])
    assert notebook.ask("[state['inspector'], state['tokens_1']]", "state = chat.get_state()") == ["", None]
    notebook.page.wait_for_timeout(500)  # nothing comes later either
    assert reply.text.evaluate("text => text.childElementCount") == 0
    assert view.root.locator("style").count() == 0


def test_words_are_found_and_marked_also_where_they_are_words_to_click(notebook: Notebook) -> None:
    view, reply = _talk(notebook)
    expect(_words(reply).first).to_be_visible()
    text = view.texts()[1]
    view.box.focus()
    notebook.page.keyboard.press("Control+f")
    part = text[2:9]
    view.root.get_by_role("textbox", name="Find in this chat").fill(part)
    expect(view.root.get_by_role("search")).to_contain_text("1 of 1")
    found = notebook.page.evaluate(
        "() => { const [one] = CSS.highlights.get('dgpt-found'); const range = document.createRange();"
        " range.setStart(one.startContainer, one.startOffset); range.setEnd(one.endContainer, one.endOffset);"
        " return range.toString(); }"
    )
    assert found == part


def test_only_replies_near_the_reader_are_made_of_words(notebook: Notebook) -> None:
    view, _ = _talk(notebook)
    for number in range(2, 12):
        view.send("And then?")
        view.wait_for_replies(number)
    view.root.evaluate("root => root.querySelector('.dgpt-log').style.setProperty('max-height', '120px')")
    count = "all => all.filter(one => one.querySelector('.dgpt-word')).length"
    notebook.until(lambda: view.replies.evaluate_all(count) < 11)
    assert view.replies.evaluate_all(count) > 0
    assert view.texts() == notebook.said()
