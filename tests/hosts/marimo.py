"""marimo's editor, with a notebook whose cells run what is typed into two fields."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from browser.lab import free_port, kernel_environment
from browser.notebook import PATIENCE, View
from playwright.sync_api import Page, expect

APP = Path(__file__).with_name("marimo_app.py")
_STARTING = 60  # seconds


class InMarimo:
    """The notebook in a page, with a server of its own."""

    waits, loses = True, False

    def __init__(self, folder: Path, page: Page) -> None:
        self.page, self._folder, self._numbers = page, folder, itertools.count()
        self._answer = folder / "answer.json"
        self._url = f"http://127.0.0.1:{free_port()}"
        (folder / "marimo").mkdir()
        (folder / "marimo" / "marimo.toml").write_text("[runtime]\nauto_instantiate = true\n")
        shutil.copy(APP, folder)
        options = ["--headless", "--no-token", "--skip-update-check", "--port", self._url.rpartition(":")[2]]
        command = [sys.executable, "-m", "marimo", "--yes", "edit", *options, APP.name]
        own = {**kernel_environment(folder), "XDG_CONFIG_HOME": str(folder)}
        with (folder / "marimo.log").open("w") as log:
            self._process = subprocess.Popen(
                command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, env=os.environ | own
            )
        try:
            self._wait()
            self.reload()
        except BaseException:
            self.close()
            raise

    def _wait(self) -> None:
        deadline = time.monotonic() + _STARTING
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self._url}/health", timeout=5):
                    return
            except OSError:
                time.sleep(0.2)
        raise RuntimeError(f"marimo did not start:\n{(self._folder / 'marimo.log').read_text()[-3000:]}")

    def reload(self) -> None:
        self.page.goto(self._url)
        expect(self.page.get_by_label("Run", exact=True)).to_be_visible(timeout=PATIENCE)

    def chat(self, source: str = 'ChatWidget("mini")') -> View:
        self._type("Show", f"chat = {source}")
        view = View(self.page.locator("marimo-anywidget"))
        expect(view.box).to_be_visible(timeout=PATIENCE)
        view.wait_until_idle()
        return view

    def run(self, source: str, *, wait: bool = True) -> None:
        self._type("Run", source)
        if wait:
            self.ask("None")

    def ask(self, value: str) -> Any:
        number = next(self._numbers)
        self._answer.unlink(missing_ok=True)
        answer = f"__import__('json').dumps([{number}, {value}])"
        self._type("Run", f"__import__('pathlib').Path({str(self._answer)!r}).write_text({answer})")
        deadline = time.monotonic() + PATIENCE / 1000
        while time.monotonic() < deadline:
            try:
                found, answered = json.loads(self._answer.read_text())
            except (OSError, ValueError):
                found, answered = -1, None
            if found == number:
                return answered
            self.page.wait_for_timeout(50)
        raise AssertionError(f"marimo did not evaluate {value}:\n{self.page.locator('body').inner_text()[-1000:]}")

    def said(self) -> list[str]:
        return [message["content"] for message in self.ask("chat.messages")]

    def clear(self) -> None:
        self._type("Show", "reset()")
        expect(self.page.locator("marimo-anywidget")).to_have_count(0, timeout=PATIENCE)

    def close(self) -> None:
        self.page.context.close()
        self._process.terminate()
        self._process.wait(20)

    def _type(self, field: str, source: str) -> None:
        box = self.page.get_by_label(field, exact=True)
        box.fill(json.dumps(f"{source}\n# {next(self._numbers)}"))  # what was typed before would not run again
        box.press("Enter")
