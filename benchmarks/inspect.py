"""The inspector in Chromium: the strip recoloured, a turn more, and scrolling, with what a long chat has.

Run it alone with `python -m benchmarks.inspect`.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.measure import named, save, table
from benchmarks.page import opened
from dialogpt_widget import ChatWidget

ROOT = Path(__file__).resolve().parent.parent
PAGE = """<!doctype html><meta charset="utf-8"><style>CSS</style>
<div class="dgpt" data-scheme="light" style="width: 360px"></div><script type="module">
MODULE
const frame = () => new Promise((done) => requestAnimationFrame(() => done(performance.now())));
const painted = async () => { await frame(); await new Promise((done) => setTimeout(done)); return performance.now(); };
const rows = (count) => {
  const size = 90, data = new DataView(new ArrayBuffer(count * size));
  for (let at = 0; at < count; at++) {
    data.setUint16(at * size, at % 500, true);
    data.setUint8(at * size + 3, at === count - 1 ? 12 : 9);
    data.setUint16(at * size + 4, 1 + (at * 7) % 900, true);
    data.setFloat32(at * size + 8, -((at * 13) % 90) / 10, true);
    data.setUint16(at * size + 20, 0x3c00 + (at * 29) % 3000, true);
    data.setUint16(at * size + 24, 0x4000 + (at * 31) % 3000, true);
  }
  return data;
};
const pieces = new Map(Array.from({ length: 500 }, (_, id) => [id, " w" + "ord".slice(id % 3) + id]));
const hooks = { open() {}, chosen() {}, watch: (...watched) => new Near(...watched) };
const tokens = (count) => ({ rows: new Rows(rows(count), false, true), pieces });
const known = new Map();
let strip, sources;
window.show = async (turns, each) => {
  strip?.dispose();
  known.clear();
  const source = (id) => ({ id, name: id % 2 ? "Model" : "You", count: each, edge: "" });
  sources = Array.from({ length: turns }, (_, id) => source(id));
  strip = new Strip(
    (id) => known.get(id) ?? known.set(id, tokens(each)).get(id), hooks);
  document.querySelector(".dgpt").replaceChildren(strip.element);
  const began = performance.now();
  strip.update(sources);
  const took = (await painted()) - began;
  await new Promise((done) => setTimeout(done, 300));
  return took;
};
window.cells = () => document.querySelectorAll(".dgpt-cells .dgpt-cell").length;
window.recolour = async (kind) => {
  strip.legend.select.value = kind;
  await frame();
  const began = performance.now();
  strip.legend.select.dispatchEvent(new Event("change"));
  strip.scroller.getBoundingClientRect();
  return (await painted()) - began;
};
window.more = async () => {
  strip.scroller.scrollTop = strip.scroller.scrollHeight;
  await painted();
  await painted();
  sources = [...sources, { ...sources[0], id: sources.length }];
  await frame();
  const began = performance.now();
  strip.update(sources);
  const handled = performance.now() - began;
  const drawing = await frame();
  document.querySelector(".dgpt").getBoundingClientRect();
  return handled + performance.now() - drawing;
};
window.ready = true;
</script>"""
EMPTY = """<!doctype html><div class="box" style="height: 320px; overflow-y: auto">
<div style="height: 60000px; background: linear-gradient(white, silver)"></div></div>"""
SCROLL = """async ([selector, pixels]) => {
  const box = document.querySelector(selector);
  const frame = () => new Promise(requestAnimationFrame);
  const times = [];
  let way = box.scrollTop > 0 ? -1 : 1;
  let last = await frame();
  for (let at = 0; at < 120; at++) {
    const before = box.scrollTop;
    box.scrollTop += way * pixels;
    if (box.scrollTop === before) way = -way;
    const now = await frame();
    times.push(now - last);
    last = now;
  }
  return times;
}"""
FRAME = 1000 / 60  # milliseconds
LATE = 1.5  # frames
SPEEDS = (40, 200, 1000)  # pixels a frame
TOKENS = 20_000


def run(*, quick: bool) -> dict[str, Any]:
    """Milliseconds in the browser."""
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        try:
            strip, chat, empty = (
                _page(browser),
                _chat(browser),
                browser.new_page(viewport={"width": 900, "height": 900}),
            )
            empty.set_content(EMPTY)
            rounds = 1 if quick else 9
            rows = _strip(strip, rounds) | _appended(chat, rounds)
            boxes = {
                "nothing (control)": (empty, ".box"),
                "the strip": (strip, ".dgpt-strip-room"),
                "the transcript": (chat, "[role=log]"),
            }
            return rows | {"scrolling, late frames": _scrolled(boxes, rounds)}
        finally:
            browser.close()


def _strip(page: Any, rounds: int) -> dict[str, Any]:
    colour: dict[str, list[float]] = {kind: [] for kind in ("bits", "rank", "entropy", "time", "chance")}
    more: dict[str, list[float]] = {"append at 2,000 tokens": [], "append at 20,000 tokens": []}
    shown: dict[str, list[float]] = {"open, 2,000 tokens": [], "open, 20,000 tokens": []}
    page.evaluate("show(1, 2000)")
    count = page.evaluate("cells()")
    for _ in range(rounds):
        for kind in ("rank", "entropy", "time", "chance", "bits"):
            colour[kind].append(page.evaluate("kind => recolour(kind)", kind))
    for turns, size in ((100, "2,000"), (1000, "20,000")):
        for _ in range(rounds):
            shown[f"open, {size} tokens"].append(page.evaluate("turns => show(turns, 20)", turns))
            more[f"append at {size} tokens"].append(statistics.median(page.evaluate("more()") for _ in range(5)))
    print(f"\n{count} tokens coloured anew; of 20,000, {page.evaluate('cells()')} are on the page")
    rows = table("Recolour of 2,000 tokens, to the next paint", colour, "ms", dict.fromkeys(colour, "50 ms"))
    rows |= table("The strip opens", shown, "ms", {})
    rows |= table("A turn more: handling, style and layout", more, "ms", {"append at 20,000 tokens": "16.7 ms"})
    page.wait_for_timeout(2000)  # the map is drawn
    return rows


def _appended(page: Any, rounds: int) -> dict[str, Any]:
    """A turn more in a chat with the inspector at hand."""
    turns, tokens = _talk()
    first = len(turns)
    times = []
    for place in range(first, first + 10 * rounds):
        turn = turns[place % first] | {"id": place, "parent": place - 1}
        times.append(page.evaluate("all => append(...all)", [place, turn, tokens[place % first]]))
    return table(
        "A turn more in the transcript, its words included",
        {f"append at {TOKENS:,} tokens": times},
        "ms",
        {f"append at {TOKENS:,} tokens": "16.7 ms"},
    )


def _scrolled(boxes: dict[str, tuple[Any, str]], rounds: int) -> dict[str, Any]:
    """Frames that came late, of each box in turn, so that what disturbs the machine disturbs all."""
    times: dict[tuple[str, int], list[float]] = {(name, pixels): [] for name in boxes for pixels in SPEEDS}
    for _ in range(rounds):
        for pixels in SPEEDS:
            for name, (page, selector) in boxes.items():
                page.bring_to_front()
                times[name, pixels] += page.evaluate(SCROLL, [selector, pixels])
    print(f"\nScrolling through {TOKENS:,} tokens, {120 * rounds} frames each")
    late = {}
    for (name, pixels), all_ in times.items():
        count = sum(time > LATE * FRAME for time in all_)
        late[f"{name}, {pixels} pixels a frame"] = {"late": count, "of": len(all_), "longest": max(all_)}
        print(f"  {name:18} {pixels:5} pixels a frame: {count:3} late, longest {max(all_):5.1f} ms")
    return late


def _talk() -> tuple[list[dict[str, Any]], list[Any]]:
    """Turns of a long chat, and their tokens, as a kernel sends them."""
    fixture = json.loads((ROOT / "js" / "inspect" / "fixture.json").read_text("utf-8"))["state"]
    turns: list[dict[str, Any]] = []
    tokens: list[Any] = []
    while sum(turn["tokens"] + 1 for turn in turns) < TOKENS:
        place = len(turns)
        turns.append(fixture[f"turn_{place % 6}"] | {"id": place, "parent": place - 1 if place else None})
        tokens.append(fixture[f"tokens_{place % 6}"])
    return turns, tokens


def _chat(browser: Any) -> Any:
    turns, tokens = _talk()
    widget = ChatWidget("mini")
    state = {key: value for key, value in widget.get_state().items() if not key.startswith("_") and key != "layout"}
    widget.close()
    state |= {f"turn_{turn['id']}": turn for turn in turns}
    state |= {f"tokens_{place}": one for place, one in enumerate(tokens)}
    page = opened(browser, state | {"leaf": len(turns) - 1, "next_id": len(turns)})
    page.evaluate("show()")
    page.wait_for_selector(".dgpt-word")
    page.wait_for_timeout(2000)  # at rest
    return page


def _page(browser: Any) -> Any:
    parts = {"Near": "ui/scroll.js", "Strip": "inspect/strip/strip.js", "Rows": "inspect/tokens/rows.js"}
    entry = "".join(f"export {{ {name} }} from './js/{path}';" for name, path in parts.items())
    build = ["node_modules/.bin/esbuild", "--bundle", "--format=iife", "--global-name=made", "--sourcefile=bench.js"]
    made = subprocess.run(
        [*build, "--loader=js"],
        input=entry,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    css = "".join((ROOT / "js" / name).read_text() for name in ("base.css", "inspect/drawer.css"))
    page = browser.new_page(viewport={"width": 900, "height": 900})
    module = f"{made}\nconst {{ Near, Strip, Rows }} = made;"
    page.set_content(PAGE.replace("CSS", css).replace("MODULE", module.replace("</script", "<\\/script")))
    page.wait_for_function("window.ready")
    return page


if __name__ == "__main__":
    quick = "--quick" in sys.argv
    save(named("inspect", quick=quick), run(quick=quick))
