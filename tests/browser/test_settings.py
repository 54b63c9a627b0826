"""Settings and models, changed from the page: what the kernel then has, and what it refuses."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from .notebook import Notebook, View


def _open(view: View, name: str) -> Locator:
    view.button(name).click()
    panel = view.root.get_by_role("region", name=name)
    expect(panel).to_be_visible()
    return panel


def _until_kernel_has(notebook: Notebook, **values: object) -> None:
    notebook.until(lambda: {name: notebook.ask("chat.settings.to_dict()")[name] for name in values} == values)


def test_the_panel_has_a_row_for_every_setting_that_can_be_set(notebook: Notebook) -> None:
    panel = _open(notebook.chat("ChatWidget(Scripted([['Yes.']]))"), "Settings")
    schema = notebook.ask("Settings.schema()")
    free = [row for row in schema if row["type"] == "bool" or row["min"] != row["max"]]
    assert len(free) >= 10
    rows = panel.locator(".dgpt-setting")
    expect(rows).to_have_count(len(free))
    for row in free:
        one = rows.filter(has=notebook.page.get_by_text(row["name"], exact=True))
        expect(one).to_contain_text(row["help"])


def test_a_value_that_is_set_is_the_kernels_and_the_next_reply_is_made_with_it(notebook: Notebook) -> None:
    view = notebook.chat("ChatWidget(Scripted([['One ', 'two ', 'three ', 'four.']]))")
    panel = _open(view, "Settings")
    field = panel.get_by_role("textbox", name="Temperature")
    field.fill("0,75")
    field.press("Enter")
    _until_kernel_has(notebook, temperature=0.75)
    expect(field).to_have_value("0.75")
    expect(panel.get_by_role("slider", name="Temperature")).to_have_value("0.75")
    slider = panel.get_by_role("slider", name="Top k")
    slider.focus()
    for _ in range(3):
        slider.press("ArrowRight")
    _until_kernel_has(notebook, top_k=43)
    panel.get_by_role("switch", name="Draw at random").click()
    _until_kernel_has(notebook, do_sample=False)
    panel.get_by_role("textbox", name="Seed").fill("9007199254740991")
    panel.get_by_role("textbox", name="Seed").press("Tab")
    _until_kernel_has(notebook, seed=2**53 - 1)
    view.send("Count!")
    view.wait_for_replies(1)
    made = notebook.ask("chat.turns[-1].settings.to_dict()")
    assert (made["temperature"], made["top_k"], made["do_sample"], made["seed"]) == (0.75, 43, False, 2**53 - 1)


def test_what_is_not_allowed_is_explained_at_its_row_and_goes_back(notebook: Notebook) -> None:
    panel = _open(notebook.chat("ChatWidget(Scripted([['Yes.']]))"), "Settings")
    before = notebook.ask("chat.settings.to_dict()")
    for name, written, words in (
        ("Top p", "1.5", "top_p is from 0.0 to 1.0, not 1.5."),
        ("Longest reply", "2.5", "max_new_tokens is a whole number, not 2.5."),
        ("Shortest reply", "many", "min_new_tokens is a whole number, not 'many'."),
        ("Shortest reply", "200", "lower the one or raise the other"),
        ("Window", "", "max_context is a whole number, not ''."),
    ):
        row = panel.locator(".dgpt-setting").filter(has=notebook.page.get_by_role("textbox", name=name))
        field = row.get_by_role("textbox")
        value = field.input_value()
        field.fill(written)
        field.press("Enter")
        expect(row.get_by_role("alert")).to_contain_text(words)
        expect(field).to_have_value(value)
    assert notebook.ask("chat.settings.to_dict()") == before


def test_what_differs_is_marked_and_goes_back_alone_or_with_all(notebook: Notebook) -> None:
    view = notebook.chat("ChatWidget(Scripted([['Yes.']]), settings=Settings(temperature=0.5, min_p=0.1))")
    panel = _open(view, "Settings")
    reset = panel.get_by_role("button", name=re.compile("^Reset .* to"))
    expect(reset).to_have_count(2)
    panel.get_by_role("button", name="Reset Temperature to 1").click()
    _until_kernel_has(notebook, temperature=1.0, min_p=0.1)
    expect(reset).to_have_count(1)
    expect(panel.get_by_role("textbox", name="Temperature")).to_be_focused()
    panel.get_by_role("button", name="Reset all").click()
    notebook.until(lambda: bool(notebook.ask("chat.settings == Settings()")))
    expect(reset).to_have_count(0)


@pytest.mark.parametrize("name", ["Greedy", "Lively"])
def test_a_preset_is_the_one_that_the_kernel_knows(notebook: Notebook, name: str) -> None:
    panel = _open(notebook.chat("ChatWidget(Scripted([['Yes.']]), settings=Settings(seed=3))"), "Settings")
    panel.get_by_role("button", name=name).click()
    expect(panel.get_by_role("button", pressed=True)).to_have_text(name)
    applied = f"next(p for p in PRESETS if p.name == {name!r}).applied(Settings(seed=3)).to_dict()"
    same = notebook.ask(f"chat.settings.to_dict() == {applied}", "from dialogpt_widget.settings import PRESETS")
    assert same


def test_a_change_from_code_appears_in_the_panel(notebook: Notebook) -> None:
    panel = _open(notebook.chat("ChatWidget(Scripted([['Yes.']]))"), "Settings")
    notebook.run("chat.settings = chat.settings.replace(temperature=0.3, top_k=0, top_p=1.0, seed=5)")
    expect(panel.get_by_role("textbox", name="Seed")).to_have_value("5")
    expect(panel.get_by_role("slider", name="Temperature")).to_have_value("0.3")
    expect(panel.get_by_role("button", pressed=True)).to_have_text("Dull")


def _model(view: View) -> Locator:
    view.state.click()
    return view.root.get_by_role("region", name="Model")


def test_another_model_answers_and_the_conversation_stays(notebook: Notebook) -> None:
    view = notebook.chat("ChatWidget(Scripted([['Yes.']]))")
    view.send("Hello!")
    view.wait_for_replies(1)
    panel = _model(view)
    expect(panel.get_by_role("button", name="DialoGPT-large")).to_contain_text("1.75 GB to download")
    panel.get_by_role("button", name="mini").click()
    expect(view.root).to_have_accessible_name(re.compile("mini"))
    view.wait_until_idle()
    expect(panel.get_by_role("button", name="mini")).to_have_attribute("aria-current", "true")
    view.send("How are you?")
    view.wait_for_replies(2)
    assert view.texts() == notebook.said()
    assert notebook.ask("[turn.model for turn in chat.turns][1::2]") == ["scripted", "mini"]


def test_a_model_can_be_named_and_is_refused_while_a_reply_runs(notebook: Notebook) -> None:
    view = notebook.chat("ChatWidget(Scripted([words(900)], rate=20))")
    view.send("Hello!")
    view.wait_for_text()
    panel = _model(view)
    name = panel.get_by_role("textbox", name="Another model")
    name.fill("mini")
    panel.get_by_role("button", name="Use").click()
    expect(panel.get_by_role("alert")).to_contain_text("stop it first")
    expect(name).to_have_value("mini")
    view.stop.click()
    view.wait_until_idle()
    name.press("Enter")
    expect(view.root).to_have_accessible_name(re.compile("mini"))
    expect(name).to_have_value("")
    expect(panel.get_by_role("alert")).to_have_text("")
