"""A notebook as a page of its own: Voila runs its cells, and the chat in it is alive."""

from __future__ import annotations

import nbformat
import pytest
from browser.notebook import PATIENCE, View
from playwright.sync_api import Browser, Page, expect

from .jupyter import Jupyter

CELLS = [
    "from kernel_side import *\nchat = ChatWidget(Scripted([['Welcome.'], words(40)], rate=20))\nchat",
    "turn = chat.send('Is there anybody?')",
]


@pytest.fixture
def page(server: Jupyter, browser: Browser) -> Page:
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), server.notebooks / "page.ipynb")
    page = browser.new_context(reduced_motion="reduce").new_page()
    page.goto(f"{server.url}/voila/render/page.ipynb?token={server.token}")
    return page


def test_a_visitor_talks_to_the_chat_of_a_page(page: Page) -> None:
    view = View(page.locator("body"))
    expect(view.box).to_be_visible(timeout=PATIENCE)
    view.wait_for_replies(1)
    assert view.texts() == ["Is there anybody?", "Welcome."]
    view.send("Count, please.")
    view.wait_for_text(longer_than=20)
    view.stop.click()
    view.wait_for_replies(2)
    expect(view.replies.last).to_contain_text("stopped")
    assert view.texts()[:3] == ["Is there anybody?", "Welcome.", "Count, please."]
    expect(page.locator("[data-dialogpt]").filter(visible=True)).to_have_count(0)
    page.context.close()
