"""The hosts, each started when its first test asks for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser.lab import ROOT
from browser.notebook import PATIENCE
from playwright.sync_api import Browser, Page, expect

from .colab.host import InColab
from .host import HOSTS, Host
from .jupyter import InLab, InNotebook, Jupyter
from .marimo import InMarimo

sys.path.insert(0, str(ROOT / "tools"))
from kernels import kernel

_GUARD = 180  # seconds after which a test that hangs is ended; no test measures time against it

expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(_GUARD))


@pytest.fixture(scope="session")
def kernel_python() -> Callable[[str], Path]:
    """The interpreter of another kernel, which is installed if it is not there yet; see `tools/kernels.py`."""

    def find(name: str) -> Path:
        try:
            return kernel(Path(sys.prefix), name)
        except RuntimeError as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(str(error))

    return find


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    """A server of JupyterLab, Notebook and Voila."""
    running = Jupyter(tmp_path_factory.mktemp("jupyter"))
    yield running
    running.stop()


@pytest.fixture(scope="session", params=HOSTS)
def running(
    request: pytest.FixtureRequest,
    browser: Browser,
    tmp_path_factory: pytest.TempPathFactory,
    kernel_python: Callable[[str], Path],
) -> Iterator[Host]:
    """A host with a notebook open in it."""
    name, folder = request.param, tmp_path_factory.mktemp("host")

    def page() -> Page:
        return browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce").new_page()

    if name == "marimo":
        host: Host = InMarimo(folder, page())
    elif name == "colab":
        host = InColab(kernel_python("colab"), folder, page())
    else:
        jupyter: Jupyter = request.getfixturevalue("server")
        kernel_name = "ipykernel6" if name == "lab6" else "python3"
        if name == "lab6":
            jupyter.add_kernel(kernel_name, kernel_python(kernel_name))
        kind = InNotebook if name == "notebook7" else InLab
        host = kind(jupyter, page(), jupyter.new_notebook(name, kernel_name), waits=name == "lab6")
    yield host
    host.close()


@pytest.fixture
def host(running: Host) -> Iterator[Host]:
    """A host whose notebook is empty."""
    running.clear()
    yield running
    running.clear()
