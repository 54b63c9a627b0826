"""A notebook in the stand-in for Colab."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from browser.notebook import PATIENCE, View
from playwright.sync_api import Page, expect

from .bridge import Bridge


class InColab:
    """The notebook in a page, with a server in a thread of its own."""

    waits, loses = True, True

    def __init__(self, python: Path, folder: Path, page: Page) -> None:
        self.page, self.bridge = page, Bridge()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="colab", daemon=True)
        self._thread.start()
        self._call(self.bridge.start(python, folder))
        self.reload()

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        doing = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return doing.result(PATIENCE / 1000)
        except concurrent.futures.TimeoutError:
            doing.cancel()
            known = asyncio.run_coroutine_threadsafe(self.bridge.condition(), self._loop).result(PATIENCE / 1000)
            raise AssertionError(f"Waited for {work.__qualname__} in vain. {known}") from None

    def reload(self) -> None:
        self.page.goto(f"http://127.0.0.1:{self.bridge.port}")
        expect(self.page.locator("body")).to_have_attribute("data-ready", "yes")

    def chat(self, source: str = 'ChatWidget("mini")') -> View:
        view = self.view(self.run(f"chat = {source}\nchat"))
        expect(view.box).to_be_visible(timeout=PATIENCE)
        view.wait_until_idle()
        return view

    def view(self, cell: int) -> View:
        """The chat in a cell's output."""
        return View(self.page.frame_locator(f"#cell-{cell}"))

    def run(self, source: str, *, wait: bool = True) -> int:
        return int(self._call(self.bridge.execute(source, wait=wait)))

    def ask(self, value: str) -> Any:
        return self._call(self.bridge.evaluate(value))

    def said(self) -> list[str]:
        return [message["content"] for message in self.ask("chat.messages")]

    def clear(self) -> None:
        self.run("reset()")
        self._call(self.bridge.clear())

    def close(self) -> None:
        self.page.context.close()
        self._call(self.bridge.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)
        self._loop.close()
