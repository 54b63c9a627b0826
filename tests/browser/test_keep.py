"""A conversation leaves the notebook as files, and comes back from them."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from playwright.sync_api import Locator, expect

from .notebook import Notebook, View

_DROP = """(root, [name, text]) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([text], name));
    for (const type of ["dragenter", "dragover", "drop"])
        root.dispatchEvent(new DragEvent(type, {dataTransfer, bubbles: true, cancelable: true}));
}"""


def _keep(view: View) -> Locator:
    view.button("Keep").click()
    return view.root.get_by_role("region", name="Keep")


def _branched(notebook: Notebook) -> View:
    """A chat with two versions of its only reply."""
    view = notebook.chat("ChatWidget(Scripted([['One.'], ['Two.']]))")
    view.send("Hello!")
    view.wait_for_replies(1)
    notebook.run("turn = chat.regenerate()")
    expect(view.replies.last).to_contain_text("Two.")
    return view


def _download(notebook: Notebook, panel: Locator, title: str, folder: Path) -> Path:
    with notebook.page.expect_download() as waiting:
        panel.get_by_role("button", name=title).click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    expect(panel.get_by_role("status")).to_contain_text(f"Saved as {path.name}")
    return path


def test_every_format_is_the_file_that_the_kernel_makes(notebook: Notebook, tmp_path: Path) -> None:
    panel = _keep(_branched(notebook))
    made = "base64.b64encode(downloads.make(chat, {0!r}, branches={1})[1]).decode()"
    setup = "import base64\nfrom dialogpt_widget.widget import downloads"
    for choice in notebook.ask("downloads.choices()", setup):
        for what, branches in (("This path", False), ("All branches", True)):
            panel.get_by_role("button", name=what, exact=True).click()
            path = _download(notebook, panel, choice["title"], tmp_path)
            content = base64.b64decode(notebook.ask(made.format(choice["name"], branches)))
            if choice["name"] != "html":  # which says when it was saved
                assert path.read_bytes() == content, choice
            assert path.stat().st_size > 50


def test_a_saved_conversation_comes_back_as_a_branch_of_another_chat(notebook: Notebook, tmp_path: Path) -> None:
    panel = _keep(_branched(notebook))
    panel.get_by_role("button", name="All branches").click()
    path = _download(notebook, panel, "Conversation", tmp_path)
    view = notebook.chat("ChatWidget(Scripted([['Here.']]))")
    view.send("Who is there?")
    view.wait_for_replies(1)
    panel = _keep(view)
    panel.get_by_label("File to open").set_input_files(path)
    expect(panel.get_by_role("status")).to_contain_text("3 turns from chat.json")
    expect(view.turns).to_have_count(2)
    view.wait_for_texts(["Hello!", "Two."])
    assert notebook.said() == ["Hello!", "Two."]
    assert sorted(notebook.ask("[turn.text for turn in chat.turns]")) == [
        "Hello!",
        "Here.",
        "One.",
        "Two.",
        "Who is there?",
    ]
    notebook.run("chat.undo()")
    expect(view.turns.first).to_contain_text("Who is there?")


def test_messages_can_be_dropped_onto_the_chat(notebook: Notebook) -> None:
    view = notebook.chat("ChatWidget(Scripted([['Yes.']]))")
    said = [{"role": "user", "content": "Is it <b>late</b>?"}, {"role": "assistant", "content": "Very."}]
    view.root.evaluate(_DROP, ["talk.jsonl", json.dumps({"messages": said})])
    panel = view.root.get_by_role("region", name="Keep")
    expect(panel.get_by_role("status")).to_contain_text("2 turns from talk.jsonl")
    view.wait_for_texts(["Is it <b>late</b>?", "Very."])
    assert notebook.ask("chat.messages") == said


def test_what_is_no_conversation_is_refused_in_words_and_nothing_changes(notebook: Notebook) -> None:
    view = _branched(notebook)
    for name, text, words in (
        ("a.json", "{", "neither a saved conversation nor"),
        ("b.json", '{"format": "dialogpt-widget conversation", "version": 1, "turns": 7}', "damaged"),
        ("c.json", '{"format": "dialogpt-widget conversation", "version": 99}', "newer version"),
        ("d.json", '[{"role": "user", "content": 7}]', "content"),
    ):
        view.root.evaluate(_DROP, [name, text])
        status = view.root.get_by_role("region", name="Keep").get_by_role("status")
        expect(status).to_contain_text(words)
    assert view.texts() == ["Hello!", "Two."] == notebook.said()
    assert notebook.ask("len(chat.turns)") == 3
