"""Every panel for everybody: with a screen reader, with the keyboard alone, narrow, enlarged, in few colours."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from .conftest import PICTURES
from .lab import Lab
from .looking import assert_accessible, assert_no_sideways, set_theme, walk
from .notebook import Notebook, View

PANELS = {
    "Settings": "Settings",
    "Keep": "Keep",
    "Model": "Ready, model details",
    "Inspect": "Inspect",
    "Decide": "Decide",
}
TALK = (
    "ChatWidget(Scripted([words(900)], rate=20), settings=Settings(temperature=0.5), conversation=talk('Hi', 'Yes.'))"
)
MINI = 'ChatWidget("mini", settings=Settings(seed=5, max_new_tokens=24))'


SEVERAL = 'ChatWidget("mini", settings=Settings(seed=5, max_new_tokens=24, candidates=5))'


def _chat(notebook: Notebook, panel: str) -> View:
    """A chat that has the panel: of what a model has said tokens can be inspected, and candidates chosen from."""
    if panel not in ("Inspect", "Decide"):
        return notebook.chat(TALK)
    view = notebook.chat(MINI if panel == "Inspect" else SEVERAL)
    view.send("Do you like pizza?")
    view.wait_for_replies(1)
    view.wait_until_idle()
    return view


def _open(view: View, panel: str) -> None:
    view.button(PANELS[panel]).click()
    region = view.root.get_by_role("region", name=panel)
    expect(region).to_be_visible()
    if panel == "Decide":
        for name in ("How to choose", "Side by side"):
            region.get_by_role("heading", name=name, exact=True).click()
        expect(region.get_by_role("table")).to_be_visible()
    if panel == "Inspect":
        for name in ("Context", "Score", "Deeper"):
            region.get_by_role("heading", name=name, exact=True).click()
        region.get_by_role("button", name="Look inside").click()
        expect(region.locator(".dgpt-lens")).to_be_visible()


def _walk(view: View) -> list[str]:
    """Walks through a view; lists to choose from and what unfolds are stops of the Tab key too."""
    view.root.evaluate("root => root.querySelectorAll('select, summary').forEach(one => { one.tabIndex = 0; })")
    return walk(view.root)


@pytest.fixture
def themed(notebook: Notebook) -> Iterator[Notebook]:
    yield notebook
    notebook.page.set_viewport_size({"width": 1280, "height": 900})
    set_theme(notebook, "light")


@pytest.mark.parametrize("panel", PANELS)
def test_every_panel_is_accessible_in_both_themes_and_widths(themed: Notebook, panel: str) -> None:
    view = _chat(themed, panel)
    themed.page.set_viewport_size({"width": 1600, "height": 900})
    _open(view, panel)
    PICTURES.mkdir(exist_ok=True)
    for theme in ("light", "dark"):
        set_theme(themed, theme)
        expect(view.root).to_have_attribute("data-scheme", theme)
        for width in (1200, 760, 320):
            view.root.evaluate("(root, width) => { root.parentElement.style.width = `${width}px`; }", width)
            themed.page.wait_for_timeout(300)  # transitions of colour end before the picture is taken
            view.root.screenshot(path=PICTURES / f"panel-{panel.lower()}-{theme}-{width}.png")
            assert_no_sideways(view.root)
            assert_accessible(view.root, f"{panel} {theme} {width}")


def test_a_panel_stays_accessible_while_a_reply_runs_and_with_a_refusal(themed: Notebook) -> None:
    view = themed.chat(TALK)
    view.send("Go on.")
    view.wait_for_text()
    _open(view, "Settings")
    field = view.root.get_by_role("textbox", name="Temperature")
    field.fill("99")
    field.press("Enter")
    expect(view.root.get_by_role("alert").filter(has_text="temperature is from")).to_be_visible()
    for theme in ("light", "dark"):
        set_theme(themed, theme)
        themed.page.wait_for_timeout(300)
        assert_accessible(view.root, f"refusal {theme}")


def test_an_error_with_a_panel_open_is_accessible(themed: Notebook) -> None:
    view = themed.chat('ChatWidget("someone/no-such-model")', load=False)
    expect(view.notice).to_be_visible()
    view.state.click()
    for theme in ("light", "dark"):
        set_theme(themed, theme)
        themed.page.wait_for_timeout(300)
        assert_accessible(view.root, f"error {theme}")


@pytest.mark.parametrize("panel", PANELS)
def test_the_keyboard_reaches_everything_and_shows_where_it_is(notebook: Notebook, panel: str) -> None:
    view = _chat(notebook, panel)
    button = view.button(PANELS[panel])
    button.focus()
    notebook.page.keyboard.press("Enter")
    region = view.root.get_by_role("region", name=panel)
    expect(region.get_by_role("heading", name=panel, exact=True)).to_be_focused()
    names = _walk(view)
    assert "Message" in names
    assert "Close" in names
    region.get_by_role("button", name="Close").focus()
    notebook.page.keyboard.press("Escape")
    expect(region).to_be_hidden()
    expect(button).to_be_focused()


def test_leaving_a_long_panel_brings_its_button_into_sight(notebook: Notebook) -> None:
    view = notebook.chat(TALK)
    _open(view, "Settings")
    view.root.get_by_role("button", name="Reset all").focus()
    expect(view.button("Settings")).not_to_be_in_viewport()
    notebook.page.keyboard.press("Escape")
    expect(view.button("Settings")).to_be_focused()
    expect(view.button("Settings")).to_be_in_viewport()


def test_shortcuts_that_the_chat_has_no_use_for_are_the_notebooks(notebook: Notebook) -> None:
    view = notebook.chat(TALK)
    view.box.fill("Half a sen")
    notebook.page.evaluate("() => { jupyterapp.shell.currentWidget.context.model.dirty = true; }")
    cells = notebook.page.locator(".jp-Notebook .jp-Cell").count()
    for key in ("Control+z", "Control+Enter", "Control+s"):
        view.box.press(key)
        expect(view.box).to_be_focused()
    notebook.page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")
    expect(notebook.page.locator(".jp-Notebook .jp-Cell")).to_have_count(cells)


def test_a_panel_stands_beside_the_chat_where_there_is_room_and_below_where_there_is_not(notebook: Notebook) -> None:
    view = notebook.chat(TALK)
    notebook.page.set_viewport_size({"width": 1700, "height": 900})
    closed = view.root.bounding_box()
    _open(view, "Settings")
    region = view.root.get_by_role("region", name="Settings")
    beside, chat, card = region.bounding_box(), view.log.bounding_box(), view.root.bounding_box()
    assert closed
    assert beside
    assert chat
    assert card
    assert closed["width"] == 760
    assert card["width"] == 1120
    assert beside["x"] >= chat["x"] + chat["width"]
    assert beside["height"] == pytest.approx(card["height"], abs=2)
    view.root.evaluate("root => { root.parentElement.style.width = '880px'; }")
    below, box = region.bounding_box(), view.box.bounding_box()
    assert below
    assert box
    assert below["y"] > box["y"] + box["height"]
    notebook.page.set_viewport_size({"width": 1280, "height": 900})


def test_opening_a_panel_leaves_the_reader_where_they_are(notebook: Notebook) -> None:
    lines = "'A line that is long enough to be broken once there is a panel beside it, which takes some room. ' * 4"
    view = notebook.chat(f"ChatWidget(Scripted([['Yes.']]), height=300, conversation=talk(*[{lines}] * 30))")
    notebook.page.set_viewport_size({"width": 1500, "height": 900})
    view.log.hover()
    notebook.page.mouse.wheel(0, -1200)
    first = """log => {
        const edge = log.getBoundingClientRect().top;
        const seen = [...log.querySelectorAll("article")].find(one => one.getBoundingClientRect().bottom > edge);
        return [seen.dataset.turn, Math.round(seen.getBoundingClientRect().top - edge)];
    }"""
    notebook.page.wait_for_timeout(200)  # the wheel has come to rest
    before = view.log.evaluate(first)
    for act in (lambda: _open(view, "Settings"), lambda: view.button("Settings").click()):
        act()
        after = view.log.evaluate(first)
        assert after[0] == before[0]
        assert abs(after[1] - before[1]) <= 2
    notebook.page.set_viewport_size({"width": 1280, "height": 900})


@pytest.mark.parametrize("panel", PANELS)
def test_a_page_enlarged_twice_loses_nothing(
    lab: Lab, notebook: Notebook, open_page: Callable[..., Page], panel: str
) -> None:
    page = open_page(viewport={"width": 640, "height": 450}, device_scale_factor=2)
    view = _chat(Notebook(lab, page, notebook.name), panel)
    _open(view, panel)
    assert_no_sideways(view.root)
    _walk(view)


@pytest.mark.parametrize("panel", PANELS)
def test_few_colours_are_enough(lab: Lab, notebook: Notebook, open_page: Callable[..., Page], panel: str) -> None:
    page = open_page(forced_colors="active")
    view = _chat(Notebook(lab, page, notebook.name), panel)
    _open(view, panel)
    page.wait_for_timeout(300)
    view.root.screenshot(path=PICTURES / f"panel-{panel.lower()}-forced.png")
    assert_accessible(view.root, f"{panel} forced")
    _walk(view)
