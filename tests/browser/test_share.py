"""The same moment on another machine: what was pinned is open there, and where it differs is said."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from .notebook import Notebook
from .turning import TurnOf

CHAT = "ChatWidget('mini', settings=Settings(seed=6, max_context=256))"
ELSEWHERE = """
from dataclasses import replace
from dialogpt_widget.dialogue.files import Saved
from dialogpt_widget.dialogue.share import SharedChat, to_line
other = Conversation(next_id=2)
for turn in chat.turns:
    dice = turn.settings and turn.settings.replace(seed=turn.settings.seed + 1)
    other.add(replace(turn, settings=dice))
line = to_line(SharedChat(Saved(other, "mini", chat.settings), chat.model.fingerprint, (None, None)))
"""


def test_a_line_shows_the_chat_with_what_was_pinned(notebook: Notebook) -> None:
    view = notebook.chat(CHAT)
    view.send("I lost my keys.")
    view.wait_for_replies(1)
    said = view.texts()
    TurnOf(view, 1).text.locator(".dgpt-word").nth(3).click()
    notebook.until(lambda: notebook.ask("getattr(chat.selected, 'index', None)") is not None)
    index = notebook.ask("chat.selected.index")
    opened = notebook.run("line = chat.share()\nopened = ChatWidget.open(line)\nopened").view
    opened.wait_for_replies(1)
    opened.wait_for_texts(said)
    expect(TurnOf(opened, 1).element.locator(".dgpt-card")).to_be_visible()
    notebook.until(lambda: notebook.ask("getattr(opened.selected, 'index', None)") == index)
    expect(opened.root.get_by_text("on this machine")).to_have_count(0)
    assert notebook.ask("opened.replay(opened.path[-1]).ok") is True


def test_where_a_machine_would_say_something_else_it_says_so(notebook: Notebook) -> None:
    view = notebook.chat(CHAT)
    view.send("I lost my keys.")
    view.wait_for_replies(1)
    said = view.texts()
    opened = notebook.run(ELSEWHERE + "opened = ChatWidget.open(line)\nopened").view
    opened.wait_for_replies(1)
    opened.wait_for_texts(said)
    reply = TurnOf(opened, 1)
    expect(reply.element).to_contain_text(re.compile(r"differs from token \d+ on this machine"))
    first = notebook.ask("opened.replay(opened.path[-1]).first_difference")
    expect(reply.element).to_contain_text(f"differs from token {first} on this machine")
