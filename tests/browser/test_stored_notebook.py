"""A notebook that an earlier version saved still shows its chat, with its widgets' state and without."""

from __future__ import annotations

from collections.abc import Callable

import nbformat
import pytest
from nbformat.sign import NotebookNotary
from playwright.sync_api import Page, expect

from .lab import ROOT, Lab
from .notebook import View

STORED = ROOT / "tests" / "unit" / "fixtures" / "chat.ipynb"


def _opened(lab: Lab, page: Page, name: str, *, state: bool) -> View:
    """The stored notebook as its owner finds it: trusted, and never run here."""
    notebook = nbformat.read(STORED, as_version=4)
    if not state:
        del notebook.metadata["widgets"]
    nbformat.write(notebook, lab.notebooks / name)
    NotebookNotary(data_dir=str(lab.folder / "jupyter_data_dir")).sign(notebook)
    page.goto(lab.address(name))
    return View(page.locator("body"))


@pytest.mark.parametrize("state", [True, False], ids=["with the widgets' state", "without"])
def test_its_words_can_be_clicked(lab: Lab, open_page: Callable[..., Page], state: bool) -> None:  # noqa: FBT001
    page = open_page()
    view = _opened(lab, page, f"stored-{state}.ipynb", state=state)
    expect(view.turns).to_have_count(4)
    expect(page.locator("[data-dialogpt] article")).to_have_count(0 if state else 4)  # made of the transcript
    expect(view.replies.first).to_contain_text("I can't taste anything, but I hear people like pizza.")
    expect(view.replies.last).to_contain_text("Not much, I only chat. What about you?")
    reply = view.replies.first
    reply.locator(".dgpt-word").nth(1).click()
    card = reply.locator(".dgpt-card")
    expect(card).to_contain_text("%")
    expect(card).to_contain_text("everything else")
