"""Ending a reply, and what is said while one runs."""

from __future__ import annotations

from playwright.sync_api import expect

from .notebook import Notebook, View

TALKING = "Watched(Slow(0.2), settings=LONG)"


def _begun(notebook: Notebook) -> View:
    view = notebook.chat(TALKING)
    view.send("Hello, how are you?")
    view.wait_for_text()
    return view


def _assert_stopped_at_once(notebook: Notebook, view: View) -> None:
    view.wait_for_replies(1)
    expect(view.replies.last).to_contain_text("stopped")
    assert view.texts() == notebook.said()
    assert notebook.ask("chat.conversation.turns[-1].stop") == "user"
    asked, made = notebook.ask("[dict(chat.arrived)['stop'], chat.watched.steps]")
    assert made <= asked + 1


def test_the_stop_button_ends_a_reply_and_keeps_what_was_said(notebook: Notebook) -> None:
    view = _begun(notebook)
    view.stop.click()
    _assert_stopped_at_once(notebook, view)
    assert view.texts()[1]
    expect(view.box).to_be_focused()


def test_escape_ends_a_reply_and_keeps_what_was_said_and_the_draft(notebook: Notebook) -> None:
    view = _begun(notebook)
    view.box.fill("a draft")
    view.box.press("Escape")
    _assert_stopped_at_once(notebook, view)
    expect(view.box).to_have_value("a draft")
    expect(view.box).to_be_focused()


def test_code_stops_a_reply(notebook: Notebook) -> None:
    view = _begun(notebook)
    before = notebook.ask("chat.watched.steps")
    steps = notebook.ask("steps", "chat.stop(); steps = chat.watched.steps")
    view.wait_for_replies(1)
    expect(view.replies.last).to_contain_text("stopped")
    assert before <= notebook.ask("chat.watched.steps") <= steps + 1


def test_a_chat_goes_on_after_a_stop(notebook: Notebook) -> None:
    view = _begun(notebook)
    view.stop.click()
    view.wait_for_replies(1)
    notebook.run("chat.watched.pause = 0\nchat.settings = Settings(max_new_tokens=8)")
    view.send("Go on.")
    view.wait_for_replies(2)
    assert view.texts() == notebook.said()


def test_messages_sent_during_a_reply_wait_in_sight_and_are_answered_in_order(notebook: Notebook) -> None:
    view = _begun(notebook)
    waiting = view.root.get_by_role("list", name="Waiting to be sent").get_by_role("listitem")
    view.send("One.")
    view.send("Two.")
    expect(waiting).to_have_count(2)
    assert [text.split("\n")[0] for text in waiting.all_inner_texts()] == ["One.", "Two."]
    notebook.run("chat.watched.pause = 0")
    view.wait_for_replies(3)
    expect(waiting).to_have_count(0)
    assert view.texts() == notebook.said()
    assert view.texts()[::2] == ["Hello, how are you?", "One.", "Two."]


def test_a_waiting_message_can_be_withdrawn_into_the_draft(notebook: Notebook) -> None:
    view = _begun(notebook)
    view.send("One.")
    view.send("Two.")
    waiting = view.root.get_by_role("listitem")
    expect(waiting).to_have_count(2)
    waiting.filter(has_text="One.").get_by_role("button", name="Withdraw").click()
    expect(waiting).to_have_count(1)
    expect(view.box).to_have_value("One.")
    expect(view.box).to_be_focused()
    notebook.run("chat.watched.pause = 0")
    view.wait_for_replies(2)
    assert view.texts()[::2] == ["Hello, how are you?", "Two."]
    assert view.texts() == notebook.said()


def test_stopping_goes_on_with_what_waits(notebook: Notebook) -> None:
    view = _begun(notebook)
    view.send("One.")
    expect(view.root.get_by_role("listitem")).to_have_count(1)
    notebook.run("chat.watched.pause = 0.05")
    view.stop.click()
    view.wait_for_replies(2)
    assert notebook.ask("[turn.stop for turn in chat.conversation.turns if turn.role == 'assistant'][0]") == "user"
    assert view.texts() == notebook.said()
    assert view.texts()[2] == "One."


def test_stop_before_the_first_token_leaves_the_question_alone(notebook: Notebook) -> None:
    view = notebook.chat("Watched(Slow(1.5), settings=LONG)")
    view.send("Hello, how are you?")
    expect(view.turns.first).to_be_visible()
    view.stop.click()
    view.wait_until_idle()
    steps = notebook.ask("chat.watched.steps")
    assert steps <= 1
    if steps == 0:
        assert notebook.said() == ["Hello, how are you?"]
    assert view.texts() == notebook.said()


def test_a_message_that_is_too_long_is_refused_with_a_reason_and_stays(notebook: Notebook) -> None:
    view = notebook.chat("ChatWidget(Scripted([['Yes.']]))")
    text = "0123456789" * 100_000
    view.box.evaluate("(box, text) => { box.focus(); document.execCommand('insertText', false, text); }", text)
    view.box.press("Enter")
    expect(view.notice).to_contain_text("1,000 kB")
    expect(view.notice).to_contain_text("64 kB can be sent")
    assert view.box.input_value() == text
    expect(view.turns).to_have_count(0)
    assert notebook.said() == []
    view.send("Shorter.")
    view.wait_for_replies(1)
    expect(view.notice).to_have_count(0)
