"""The widget end to end in JupyterLab and Chromium, beside one that sends its whole reply again with each token."""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measure import bar, interleaved, table

ROOT = Path(__file__).resolve().parent.parent
TOKENS, RATE = 256, 50  # and tokens a second
OURS, PLAIN = "ChatWidget, inspect=False", "a trait set at each token"
CELLS = {
    OURS: "model = Stamped({tokens}, {rate})\nchat = ChatWidget(model, settings=LENGTH, inspect=False)\nchat",
    PLAIN: "plain = Resending({tokens}, {rate})\nplain",
}
SETUP = "from kernel_side import *\nfrom benchmarks.resend import *\nLENGTH = Settings(max_new_tokens=4096)"
WATCH = """([reply, first, last]) => {
  const now = () => performance.timeOrigin + performance.now();
  const seen = window.seen = {};
  let due = false;
  const look = () => {
    due = false;
    const text = [...document.querySelectorAll(reply)].at(-1)?.textContent ?? "";
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      if (text.includes(first)) seen.first ??= now();
      if (text.includes(last)) seen.last ??= now();
    };
    port2.postMessage(null);
  };
  window.watching?.disconnect();
  window.watching = new MutationObserver(() => {
    if (due) return;
    due = true;
    requestAnimationFrame(look);
  });
  window.watching.observe(document.body, { subtree: true, childList: true, characterData: true });
  const entered = (event) => {
    if (event.key === "Enter") seen.entered ??= now();
  };
  document.removeEventListener("keydown", window.entering, true);
  document.addEventListener("keydown", (window.entering = entered), true);
}"""
GONE = """([reply, first]) =>
  ![...document.querySelectorAll(reply)].some((one) => one.textContent.includes(first))"""
REPLIES = {OURS: "[data-role=assistant] .dgpt-text", PLAIN: ".resent"}
QUANTITIES = {
    "Enter to the first painted token": "ms",
    "last token to its paint": "ms",
    "bytes from kernel to page": "kB",
    "bytes both ways": "kB",
    "frames a token": "",
    "messages a token": "",
}


def run(*, quick: bool) -> dict[str, Any]:
    """Milliseconds, kilobytes and frames of one reply in each way, interleaved."""
    sys.path.insert(0, str(ROOT / "tests"))
    from browser.lab import Lab
    from browser.notebook import Notebook
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        lab = Lab(Path(folder))
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            both = _Both(page)
            notebook = Notebook(lab, page, lab.new_notebook("bench"))
            notebook.run(SETUP)
            return _measure(notebook, both, 1 if quick else 7)
        finally:
            browser.close()
            lab.stop()


class _Both:
    """What crosses the web socket of a page, both ways."""

    def __init__(self, page: Any) -> None:
        from browser.wiretap import Wiretap

        self.tap, self.sent = Wiretap(page), 0
        page.on("websocket", lambda socket: socket.on("framesent", self._count))

    def _count(self, payload: bytes | str) -> None:
        self.sent += len(payload if isinstance(payload, bytes) else payload.encode())

    def clear(self) -> None:
        self.tap.clear()
        self.sent = 0

    def frames(self, name: str) -> int:
        """Messages that carry a piece of the reply."""
        if name == OURS:
            return len(self.tap.frames)
        data = [message.content.get("data", {}) for message in self.tap.heard]
        return sum("text" in one.get("state", {}) for one in data if one.get("method") == "update")


def _measure(notebook: Any, both: _Both, rounds: int) -> dict[str, Any]:
    cells = {name: notebook.run(source.format(tokens=TOKENS, rate=RATE)) for name, source in CELLS.items()}
    view = cells[OURS].view
    view.wait_until_idle()
    boxes = {OURS: view.box, PLAIN: cells[PLAIN].element.get_by_role("textbox", name="Ask")}
    heard: dict[str, dict[str, list[float]]] = {what: {name: [] for name in cells} for what in QUANTITIES}

    def reply(name: str) -> float:
        notebook.ask("[chat.clear(), plain.clear()]")
        page = notebook.page
        first, last = "0000", f"{TOKENS - 1:04d}"
        page.wait_for_function(GONE, arg=[REPLIES[name], first])
        page.evaluate(WATCH, [REPLIES[name], first, last])
        boxes[name].fill("Count, please.")
        page.wait_for_timeout(500)  # what filling the box caused has come through
        both.clear()
        boxes[name].press("Enter")
        page.wait_for_function("window.seen.last", timeout=60_000)
        if name == OURS:
            view.wait_for_replies(1)
        page.wait_for_timeout(500)  # what settles the reply has come through
        seen = page.evaluate("window.seen")
        down, up, frames, messages = both.tap.size, both.sent, both.frames(name), len(both.tap.heard)
        made = notebook.ask(f"{'model' if name == OURS else 'plain'}.moments[{TOKENS - 1}]") * 1e3
        values = (
            seen["first"] - seen["entered"],
            seen["last"] - made,
            down / 1e3,
            (down + up) / 1e3,
            frames / TOKENS,
            messages / TOKENS,
        )
        for what, value in zip(QUANTITIES, values, strict=True):
            heard[what][name].append(value)
        return values[1]

    for name in cells:
        reply(name)
    for of in heard.values():
        for values in of.values():
            values.clear()
    ways: dict[str, Callable[[], float]] = {name: lambda name=name: reply(name) for name in (PLAIN, OURS)}  # type: ignore[misc]
    interleaved(ways, rounds)
    print(f"\nA reply of {TOKENS} tokens at {1000 / RATE:g} ms each in JupyterLab and Chromium, {rounds} rounds")
    rows = {
        what: table(what, {name: heard[what][name] for name in (PLAIN, OURS)}, unit, {})
        for what, unit in QUANTITIES.items()
    }
    medians = {what: statistics.median(heard[what][OURS]) for what in QUANTITIES}
    bars = [
        bar("last token to its paint, ms", medians["last token to its paint"], most=100),
        bar("bytes both ways, kB", medians["bytes both ways"], most=100),
        bar("frames a token", medians["frames a token"], most=0.505),
    ]
    return {"tokens": TOKENS, "rate": RATE, "rows": rows, "bars": bars}
