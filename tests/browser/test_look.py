"""How a chat looks and how it is walked through: themes, widths, scrolling, the keyboard."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from .conftest import PICTURES
from .lab import Lab
from .looking import assert_accessible, assert_no_sideways, set_theme
from .notebook import Notebook, View

ANSWER = "It buys a lot of things that make it easier to be happy."
SAID = f"talk('Does money buy happiness?', '{ANSWER}', 'Such as?', 'Time, mostly.')"
SCENES = {
    "empty": 'ChatWidget("mini")',
    "talk": f"ChatWidget(Scripted([words(900)], rate=10), conversation={SAID})",
    "stream": f"ChatWidget(Scripted([words(900)], rate=10), conversation={SAID})",
    "error": 'ChatWidget("someone/no-such-model")',
}
LONG_TALK = "talk(*['A line.\\nAnother line.\\nA third one.'] * 30)"


def _show(notebook: Notebook, scene: str) -> View:
    view = notebook.chat(SCENES[scene], load=False)
    if scene == "error":
        expect(view.notice).to_be_visible()
        return view
    view.wait_until_idle()
    if scene == "stream":
        view.send("What would you do with a million?")
        view.send("And then?")
        expect(view.root.get_by_role("listitem")).to_be_visible()
        view.wait_for_text(longer_than=20)
    return view


@pytest.fixture
def themed(notebook: Notebook) -> Iterator[Notebook]:
    yield notebook
    notebook.page.set_viewport_size({"width": 1280, "height": 900})
    set_theme(notebook, "light")


@pytest.mark.parametrize(
    ("box", "count", "width"),
    [
        ("HBox([chat, other], layout=Layout(width='900px'))", 2, 445),
        ("VBox([chat], layout=Layout(width='600px'))", 1, 590),
        ("Box([chat], layout=Layout(width='320px'))", 1, 310),
        ("chat.layout.width = '500px'\nHBox([chat, other], layout=Layout(width='900px'))", 2, 500),
    ],
)
def test_a_chat_fills_its_share_of_a_box(notebook: Notebook, box: str, count: int, width: int) -> None:
    made = "chat, other = (ChatWidget(Scripted([['Yes.']])) for _ in range(2))"
    view = notebook.run(f"from ipywidgets import Box, HBox, Layout, VBox\n{made}\n{box}").view
    expect(view.root).to_have_count(count)
    shown = [one.evaluate("root => root.getBoundingClientRect().width") for one in view.root.all()]
    assert shown[0] == pytest.approx(width, abs=10)
    assert sum(shown) <= 900


@pytest.mark.parametrize("scene", SCENES)
def test_every_scene_is_legible_in_both_themes_and_widths(themed: Notebook, scene: str) -> None:
    view = _show(themed, scene)
    PICTURES.mkdir(exist_ok=True)
    for theme in ("light", "dark"):
        set_theme(themed, theme)
        expect(view.root).to_have_attribute("data-scheme", theme)
        for width in (1280, 320):
            view.root.evaluate(
                "(root, width) => { root.parentElement.style.width = width === 320 ? '320px' : ''; }", width
            )
            themed.page.wait_for_timeout(300)  # transitions of colour end before the picture is taken
            view.root.screenshot(path=PICTURES / f"{scene}-{theme}-{width}.png")
            assert_no_sideways(view.root)
            assert_accessible(view.root, f"{scene} {theme} {width}")


_CONTRAST = """bubble => {
    const light = element => {
        const context = document.createElement("canvas").getContext("2d");
        context.fillStyle = getComputedStyle(element).backgroundColor;
        context.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map(one => one / 255)
            .map(one => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
    };
    const [low, high] = [light(bubble), light(bubble.closest(".dgpt"))].sort((a, b) => a - b);
    return high / low;
}"""


def test_a_message_stands_out_from_a_dark_page(themed: Notebook) -> None:
    view = _show(themed, "talk")
    set_theme(themed, "dark")
    expect(view.root).to_have_attribute("data-scheme", "dark")
    themed.page.wait_for_timeout(300)  # the transition of its colour ends
    assert view.turns.first.locator(".dgpt-text").evaluate(_CONTRAST) > 1.4


def test_turns_stand_close_and_their_actions_fit_between_them(notebook: Notebook) -> None:
    view = _show(notebook, "talk")
    boxes = [one.bounding_box() for one in view.log.locator(".dgpt-text").all()]
    gaps = [below["y"] - above["y"] - above["height"] for above, below in itertools.pairwise(filter(None, boxes))]
    assert all(16 <= gap <= 32 for gap in gaps), gaps
    shown = "row => getComputedStyle(row).opacity"
    for place in range(4):
        turn = view.turns.nth(place)
        row = turn.get_by_role("toolbar")
        assert row.evaluate(shown) == ("1" if place == 3 else "0")
        turn.hover()
        assert row.evaluate(shown) == "1"
        painted = turn.evaluate("turn => turn.getBoundingClientRect().toJSON()")  # a turn paints nothing outside itself
        copy = turn.get_by_role("button", name="Copy").evaluate("copy => copy.getBoundingClientRect().toJSON()")
        assert all(painted[side] <= copy[side] for side in ("left", "top"))
        assert all(copy[side] <= painted[side] for side in ("right", "bottom"))
        assert copy["width"] == copy["height"] == 24
        view.box.hover()


def test_every_term_of_the_details_takes_one_line(notebook: Notebook) -> None:
    view = _show(notebook, "talk")
    view.send("And you?")
    view.wait_for_text()
    view.stop.click()
    view.wait_until_idle()
    view.state.click()
    for width in ("", "320px"):
        view.root.evaluate("(root, width) => { root.parentElement.style.width = width; }", width)
        for term in view.root.get_by_role("term").all():
            lines = term.evaluate(
                "term => { const all = document.createRange(); all.selectNodeContents(term); "
                "return all.getClientRects().length; }"
            )
            assert lines == 1, term.inner_text()


def test_the_newest_words_stay_in_sight_until_the_reader_goes_up(notebook: Notebook) -> None:
    view = notebook.chat(f"ChatWidget(Scripted([words(4000)], rate=100), height=300, conversation={LONG_TALK})")
    view.send("Go on.")
    view.wait_for_text(longer_than=600)
    below = "log => log.scrollHeight - log.scrollTop - log.clientHeight"
    assert view.log.evaluate(below) <= 24
    down = view.button("Jump to latest")
    expect(down).to_be_hidden()
    view.log.hover()
    notebook.page.mouse.wheel(0, -400)
    expect(down).to_be_visible()
    place = view.log.evaluate("log => log.scrollTop")
    view.wait_for_text(longer_than=len(view.texts()[-1]) + 300)
    assert view.log.evaluate("log => log.scrollTop") == place
    assert view.log.evaluate(below) > 24
    down.click()
    expect(down).to_be_hidden()
    view.wait_for_text(longer_than=len(view.texts()[-1]) + 300)
    assert view.log.evaluate(below) <= 24


def test_a_reply_never_scrolls_the_page_around_it(notebook: Notebook) -> None:
    notebook.run("print('\\n' * 60)")
    view = notebook.chat(f"ChatWidget(Scripted([words(400)], rate=200), height=300, conversation={LONG_TALK})")
    positions = """() => [...document.querySelectorAll('*')].filter(one => !one.closest('.dgpt') && one.scrollTop > 0)
        .map(one => [one.className, Math.round(one.scrollTop)])"""
    view.box.fill("Go on.")
    before = notebook.page.evaluate(positions)
    view.box.press("Enter")
    view.wait_for_replies(16)
    assert notebook.page.evaluate(positions) == before


def test_copy_works_on_a_page_without_a_clipboard_of_its_own(
    lab: Lab, notebook: Notebook, open_page: Callable[..., Page]
) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.add_init_script(
        "window.__copied = []; document.addEventListener('copy', () => window.__copied.push(String("
        "document.activeElement.value ?? getSelection()).slice(document.activeElement.selectionStart)));"
        "Object.defineProperty(Navigator.prototype, 'clipboard', {get: () => undefined});"
    )
    plain = Notebook(lab, page, notebook.name)
    view = plain.chat(f"ChatWidget(Scripted([['Yes.']]), conversation={SAID})")
    view.turns.nth(1).hover()
    view.turns.nth(1).get_by_role("button", name="Copy").click()
    expect(view.turns.nth(1).get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("window.__copied") == [ANSWER]
    view.box.focus()
    page.keyboard.press("Control+V")
    expect(view.box).to_have_value(ANSWER)


def test_copy_uses_the_pages_clipboard_where_there_is_one(
    lab: Lab, notebook: Notebook, open_page: Callable[..., Page]
) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    view = Notebook(lab, page, notebook.name).chat("ChatWidget(Scripted([['Yes.']]), conversation=talk('a\\n <b>'))")
    view.turns.first.hover()
    view.turns.first.get_by_role("button", name="Copy").click()
    expect(view.turns.first.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "a\n <b>"


def test_everything_is_reached_and_done_with_the_keyboard_alone(notebook: Notebook) -> None:
    view = notebook.chat("ChatWidget(Scripted([['Yes.'], words(900)], rate=20))")
    press = notebook.page.keyboard.press
    view.state.focus()
    press("Enter")
    expect(view.state).to_have_attribute("aria-expanded", "true")
    press("Escape")
    expect(view.state).to_be_focused()
    press("Tab")
    starters = view.root.get_by_role("group", name="Ways to begin").get_by_role("button")
    expect(starters.first).to_be_focused()
    press("Enter")
    view.wait_for_replies(1)
    expect(view.box).to_be_focused()
    notebook.page.keyboard.type("And now?")
    press("Tab")
    expect(view.button("Send")).to_be_focused()
    press("Enter")
    view.wait_for_text()
    notebook.page.keyboard.type("Wait.")
    press("Enter")
    expect(view.root.get_by_role("listitem")).to_be_visible()
    press("Shift+Tab")
    expect(view.button("Withdraw")).to_be_focused()
    press("Enter")
    expect(view.box).to_have_value("Wait.")
    press("Escape")
    view.wait_until_idle()
    press("Shift+Tab")
    expect(view.turns.last.get_by_role("button", name="Copy")).to_be_focused()
    press("Shift+Tab")
    expect(view.turns.last.get_by_role("button", name="0000: ")).to_be_focused()
    press("Shift+Tab")
    expect(view.turns.last).to_be_focused()
    press("Home")
    expect(view.turns.first).to_be_focused()
    press("Tab")
    expect(view.turns.first.get_by_role("button", name="Copy")).to_be_focused()
    press("Shift+Tab")
    press("Shift+Tab")
    expect(view.log).to_be_focused()


def test_a_reply_is_announced_when_it_is_whole(notebook: Notebook) -> None:
    view = notebook.chat("ChatWidget(Scripted([words(40)], rate=20))")
    expect(view.log).to_have_count(0)
    view.send("Hello!")
    expect(view.root.get_by_role("status")).to_have_text("generating")
    expect(view.log).to_have_attribute("aria-live", "off")
    view.wait_for_replies(1)
    expect(view.root.get_by_role("status")).to_have_text(view.texts()[1])


def test_nothing_moves_for_those_who_asked_for_less_motion(notebook: Notebook) -> None:
    assert notebook.page.evaluate("matchMedia('(prefers-reduced-motion: reduce)').matches")
    view = notebook.chat("ChatWidget(Scripted([words(900)], rate=10))")
    view.send("Hello!")
    view.wait_for_text()
    running = "root => root.getAnimations({subtree: true}).filter(one => one instanceof CSSAnimation).length"
    assert view.root.evaluate(running) == 0
