"""A notebook that was saved without its widgets: where scripts may run, the words can still be clicked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from nbformat.sign import NotebookNotary
from playwright.sync_api import Page, expect

from .lab import Lab
from .notebook import View

SOURCE = 'from dialogpt_widget import ChatWidget\nchat = ChatWidget("mini")\nchat'
PLENTY = 250_000  # bytes that a widget may add to a notebook beyond what was said


@pytest.fixture(scope="module")
def executed() -> nbformat.NotebookNode:
    """A notebook in which a model replied, without the state of its widgets."""
    cells = [nbformat.v4.new_code_cell(source) for source in (SOURCE, 'turn = chat.send("Do you like pizza?")')]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=120).execute()
    notebook.metadata.pop("widgets", None)
    return notebook


def _look(page: Page) -> None:
    view = View(page.locator("body"))
    expect(view.turns).to_have_count(2)
    reply = view.replies.last
    reply.locator(".dgpt-word").nth(1).click()
    card = reply.locator(".dgpt-card")
    expect(card).to_contain_text("%")
    expect(card).to_contain_text("everything else")
    expect(view.box).to_be_hidden()


def test_in_a_trusted_notebook_the_words_can_be_clicked(
    lab: Lab, executed: nbformat.NotebookNode, open_page: Callable[..., Page]
) -> None:
    nbformat.write(executed, lab.notebooks / "words.ipynb")
    NotebookNotary(data_dir=str(lab.folder / "jupyter_data_dir")).sign(executed)
    page = open_page()
    page.goto(lab.address("words.ipynb"))
    _look(page)


def test_without_trust_the_conversation_is_text(
    lab: Lab, executed: nbformat.NotebookNode, open_page: Callable[..., Page]
) -> None:
    strange = nbformat.from_dict(executed)
    strange.cells.append(nbformat.v4.new_code_cell("1"))  # unsigned
    for cell in strange.cells:
        cell.metadata.pop("trusted", None)
    nbformat.write(strange, lab.notebooks / "strange.ipynb")
    page = open_page()
    page.goto(lab.address("strange.ipynb"))
    expect(page.locator(".jp-OutputArea").get_by_text("Do you like pizza?").first).to_be_visible()
    expect(page.locator(".dgpt-word")).to_have_count(0)


def test_in_a_page_of_nbconvert_they_can_be_clicked_offline(
    executed: nbformat.NotebookNode, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    (tmp_path / "words.html").write_text(HTMLExporter().from_notebook_node(executed)[0])
    page = open_page(offline=True)
    page.goto((tmp_path / "words.html").as_uri())
    _look(page)


def test_it_adds_little_to_the_notebook(executed: nbformat.NotebookNode) -> None:
    assert len(nbformat.writes(executed)) <= PLENTY
