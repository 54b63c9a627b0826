"""A long chat in Chromium: first paint, an appended turn, and what 1,000 turns leave in memory."""

from __future__ import annotations

import json
import shutil
import statistics
from typing import Any

from benchmarks.measure import table
from dialogpt_widget import ChatWidget, Conversation
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.widget.transcript import module_of

SAID = "Some words that were said, about as many as people say at once."
PAGE = """<!doctype html><meta charset="utf-8"><style>CSS</style>
<main id="chat"></main><script type="module">
MODULE
const state = STATE;
const listeners = {};
const model = {
  get: (key) => state[key],
  on: (name, callback) => { (listeners[name] ??= new Set()).add(callback); },
  off: (name, callback) => { listeners[name]?.delete(callback); },
  send: (content) => setTimeout(() => {
    for (const callback of listeners["msg:custom"] ?? []) callback({ id: content.id, ok: true }, []);
  }),
};
const frame = () => new Promise((done) => requestAnimationFrame(() => done(performance.now())));
const painted = async () => { await frame(); await new Promise((done) => setTimeout(done)); return performance.now(); };
window.show = async () => {
  const el = document.getElementById("chat");
  el.replaceChildren();
  const began = performance.now();
  window.hide = dialogptWidget.render({ model, el });
  return (await painted()) - began;
};
window.append = async (id, turn, tokens = null) => {
  Object.assign(state, { ["turn_" + id]: turn, ["tokens_" + id]: tokens, leaf: id });
  await frame();
  const first = frame();
  const began = performance.now();
  for (const callback of listeners.change ?? []) callback();
  const handled = performance.now() - began;
  const last = frame();
  const drawing = await first;
  await last;
  document.querySelector("[role=log]").getBoundingClientRect();
  return handled + performance.now() - drawing;
};
window.ready = true;
</script>"""


def run(*, quick: bool) -> dict[str, Any]:
    """Milliseconds and bytes in the browser."""
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        try:
            return _measure(browser, rounds=1 if quick else 9)
        finally:
            browser.close()


def _measure(browser: Any, rounds: int) -> dict[str, Any]:
    paint: dict[str, list[float]] = {"first paint, 10 turns": [], "first paint, 500 turns": []}
    append: dict[str, list[float]] = {"append at 10 turns": [], "append at 500 turns": []}
    for _ in range(rounds):
        for size in (10, 500):
            page = _page(browser, size)
            paint[f"first paint, {size} turns"].append(page.evaluate("show()"))
            times = [page.evaluate("([id, turn]) => append(id, turn)", [size + n, _turn(size + n)]) for n in range(10)]
            append[f"append at {size} turns"].append(statistics.median(times))
            page.close()
    rows = table(f"A long chat in Chromium, {rounds} rounds", paint, "ms", {"first paint, 500 turns": "300 ms"})
    rows |= table("A turn more: handling, style and layout", append, "ms", {"append at 500 turns": "16.7 ms"})
    return rows | {"memory": _memory(browser)}


def _memory(browser: Any) -> dict[str, Any]:
    page = _page(browser, 10)
    page.evaluate("show()")
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable")
    sizes = {}
    for count in range(10, 1011):
        if count in (210, 610, 1010):
            devtools.send("HeapProfiler.collectGarbage")
            metrics = {one["name"]: one["value"] for one in devtools.send("Performance.getMetrics")["metrics"]}
            sizes[count - 10] = {"heap kB": metrics["JSHeapUsedSize"] / 1e3, "elements": page.locator("*").count()}
        page.evaluate("([id, turn]) => append(id, turn)", [count, _turn(count)])
    page.close()
    grown = (sizes[1000]["heap kB"] - sizes[200]["heap kB"]) / 800
    print("\nMemory of a page whose chat grows")
    for count, size in sizes.items():
        print(f"  {count:5} turns {size['heap kB']:9.0f} kB of heap {size['elements']:6} elements")
    print(f"  {grown * 1e3:.0f} bytes of heap a turn of {len(SAID)} characters")
    return {str(count): size for count, size in sizes.items()} | {"bytes a turn": grown * 1e3}


def opened(browser: Any, state: dict[str, Any]) -> Any:
    """A page with a chat in the state given, which is yet to be shown."""
    content = PAGE.replace("CSS", ChatWidget._css).replace("MODULE", module_of(ChatWidget._esm))
    page = browser.new_page(viewport={"width": 900, "height": 900})
    page.set_content(content.replace("const state = STATE", f"const state = {json.dumps(state)}"))
    page.wait_for_function("window.ready")
    return page


def _page(browser: Any, turns: int) -> Any:
    conversation = Conversation()
    for place in range(turns):
        new = conversation.reserve()
        conversation.add(Turn(new, conversation.leaf, "assistant" if place % 2 else "user", SAID, (), created=1.0))
    widget = ChatWidget("mini", conversation=conversation)
    state = {key: value for key, value in widget.get_state().items() if not key.startswith("_") and key != "layout"}
    widget.close()
    return opened(browser, state)


def _turn(place: int) -> dict[str, Any]:
    role = "assistant" if place % 2 else "user"
    return {
        "id": place,
        "parent": place - 1,
        "role": role,
        "text": SAID,
        "stop": "eos" if place % 2 else None,
        "tokens": 15,
        "created": 1.0,
        "model": "mini",
        "made": None,
    }
