"""What is left of a chat where there is no kernel: the transcript beside the view, and the page that was saved."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from nbformat.sign import NotebookNotary
from playwright.sync_api import Locator, Page, expect

from dialogpt_widget.widget.transcript import PATIENCE as READER_PATIENCE

from .lab import Lab
from .notebook import Notebook, View

REPLIES = "[['It is ', 'fine.'], ['And ', 'so on.']]"
SAID = ["Does money buy happiness?", "It is fine.", "Go on.", "And so on."]
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
EXECUTED = [
    f"from kernel_side import *\nchat = ChatWidget(Scripted({REPLIES}))\nchat",
    f"turn = chat.send({SAID[0]!r})",
    f"turn = chat.send({SAID[2]!r})",
]


def _rows(page: Page) -> Locator:
    """The rows of outputs that a reader sees."""
    return page.locator(".jp-OutputArea-child").filter(visible=True)


def _transcript(page: Page) -> Locator:
    return page.locator("[data-dialogpt]")


def _talk(notebook: Notebook) -> View:
    view = notebook.chat(f"ChatWidget(Scripted({REPLIES}))")
    for place, text in enumerate(SAID[::2]):
        view.send(text)
        view.wait_for_replies(place + 1)
    return view


def _told(transcript: Locator) -> list[str]:
    """What the turns of a transcript say."""
    texts: list[str] = transcript.evaluate("all => [...all.querySelectorAll('p')].map(one => one.innerText)")
    return [text.partition("\n")[2] for text in texts[1:]]


def test_the_live_view_hides_the_transcript_with_its_whole_row(notebook: Notebook) -> None:
    _talk(notebook)
    expect(_transcript(notebook.page)).to_contain_text(SAID[-1])  # rewritten, and hidden all the same
    expect(_transcript(notebook.page)).to_be_hidden()
    expect(_rows(notebook.page)).to_have_count(1)


def test_a_transcript_inside_another_output_takes_nothing_else_with_it(notebook: Notebook) -> None:
    notebook.run(
        "from ipywidgets import Output\nfrom IPython.display import display\n"
        f"chat = ChatWidget(Scripted({REPLIES}))\nbox = Output()\ndisplay(box)\n"
        "with box:\n    print('around')\n    display(chat)\nturn = chat.send('Hello!')"
    )
    expect(notebook.page.get_by_text("around", exact=True)).to_be_visible()
    expect(notebook.page.get_by_role("textbox", name="Message")).to_be_visible()
    expect(_transcript(notebook.page)).to_be_hidden()


def test_closing_the_chat_brings_the_transcript_back(notebook: Notebook) -> None:
    _talk(notebook)
    notebook.run("chat.close()")
    expect(_transcript(notebook.page)).to_be_visible()
    assert _told(_transcript(notebook.page)) == SAID
    notebook.page.wait_for_timeout(READER_PATIENCE)  # after which a saved notebook's own view would take its place
    assert _told(_transcript(notebook.page)) == SAID


def test_after_a_restart_the_transcript_stands_for_the_view(fresh: Notebook) -> None:
    fresh.run("from kernel_side import *")
    view = _talk(fresh)
    expect(_transcript(fresh.page)).to_contain_text(SAID[-1])
    fresh.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:restart-kernel'); }")
    fresh.page.get_by_role("dialog").get_by_role("button", name="Confirm Kernel Restart").click()
    expect(view.notice).to_have_text(
        "The kernel was restarted. The conversation is kept below; run the cell again to go on."
    )
    expect(view.log).to_be_hidden()
    expect(view.box).to_be_hidden()
    assert _told(_transcript(fresh.page)) == SAID
    box = view.root.bounding_box()
    assert box
    assert box["height"] < 60


def test_a_notebook_that_was_saved_is_readable_without_its_kernel(
    lab: Lab, fresh: Notebook, open_page: Callable[..., Page]
) -> None:
    fresh.run("from kernel_side import *")
    _talk(fresh)
    expect(_transcript(fresh.page)).to_contain_text(SAID[-1])
    fresh.command("docmanager:save")
    saved = json.loads((lab.notebooks / fresh.name).read_text())
    saved["metadata"].pop("widgets", None)
    (lab.notebooks / "reopened.ipynb").write_text(json.dumps(saved))
    page = open_page()
    page.goto(lab.address("reopened.ipynb"))
    expect(page.get_by_text(SAID[-1])).to_be_visible()
    for text in SAID:
        expect(page.get_by_text(text)).to_be_visible()


@pytest.fixture(scope="module")
def executed() -> nbformat.NotebookNode:
    """A notebook that ran without anyone watching."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in EXECUTED])
    folder = Path(__file__).resolve().parent
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": folder}}).execute()
    return notebook


