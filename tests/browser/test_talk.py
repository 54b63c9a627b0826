"""Saying something and watching the answer come."""

from __future__ import annotations

import itertools
import re

from playwright.sync_api import expect

from .notebook import Notebook
from .watching import InputMethod, samples, watch_newest_reply

SLOW = "ChatWidget(Slow(0.03), settings=LONG)"
QUICK = "ChatWidget(Scripted([['Yes', '.']]))"


def test_a_message_is_answered_and_the_page_shows_what_the_kernel_holds(notebook: Notebook) -> None:
    view = notebook.chat()
    view.send("Hello, how are you?")
    view.wait_for_replies(1)
    assert view.texts() == notebook.said()
    assert view.texts()[0] == "Hello, how are you?"
    expect(view.box).to_have_value("")
    expect(view.box).to_be_focused()


def test_a_chat_opens_with_the_models_name_what_it_is_and_three_ways_to_begin(notebook: Notebook) -> None:
    view = notebook.chat()
    expect(view.root).to_contain_text("mini")
    expect(view.root).to_contain_text("not a person")
    starters = view.root.get_by_role("group", name="Ways to begin").get_by_role("button")
    expect(starters).to_have_count(3)
    first = starters.first.inner_text()
    starters.first.click()
    view.wait_for_replies(1)
    assert view.texts()[0] == first
    expect(starters.first).to_be_hidden()


def test_a_reply_grows_on_the_page_and_settles_as_the_kernel_holds_it(notebook: Notebook) -> None:
    view = notebook.chat(SLOW)
    watch_newest_reply(view.root)
    view.send("Hello, how are you?")
    view.wait_for_replies(1)
    grown = [text for text in samples(view.root) if text]
    assert len(grown) >= 10
    assert all(after.startswith(before) for before, after in itertools.pairwise(grown))
    assert grown[-1] == notebook.said()[-1]


def test_shift_enter_begins_a_line_and_enter_sends_both(notebook: Notebook) -> None:
    view = notebook.chat(QUICK)
    view.box.fill("one")
    view.box.press("Shift+Enter")
    view.box.press_sequentially("two")
    expect(view.box).to_have_value("one\ntwo")
    expect(view.turns).to_have_count(0)
    view.box.press("Enter")
    view.wait_for_replies(1)
    assert view.texts()[0] == "one\ntwo"


def test_the_button_sends_and_gives_the_focus_back(notebook: Notebook) -> None:
    view = notebook.chat(QUICK)
    view.box.fill("Hello!")
    view.button("Send").click()
    view.wait_for_replies(1)
    expect(view.box).to_be_focused()


def test_an_empty_message_is_not_sent(notebook: Notebook) -> None:
    view = notebook.chat(QUICK)
    view.box.fill(" \n ")
    view.box.press("Enter")
    view.send("Hello!")
    view.wait_for_replies(1)
    assert [text for text in view.texts() if not text.strip()] == []
    assert len(notebook.said()) == 2


def test_enter_that_ends_a_composition_does_not_send(notebook: Notebook) -> None:
    view = notebook.chat(QUICK)
    view.box.focus()
    method = InputMethod(notebook.page)
    method.compose("にほん")
    method.enter()
    expect(view.box).to_have_value("にほん")
    method.commit("日本")
    expect(view.box).to_have_value("日本")
    expect(view.turns).to_have_count(0)
    view.box.press("Enter")
    view.wait_for_replies(1)
    assert view.texts()[0] == "日本"
    assert notebook.said()[0] == "日本"


def test_the_same_message_twice_is_answered_twice(notebook: Notebook) -> None:
    view = notebook.chat(QUICK)
    view.send("Hello!")
    view.wait_for_replies(1)
    view.send("Hello!")
    view.wait_for_replies(2)
    assert view.texts() == notebook.said()
    assert view.texts()[::2] == ["Hello!", "Hello!"]


def test_code_sends_while_its_cell_runs_and_gets_the_turn(notebook: Notebook) -> None:
    view = notebook.chat(SLOW)
    watch_newest_reply(view.root)
    cell = notebook.run('turn = chat.send("Hello, how are you?")', wait=False)
    view.wait_for_text()
    assert cell.running
    cell.wait()
    view.wait_for_replies(1)
    assert cell.errors() == []
    assert len(samples(view.root)) >= 10
    assert view.texts() == notebook.said()
    assert notebook.ask("[turn.role, turn.text, turn.stop, len(turn.ids)]")[:2] == ["assistant", view.texts()[1]]


