"""The token strip in Chromium: recolouring, a turn more, and scrolling, with what a long chat has.

Run it alone with `python -m benchmarks.inspect`.
"""

from __future__ import annotations

import shutil
import statistics
import sys
from pathlib import Path
from typing import Any

from benchmarks.measure import save, table

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
const tokens = (count) => ({ rows: new Rows(rows(count), false, true), pieces });
const known = new Map();
let strip, sources;
window.show = async (turns, each) => {
  strip?.dispose();
  known.clear();
  const source = (id) => ({ id, name: id % 2 ? "Model" : "You", count: each, edge: "" });
  sources = Array.from({ length: turns }, (_, id) => source(id));
  strip = new Strip(
    (id) => known.get(id) ?? known.set(id, tokens(each)).get(id), { open() {}, chosen() {} });
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
window.scroll = async (pixels) => {
  const times = [];
  strip.scroller.scrollTop = 0;
  let last = await frame();
  for (let at = 0; at < 120; at++) {
    strip.scroller.scrollTop += pixels;
    const now = await frame();
    times.push(now - last);
    last = now;
  }
  return times;
};
window.ready = true;
</script>"""
LATE = 1.5  # frames


def run(*, quick: bool) -> dict[str, Any]:
    """Milliseconds in the browser."""
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        try:
            return _measure(_page(browser), rounds=3 if quick else 9)
        finally:
            browser.close()


def _measure(page: Any, rounds: int) -> dict[str, Any]:
    colour: dict[str, list[float]] = {kind: [] for kind in ("bits", "rank", "entropy", "time", "chance")}
    more: dict[str, list[float]] = {"append at 2,000 tokens": [], "append at 20,000 tokens": []}
    scrolled: dict[str, float] = {}
    shown = {"open, 2,000 tokens": [], "open, 20,000 tokens": []}
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
    print("\nScrolling through 20,000 tokens, 120 frames")
    for pixels in (0, 40, 200, 1000):
        times = page.evaluate("pixels => scroll(pixels)", pixels)
        frame = statistics.median(times)
        late = sum(time > LATE * max(frame, 1000 / 60) for time in times)
        scrolled[f"{pixels} pixels a frame"] = late
        print(f"  {pixels:5} pixels a frame: median {frame:5.1f} ms, longest {max(times):5.1f} ms, {late} late")
    return rows | {"scrolling, late frames": scrolled}


def _page(browser: Any) -> Any:
    import subprocess

    entry = "export { Strip } from './strip.js'; export { Rows } from './rows.js';"
    build = ["node_modules/.bin/esbuild", "--bundle", "--format=iife", "--global-name=made", "--sourcefile=bench.js"]
    made = subprocess.run(
        [*build, "--loader=js"],
        input=entry.replace("./", "./js/inspect/"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    css = "".join((ROOT / "js" / name).read_text() for name in ("base.css", "inspect/drawer.css"))
    page = browser.new_page(viewport={"width": 900, "height": 900})
    module = f"{made}\nconst {{ Strip, Rows }} = made;"
    page.set_content(PAGE.replace("CSS", css).replace("MODULE", module.replace("</script", "<\\/script")))
    page.wait_for_function("window.ready")
    return page


if __name__ == "__main__":
    save("inspect", run(quick="--quick" in sys.argv))