def test_an_executed_notebook_holds_the_whole_conversation(executed: nbformat.NotebookNode) -> None:
    shown = [output["data"] for output in executed.cells[0].outputs]
    assert any("application/vnd.jupyter.widget-view+json" in data for data in shown)
    transcripts = [data["text/html"] for data in shown if data.get("text/html", "").startswith("<div data-dialogpt=")]
    assert len(transcripts) == 1
    assert all(text in transcripts[0] for text in SAID)


def test_a_widget_adds_at_most_250_kb_to_a_notebook_beyond_what_was_said(executed: nbformat.NotebookNode) -> None:
    states = [model["state"] for model in executed.metadata.widgets[WIDGET_STATE]["state"].values()]
    (state,) = [state for state in states if "starters" in state]
    turns = {key: value for key, value in state.items() if key.startswith("turn_")}
    assert len(turns) == len(SAID)
    assert len(state["_esm"]) > 10_000
    outputs = json.dumps([output["data"] for output in executed.cells[0].outputs])
    added = len(json.dumps(executed.metadata.widgets)) + len(outputs) - len(json.dumps(turns))
    assert added <= 250_000


def test_a_view_that_finds_no_kernel_of_its_own_stays_readable_and_says_so(
    lab: Lab, executed: nbformat.NotebookNode, open_page: Callable[..., Page]
) -> None:
    assert executed.metadata.widgets  # what a view is made of
    nbformat.write(executed, lab.notebooks / "executed.ipynb")
    NotebookNotary(data_dir=str(lab.folder / "jupyter_data_dir")).sign(executed)
    page = open_page()
    page.goto(lab.address("executed.ipynb"))
    view = View(page.locator("body"))
    expect(view.notice).to_have_text(
        "No kernel is connected. This chat is still readable; run the cell again to go on."
    )
    assert view.texts() == SAID
    expect(view.box).to_be_hidden()
    expect(_transcript(page)).to_be_hidden()


def test_nbconvert_makes_a_page_that_is_readable_offline(
    executed: nbformat.NotebookNode, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    (tmp_path / "executed.html").write_text(HTMLExporter().from_notebook_node(executed)[0])
    page = open_page(offline=True)
    page.goto((tmp_path / "executed.html").as_uri())
    for text in SAID:
        expect(page.locator("[data-dialogpt]").get_by_text(text)).to_be_visible()


def _exported(notebook: Notebook, page: Page, path: Path) -> View:
    notebook.ask("chat.export_html(path)", f"path = {str(path)!r}")
    page.goto(path.as_uri())
    return View(page.locator("body"))


def test_an_exported_page_is_complete_offline_and_asks_for_nothing(
    notebook: Notebook, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    _talk(notebook)
    page, asked, complaints = open_page(offline=True), [], []
    page.on("request", lambda request: asked.append(request.url) if not request.url.startswith("blob:") else None)
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    view = _exported(notebook, page, tmp_path / "chat.html")
    expect(view.turns).to_have_count(4)
    assert view.texts() == SAID
    expect(view.root.get_by_text("read-only")).to_be_visible()
    expect(view.box).to_be_hidden()
    expect(view.notice).to_have_count(0)
    for name in ("Settings", "Keep", "Send", "Stop", "Regenerate", "Edit"):
        expect(view.button(name)).to_be_hidden()
    view.state.click()
    expect(view.root.get_by_role("region", name="Model")).to_be_visible()
    expect(view.root.get_by_role("textbox")).to_have_count(0)
    assert asked == [(tmp_path / "chat.html").as_uri()]
    assert complaints == []