def test_two_views_of_a_chat_show_the_same_and_either_sends(notebook: Notebook) -> None:
    first = notebook.chat(SLOW)
    second = notebook.run("chat").view
    expect(second.box).to_be_visible()
    first.send("Hello, how are you?")
    second.wait_for_text()
    first.wait_for_replies(1)
    second.wait_for_replies(1)
    notebook.run("chat.settings = Settings(max_new_tokens=8)")
    second.send("And again?")
    second.wait_for_replies(2)
    first.wait_for_replies(2)
    assert first.texts() == second.texts() == notebook.said()


def test_two_chats_on_one_model_answer_in_turn(notebook: Notebook) -> None:
    notebook.run("model = Slow(0.03)")
    first = notebook.chat("ChatWidget(model, settings=LONG)")
    cell = notebook.run("other = ChatWidget(model, settings=Settings(max_new_tokens=8))\nother")
    second = cell.view
    second.wait_until_idle()
    first.send("Hello, how are you?")
    first.wait_for_text()
    second.send("What about me?")
    expect(second.root).to_contain_text("Waiting for another reply on this model")
    expect(first.replies).to_have_count(1)
    second.wait_for_replies(1)
    first.wait_for_replies(1)
    ended = notebook.ask("[chat.conversation.turns[-1].created, other.conversation.turns[-1].created]")
    assert ended[0] < ended[1]
    assert second.texts() == notebook.ask("[message['content'] for message in other.messages]")


def test_a_paused_chat_lets_another_on_its_model_answer_and_says_when_it_waits_itself(notebook: Notebook) -> None:
    notebook.run("model = Slow(0.03)")
    first = notebook.chat("ChatWidget(model, settings=LONG)")
    second = notebook.run("other = ChatWidget(model, settings=LONG)\nother").view
    second.wait_until_idle()
    notebook.run("chat.pace.pause()")
    first.send("Hello, how are you?")
    notebook.until(lambda: notebook.ask("chat.pace.waiting"))
    second.send("What about me?")
    second.wait_for_replies(1)
    second.send("And me again?")
    second.wait_for_text()
    notebook.ask("chat.pace.run()")
    expect(first.root).to_contain_text("Waiting for another reply on this model")
    expect(first.stop).to_be_visible()
    first.wait_for_replies(1)
    expect(second.replies).to_have_count(2)
    expect(first.root).not_to_contain_text("Waiting for another reply")
    assert first.texts() == notebook.said()


def test_the_model_in_use_is_described_on_request(notebook: Notebook) -> None:
    view = notebook.chat()
    view.send("Hello!")
    view.wait_for_replies(1)
    expect(view.state).to_have_attribute("aria-expanded", "false")
    view.state.click()
    expect(view.state).to_have_attribute("aria-expanded", "true")
    for name, value in [
        ("Model", r"mini"),
        ("Parameters", r"[\d.]+ million"),
        ("Device", r"CPU\b.*"),
        ("Precision", r"float32"),
        ("Window", r"\d+ tokens"),
        ("Last reply", r"[\d.]+ tokens/s"),
    ]:
        term = view.root.get_by_role("term").filter(has_text=re.compile(f"^{name}$"))
        expect(term.locator("xpath=following-sibling::*[1]")).to_have_text(re.compile(f"^{value}$"))
    expect(view.root.get_by_text("It makes things up")).to_be_visible()
    notebook.page.keyboard.press("Escape")
    expect(view.state).to_have_attribute("aria-expanded", "false")


def test_another_precision_is_a_click_and_says_what_it_costs(notebook: Notebook) -> None:
    view = notebook.chat()
    view.send("Hello!")
    view.wait_for_replies(1)
    view.state.click()
    current = view.root.locator("[data-name=float32]")
    expect(current).to_have_attribute("aria-current", "true")
    view.root.locator("[data-name=int8]").click()
    expect(
        view.root.get_by_text(re.compile(r"In int8 its distributions are [\d.e-]+ nat from float32"))
    ).to_be_visible()
    expect(current).to_have_attribute("aria-current", "false")
    notebook.page.keyboard.press("Escape")
    view.send("And now?")
    view.wait_for_replies(2)
    assert notebook.ask("[turn.precision for turn in chat.path][-1]") == "int8"


def test_the_window_is_measured_once_it_is_mostly_full(notebook: Notebook) -> None:
    settings = "Settings(max_context=100, max_new_tokens=10)"
    view = notebook.chat(
        f"ChatWidget(Scripted([['Yes.']]), settings={settings}, conversation=talk(*['word ' * 10] * 4))"
    )
    meter = view.root.get_by_text(re.compile(r"\d+ of 100 tokens"))
    expect(view.turns).to_have_count(4)
    expect(meter).to_be_hidden()
    view.send("word " * 20)
    view.wait_for_replies(3)
    expect(meter).to_be_visible()
