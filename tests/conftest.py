"""No test reaches the network or the caches of whoever runs it; the environment is set before any library reads it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HOME"] = tempfile.mkdtemp(prefix="hub-")
os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="caches-")
os.environ["TOKENIZERS_PARALLELISM"] = "false"
for _name in ("HF_ENDPOINT", "HF_HUB_CACHE", "HF_TOKEN"):
    os.environ.pop(_name, None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A running Chromium."""
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.fail("These tests need Chromium: install it (`apt-get install chromium`), so that it is on the PATH.")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield running
        running.close()
