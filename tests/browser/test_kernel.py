"""The chat and its kernel: a busy one, an interrupted one, a page that was reloaded, a kernel that is gone."""

from __future__ import annotations

import subprocess
import sys

from playwright.sync_api import expect

from .lab import ROOT
from .notebook import Notebook

_IMPORTS = """
import sys, time
from dialogpt_widget import ChatWidget
chat = ChatWidget()
time.sleep(2)
print(sorted({"torch", "transformers"} & set(sys.modules)))
"""


def test_a_message_is_answered_while_a_cell_keeps_the_kernel_busy(notebook: Notebook) -> None:
    view = notebook.chat()
    notebook.run("settled = []\nchat.on_turn(lambda turn: settled.append(time.time()))")
    busy = notebook.keep_busy("time.sleep(10)\nended = time.time()")
    view.send("Hello, how are you?")
    view.wait_for_replies(1)
    assert busy.running
    busy.wait()
    assert notebook.ask("max(settled) < ended")
    assert view.texts() == notebook.said()


def test_interrupting_the_kernel_stops_the_reply_that_a_cell_waits_for_and_keeps_it(notebook: Notebook) -> None:
    view = notebook.chat("ChatWidget(Slow(0.2), settings=LONG)")
    cell = notebook.run('chat.send("Hello, how are you?")', wait=False)
    view.wait_for_text()
    notebook.command("notebook:interrupt-kernel")
    cell.wait()
    assert cell.errors() == ["KeyboardInterrupt"]
    view.wait_for_replies(1)
    expect(view.replies.last).to_contain_text("stopped")
    assert view.texts() == notebook.said()
    assert view.texts()[1]


def test_interrupting_the_kernel_does_not_stop_a_reply_to_the_page(notebook: Notebook) -> None:
    view = notebook.chat("ChatWidget(Slow(0.1), settings=LONG)")
    busy = notebook.keep_busy("time.sleep(60)")
    view.send("Hello, how are you?")
    view.wait_for_text()
    notebook.command("notebook:interrupt-kernel")
    busy.wait()
    view.wait_for_replies(1)
    assert view.texts() == notebook.said()
    assert notebook.ask("[turn.stop for turn in chat.conversation.turns]") == [None, "length"]


def test_a_chat_is_still_there_after_the_page_was_reloaded(notebook: Notebook) -> None:
    view = notebook.chat()
    view.send("Hello, how are you?")
    view.wait_for_replies(1)
    notebook.command("docmanager:save")
    notebook.open()
    view.wait_for_replies(1)
    assert view.texts() == notebook.said()
    view.send("And again?")
    view.wait_for_replies(2)
    assert view.texts() == notebook.said()


def test_a_reply_goes_on_over_a_reload_and_loses_nothing(notebook: Notebook) -> None:
    notebook.run("model = Scripted([words(900)], rate=10)")
    view = notebook.chat("ChatWidget(model)")
    notebook.command("docmanager:save")
    view.send("Hello, how are you?")
    view.wait_for_text()
    notebook.open()
    expect(view.stop).to_be_visible()
    view.wait_for_text()
    early = view.texts()[1]
    view.wait_for_text(longer_than=len(early))
    notebook.run("model.rate = 1000")
    view.wait_for_replies(1)
    assert len(early) < len(view.texts()[1])
    assert view.texts() == notebook.said()


def test_a_view_that_opens_during_a_reply_shows_it_from_its_beginning(notebook: Notebook) -> None:
    first = notebook.chat("ChatWidget(Scripted([words(200)], rate=40))")
    first.send("Hello, how are you?")
    first.wait_for_text(longer_than=50)
    second = notebook.run("chat").view
    second.wait_for_text()
    assert second.texts()[1].startswith("0000 0001 ")
    second.wait_for_replies(1)
    assert second.texts() == first.texts() == notebook.said()


def test_a_restarted_kernel_leaves_the_chat_and_the_draft_readable_and_says_so(fresh: Notebook) -> None:
    fresh.run("from kernel_side import *")
    view = fresh.chat("ChatWidget(Scripted([['It is ', 'fine.']]))")
    view.send("Hello, how are you?")
    view.wait_for_replies(1)
    view.box.fill("a draft")
    transcript = fresh.page.locator("[data-dialogpt]")
    expect(transcript).to_contain_text("It is fine.")
    fresh.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:restart-kernel'); }")
    fresh.page.get_by_role("dialog").get_by_role("button", name="Confirm Kernel Restart").click()
    expect(view.notice).to_contain_text("restarted")
    view.box.press("Enter")
    expect(view.box).to_have_value("a draft")
    expect(transcript).to_be_visible()
    expect(transcript.get_by_text("Hello, how are you?")).to_be_visible()


def test_making_a_chat_imports_neither_torch_nor_transformers() -> None:
    ran = subprocess.run([sys.executable, "-c", _IMPORTS], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_running_a_cell_again_leaks_no_thread_and_shares_the_model(notebook: Notebook) -> None:
    before = set(notebook.ask("sorted({thread.name for thread in __import__('threading').enumerate()})"))
    cell = notebook.run('chat = ChatWidget("mini")\nchat')
    for _ in range(5):
        cell.run_again()
        cell.view.wait_until_idle()
    notebook.run("chat.send('Hello!')")
    names = "sorted({thread.name for thread in __import__('threading').enumerate()})"
    notebook.until(lambda: not any("dialogpt" in name for name in notebook.ask(names)))
    assert {name for name in notebook.ask(names) if not name.startswith("subshell")} <= before | {"MainThread"}
    assert notebook.ask("living(ChatModel)") == 1
    notebook.run("ChatWidget.close_all()")
    expect(cell.view.box).to_be_hidden()
    assert notebook.ask("living(ChatModel)") == 0


def test_closing_a_chat_stops_its_reply_and_frees_its_model(notebook: Notebook) -> None:
    view = notebook.chat("ChatWidget(Slow(0.2), settings=LONG)")
    view.send("Hello, how are you?")
    view.wait_for_text()
    notebook.run("chat.close()")
    expect(view.box).to_be_hidden()
    notebook.until(lambda: notebook.ask("living(Slow)") == 0)
    assert notebook.ask("[turn.stop for turn in chat.conversation.turns]") == [None, "user"]
