"""What the open inspector costs: tokens a second in a real JupyterLab, beside the same replies with it closed."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks.measure import interleaved, table
from benchmarks.overhead import random_model
from dialogpt_widget import ChatModel, ChatWidget, Settings

ROOT = Path(__file__).resolve().parent.parent
TOKENS = 48
CELL = f"""import sys
sys.path.insert(0, {str(ROOT)!r})
from benchmarks.watch import widget
chat = widget({{size!r}})
chat"""


class _Stream:
    def __init__(self) -> None:
        self.text = ""

    def add(self, token: int) -> str:
        self.text += f" w{token}"
        return f" w{token}"

    def finish(self) -> str:
        return ""


def _decode(ids: Sequence[int]) -> str:
    return "".join(f" w{token}" for token in ids)


def widget(size: str) -> ChatWidget:
    """A chat with random weights of DialoGPT's shape, whose words are numbers and which never ends a turn."""
    model: ChatModel = random_model(size)
    tokenizer: Any = SimpleNamespace(
        eos=50256,
        encode=lambda text: [len(word) for word in text.split()],
        decode=_decode,
        stream=_Stream,
        piece=lambda token: _decode([token]).encode(),
    )
    model._tokenizer = tokenizer
    return ChatWidget(model, settings=Settings(seed=1, max_new_tokens=TOKENS, min_new_tokens=TOKENS))


def run(*, quick: bool) -> dict[str, Any]:
    """Milliseconds a token with the inspector closed and open, one reply of each a round."""
    sys.path.insert(0, str(ROOT / "tests"))
    from browser.lab import Lab
    from browser.notebook import Notebook
    from playwright.sync_api import sync_playwright

    size, rounds = ("small", 1) if quick else ("medium", 7)
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        lab = Lab(Path(folder))
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        try:
            page = browser.new_page(viewport={"width": 1600, "height": 900})
            notebook = Notebook(lab, page, lab.new_notebook("bench"))
            view = notebook.run(CELL.format(size=size)).view
            view.wait_until_idle()
            times = _measure(notebook, view, rounds)
        finally:
            browser.close()
            lab.stop()
    title = f"A reply of {TOKENS} tokens in JupyterLab, random weights of DialoGPT-{size}'s shape, {rounds} rounds"
    return table(title, times, "ms", {"inspector open": "at most 1.053 (95 % of the speed)"})


def _measure(notebook: Any, view: Any, rounds: int) -> dict[str, list[float]]:
    def reply(number: list[int], *, opened: bool) -> float:
        button = view.button("Inspect")
        if number[0] and (button.get_attribute("aria-expanded") == "true") != opened:
            button.click()
        notebook.ask("chat.clear()")
        view.send("How much does it cost?")
        view.wait_for_replies(1)
        view.wait_until_idle()
        number[0] += 1
        return 1000 / float(notebook.ask("chat.status['speed']"))

    count = [0]
    for _ in range(2):
        reply(count, opened=False)  # warms up, and brings the inspector to the page
    variants = {
        "inspector closed": lambda: reply(count, opened=False),
        "inspector open": lambda: reply(count, opened=True),
    }
    return interleaved(variants, rounds)
