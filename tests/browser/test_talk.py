"""Saying something and watching the answer come."""

from __future__ import annotations

from playwright.sync_api import expect

from .notebook import Notebook


def test_a_message_is_answered_and_the_page_shows_what_the_kernel_holds(notebook: Notebook) -> None:
    view = notebook.chat()
    view.send("Hello, how are you?")
    view.wait_for_replies(1)
    assert view.texts() == notebook.said()
    assert view.texts()[0] == "Hello, how are you?"
    expect(view.box).to_have_value("")
