"""One JupyterLab, one browser and one kernel for all tests; a test that breaks its kernel takes one of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from .lab import ROOT, Lab
from .notebook import PATIENCE, Notebook

PICTURES = ROOT / "test-results"
_GUARD = 180  # seconds after which a test that hangs is ended; no test measures time against it

expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(_GUARD))


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A running JupyterLab."""
    server = Lab(tmp_path_factory.mktemp("lab"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def shared(lab: Lab, browser: Browser) -> Iterator[Notebook]:
    """A notebook whose kernel has imported all that is slow to import."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    notebook = Notebook(lab, context.new_page(), lab.new_notebook("shared"))
    notebook.run("import time\nfrom kernel_side import *")
    yield notebook
    context.close()


@pytest.fixture
def notebook(shared: Notebook) -> Iterator[Notebook]:
    """The shared notebook with no cells and no chats in it."""
    shared.clear()
    yield shared
    shared.clear()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens pages with settings of their own."""
    contexts: list[BrowserContext] = []

    def make(**options: object) -> Page:
        contexts.append(browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options)))  # type: ignore[arg-type]
        return contexts[-1].new_page()

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def fresh(lab: Lab, open_page: Callable[..., Page], request: pytest.FixtureRequest) -> Notebook:
    """A notebook with a kernel of its own."""
    return Notebook(lab, open_page(), lab.new_notebook(request.node.name))
