"""A model that cannot be had: what the page says, and the ways out."""

from __future__ import annotations

from playwright.sync_api import expect

from .notebook import Notebook, View

MISSING = 'ChatWidget("someone/no-such-model")'


def _failed(notebook: Notebook) -> View:
    view = notebook.chat(MISSING, load=False)
    expect(view.notice).to_contain_text("no-such-model could not be downloaded.")
    expect(view.notice).to_contain_text("is not on this machine")
    return view


def test_a_model_that_is_not_there_is_explained_and_the_draft_stays(notebook: Notebook) -> None:
    view = notebook.chat(MISSING, load=False)
    view.box.fill("a draft")
    expect(view.notice).to_contain_text("no-such-model could not be downloaded.")
    expect(view.notice).to_contain_text("Check the network")
    expect(view.state).to_have_accessible_name("Problem, model details")
    expect(view.box).to_have_value("a draft")
    expect(view.notice.get_by_role("button")).to_have_text(["Try again", "Chat with the embedded model"])
    expect(view.root.get_by_role("group", name="Ways to begin")).to_be_hidden()


def test_trying_again_says_again_what_is_wrong(notebook: Notebook) -> None:
    view = _failed(notebook)
    notebook.run("seen = []\nchat.observe(lambda change: seen.append(bool(change['new'])), 'error')")
    view.button("Try again").click()
    notebook.until(lambda: notebook.ask("seen") == [False, True])
    expect(view.notice).to_contain_text("no-such-model could not be downloaded.")
    expect(view.button("Try again")).to_be_visible()


def test_the_embedded_model_answers_what_was_sent_in_vain(notebook: Notebook) -> None:
    view = _failed(notebook)
    view.send("Hello, how are you?")
    expect(view.root.get_by_role("listitem").filter(has_text="Hello, how are you?")).to_be_visible()
    expect(view.notice).to_contain_text("could not be downloaded")
    expect(view.notice).to_contain_text("What you sent is kept above")
    view.button("Chat with the embedded model").click()
    view.wait_for_replies(1)
    expect(view.notice).to_have_count(0)
    expect(view.root).to_have_accessible_name(r"Chat with mini: 6 M parameters, not DialoGPT")
    assert view.texts() == notebook.said()
    assert view.texts()[0] == "Hello, how are you?"


def test_code_that_sends_to_a_missing_model_gets_the_error(notebook: Notebook) -> None:
    view = notebook.chat(MISSING, load=False)
    cell = notebook.run("chat.send('Hello!')", wait=False)
    cell.wait()
    assert cell.errors() == ["ModelError"]
    expect(view.notice).to_contain_text("could not be downloaded")


def test_an_error_amid_a_reply_keeps_what_was_said_and_can_be_tried_again(notebook: Notebook) -> None:
    notebook.run(
        "class Breaking(Scripted):\n"
        "    def generate(self, *args, **options):\n"
        "        for place, token in enumerate(super().generate(*args, **options)):\n"
        "            if place == 3 and self.given == 1:\n"
        "                raise RuntimeError('The lights went out.')\n"
        "            yield token"
    )
    view = notebook.chat("ChatWidget(Breaking([['One ', 'two ', 'three ', 'four.']]))")
    view.send("Count!")
    expect(view.notice).to_contain_text("The lights went out.")
    expect(view.replies.last).to_contain_text("One two three")
    expect(view.replies.last).to_contain_text("interrupted by an error")
    view.button("Try again").click()
    view.wait_until_idle()
    expect(view.notice).to_have_count(0)
    expect(view.replies.last).to_contain_text("One two three four.")
    assert view.texts() == notebook.said()


def test_a_wrong_argument_fails_in_the_cell_and_says_what_is_allowed(notebook: Notebook) -> None:
    cell = notebook.run('ChatWidget("mini", modle="x")', wait=False)
    cell.wait()
    assert cell.errors() == ["TypeError"]
    expect(cell.element).to_contain_text("modle")
