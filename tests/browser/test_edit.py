"""Saying things in other words: a message, a reply by hand, and what happens to a draft."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from .notebook import Notebook, View
from .turning import TurnOf
from .watching import InputMethod

TALK = "conversation=talk('How are you?', 'Fine.', 'Why?', 'Because.')"
QUICK = f"ChatWidget(Scripted([['Yes', '.'], ['No', '.']]), {TALK})"


def _assert_same(notebook: Notebook, view: View) -> None:
    notebook.until(lambda: view.texts() == notebook.said())


def test_an_edited_message_is_a_new_version_with_an_answer_of_its_own(notebook: Notebook) -> None:
    view = notebook.chat(QUICK)
    message = TurnOf(view, 2)
    message.edit("Since when?")
    message.field.press("Enter")
    expect(view.turns.nth(3).locator(".dgpt-text")).to_have_text("Yes.")
    view.wait_until_idle()
    assert view.texts() == ["How are you?", "Fine.", "Since when?", "Yes."] == notebook.said()
    message.assert_version(2, 2)
    message.back.click()
    expect(message.text).to_have_text("Why?")
    assert view.texts() == ["How are you?", "Fine.", "Why?", "Because."]
    _assert_same(notebook, view)


def test_giving_up_changes_nothing_and_gives_the_focus_back(notebook: Notebook) -> None:
    view = notebook.chat(QUICK)
    before = view.texts()
    message = TurnOf(view, 2)
    message.edit("Since when?")
    message.field.press("Escape")
    expect(message.field).to_have_count(0)
    expect(message.button("Edit")).to_be_focused()
    message.edit("Since when?")
    message.button("Cancel").click()
    expect(message.text).to_have_text("Why?")
    assert view.texts() == before == notebook.said()
    assert notebook.ask("len(chat.turns)") == 4
    message.press("Edit")
    expect(message.field).to_have_value("Why?")


def test_shift_enter_begins_a_line_and_the_save_button_saves(notebook: Notebook) -> None:
    view = notebook.chat(QUICK)
    message = TurnOf(view, 2)
    message.edit("one")
    message.field.press("Shift+Enter")
    message.field.press_sequentially("two")
    message.button("Save").click()
    view.wait_until_idle()
    expect(message.text).to_have_text("one\ntwo")
    _assert_same(notebook, view)


def test_enter_that_ends_a_composition_does_not_save(notebook: Notebook) -> None:
    view = notebook.chat(QUICK)
    message = TurnOf(view, 2)
    message.edit("")
    method = InputMethod(notebook.page)
    method.compose("にほん")
    method.enter()
    expect(message.field).to_have_value("にほん")
    method.commit("日本")
    expect(message.field).to_have_value("日本")
    assert notebook.ask("len(chat.turns)") == 4
    message.field.press("Enter")
    expect(message.text).to_have_text("日本")
    view.wait_until_idle()
    _assert_same(notebook, view)


def test_a_reply_is_written_by_hand_and_says_so_quietly(notebook: Notebook) -> None:
    view = notebook.chat(QUICK)
    view.send("And now?")
    view.wait_for_replies(3)
    reply = TurnOf(view, 5)
    expect(reply.element).not_to_contain_text("not generated here")
    reply.edit("<b>It depends.</b>")
    reply.field.press("Enter")
    expect(reply.text).to_have_text("<b>It depends.</b>")
    expect(reply.element).to_contain_text("not generated here")
    reply.assert_version(2, 2)
    _assert_same(notebook, view)
    assert notebook.ask("[chat.path[-1].stop, chat.path[-1].settings]") == [None, None]
    view.wait_until_idle()


def test_a_reply_written_by_hand_is_gone_on_with_by_the_model(notebook: Notebook) -> None:
    view = notebook.chat(f"ChatWidget('mini', settings=Settings(max_new_tokens=6, min_new_tokens=6), {TALK})")
    reply = TurnOf(view, 3)
    reply.edit("I think that")
    reply.field.press("Enter")
    expect(reply.text).to_have_text("I think that")
    reply.press("Continue")
    expect(reply.text).to_have_text(re.compile("^I think that.+"))
    view.wait_until_idle()
    reply.assert_version(3, 3)
    _assert_same(notebook, view)


def test_a_draft_that_the_kernel_refuses_stays_to_be_mended(notebook: Notebook) -> None:
    view = notebook.chat(f"ChatWidget('someone/no-such-model', {TALK})", load=False)
    expect(view.notice).to_be_visible()
    reply = TurnOf(view, 3)
    reply.edit("It depends.")
    reply.field.press("Enter")
    expect(reply.element.get_by_role("alert")).to_contain_text("needs the model")
    expect(reply.field).to_have_value("It depends.")
    expect(reply.field).to_be_focused()
    assert notebook.ask("len(chat.turns)") == 4
    reply.field.press("Escape")
    expect(reply.text).to_have_text("Because.")


def test_an_edit_during_a_reply_waits_in_sight_and_can_be_taken_back(notebook: Notebook) -> None:
    view = notebook.chat(f"ChatWidget(Scripted([words(900), ['Yes.']], rate=20), {TALK})")
    view.send("Go on.")
    view.wait_for_text()
    message = TurnOf(view, 2)
    message.edit("Since when?")
    message.field.press("Enter")
    waiting = view.root.get_by_role("listitem")
    expect(waiting).to_contain_text("New version: “Since when?”")
    waiting.get_by_role("button", name="Withdraw").click()
    expect(message.field).to_have_value("Since when?")
    expect(view.box).to_have_value("")
    message.field.press("Enter")
    expect(waiting).to_have_count(1)
    view.stop.click()
    expect(view.turns.nth(3).locator(".dgpt-text")).to_have_text("Yes.")
    view.wait_until_idle()
    assert view.texts() == ["How are you?", "Fine.", "Since when?", "Yes."] == notebook.said()


def test_escape_in_an_editor_does_not_stop_the_reply(notebook: Notebook) -> None:
    view = notebook.chat(f"ChatWidget(Scripted([words(900)], rate=20), {TALK})")
    view.send("Go on.")
    view.wait_for_text()
    message = TurnOf(view, 2)
    message.edit("Since when?")
    message.field.press("Escape")
    expect(message.field).to_have_count(0)
    expect(view.stop).to_be_visible()
    notebook.page.keyboard.press("Escape")
    view.wait_until_idle()
    assert notebook.ask("chat.path[-1].stop") == "user"
