"""The chat for readers without a kernel: a transcript in the notebook, a reader of its tokens, an offline page.

The transcript is an output beside the view, under a display id of its own, and rewritten when the chat has changed:
after the cell that changed it, or in the background, so seldom that its bytes stay below a rate. The live view hides
it. Renderers that run no scripts show it.

Two more outputs make its words clickable: the code of the view, once, and what is known of the tokens, rewritten as
the transcript is. Where no live view hides the transcript (a script waits for one), the view is made of both and takes
the transcript's place. Where there was one and it closed or lost its kernel, the transcript stays text.
"""

from __future__ import annotations

import base64
import html
import json
import re
import threading
import time
import weakref
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.display import publish_display_data as _publish

from dialogpt_widget.dialogue.exports import SPEAKERS
from dialogpt_widget.dialogue.turn import Turn

publish: Any = _publish  # IPython is not read for its types
PAUSE = 2.0  # seconds between a change and its rewriting in the background
RATE = 2000  # bytes a second that rewriting takes at most, on average


class TranscriptOutput:
    """One chat's transcript in the notebook's outputs.

    Args:
        render: gives the HTML; held weakly, so that the output keeps no widget alive.
        display_id: under which the notebook finds its outputs.
        rate: bytes a second that rewriting takes at most, on average.
    """

    def __init__(self, render: Callable[[], str], display_id: str, rate: float = RATE) -> None:
        self._rate = rate
        self._render = weakref.WeakMethod(render)
        self._display_id = display_id
        self._lock = threading.RLock()  # held while it is rendered and published, so that the last is the newest
        self._timer: threading.Timer | None = None
        self._shown = ""
        self._free = 0.0

    @property
    def visible(self) -> bool:
        """Whether the output has been displayed."""
        return bool(self._shown)

    def display(self) -> None:
        """Adds the output to those of the running cell."""
        first = not self.visible
        self._publish(update=False)
        shell: Any = get_ipython()
        if first and shell is not None:
            after_cells(shell, self)

    def changed(self) -> None:
        """Rewrites the output soon."""
        with self._lock:
            if not self.visible or self._timer is not None:
                return
            self._timer = threading.Timer(max(PAUSE, self._free - time.monotonic()), self.flush)
            self._timer.daemon = True
            self._timer.start()

    def flush(self) -> None:
        """Rewrites the output now, if it has changed."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self.visible:
                self._publish(update=True)

    def close(self) -> None:
        """Rewrites the output no more."""
        with self._lock:
            self.flush()
            self._shown = ""

    def _publish(self, *, update: bool) -> None:
        render = self._render()
        with self._lock:
            text = render() if render is not None else self._shown
            if update and text == self._shown:
                return
            self._shown = text
            self._free = time.monotonic() + len(text) / self._rate
            publish({"text/html": text}, transient={"display_id": self._display_id}, update=update)


def after_cells(shell: Any, output: TranscriptOutput) -> None:
    """Rewrites an output after each cell that changed it, for as long as the output lives."""
    known = weakref.ref(output)

    def after(*_: Any) -> None:
        alive = known()
        if alive is None:
            shell.events.unregister("post_run_cell", after)
        else:
            alive.flush()

    shell.events.register("post_run_cell", after)


# What is written: HTML

_EXPORT = re.compile(r"export\s*\{\s*([\w$]+) as default\s*\};?\s*$")  # how esbuild ends a module
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ margin: 0 auto; max-width: 800px; padding: 24px 16px; background: Canvas; color: CanvasText }}
{css}
</style>
</head>
<body>
<main id="chat"></main>
<noscript>{transcript}</noscript>
<script id="state" type="application/json">{state}</script>
<script type="module">
{module}
const state = JSON.parse(document.getElementById("state").textContent);
const model = {{
  get: (key) => state[key],
  on() {{}},
  off() {{}},
  send() {{ throw new Error("This page has no kernel."); }},
}};
dialogptWidget.render({{ model, el: document.getElementById("chat") }});
</script>
</body>
</html>
"""


def transcript(path: Sequence[Turn], title: str, view: str = "") -> str:
    """The turns of a path as HTML that needs no style and no script.

    Args:
        path: what was said.
        title: of the model.
        view: id of the live view that stands for it where there is one, and hides it.
    """
    mark = f' data-dialogpt="{html.escape(view)}"' if view else ""
    if not path:
        return f"<div{mark}></div>"
    said = "\n".join(
        f"<p><strong>{SPEAKERS[turn.role]}</strong><br>{_lines(turn.text)}{_ending(turn)}</p>" for turn in path
    )
    head = f"<p><em>A chat with {html.escape(title)}</em></p>"
    return f"<div{mark}>\n{head}\n{said}\n</div>"


def page(state: Mapping[str, Any], path: Sequence[Turn], title: str, script: str, style: str) -> str:
    """One HTML file with the chat and all that shows it; it loads nothing and asks for nothing.

    Args:
        state: what the view reads, JSON.
        path: the selected path, for readers without JavaScript.
        title: of the model.
        script: the bundle, an ES module.
        style: its style sheet.

    Raises:
        ValueError: the bundle does not end as esbuild ends one.
    """
    return _PAGE.format(
        title=html.escape(f"A chat with {title}"),
        css=style.replace("</", r"<\/"),
        transcript=transcript(path, title),
        state=json.dumps(state, ensure_ascii=False, allow_nan=False).replace("<", r"\u003c"),
        module=module_of(script),
    )


def module_of(script: str) -> str:
    """The bundle as the content of a `<script type="module">`, which it leaves as the constant `dialogptWidget`.

    Raises:
        ValueError: the bundle does not end as esbuild ends one.
    """
    module, found = _EXPORT.subn(r"const dialogptWidget=\1;", script)
    if not found:
        raise ValueError("The bundle has no default export at its end.")
    return module.replace("</script", r"<\/script")


def _lines(text: str) -> str:
    return html.escape(text).replace("\n", "<br>")


def _ending(turn: Turn) -> str:
    return {"length": " […]", "user": " [stopped]", "error": " [interrupted]"}.get(turn.stop or "", "")


# The reader of a saved notebook

PATIENCE = 2500  # milliseconds that a live view has to appear
STEP = 50  # milliseconds between two looks for one
_READER = """<div data-dialogpt-reader="{mark}"></div><script type="module">
const unfold = async (text) => new Response(new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))]).stream()
  .pipeThrough(new DecompressionStream("deflate"))).text();
const transcript = () => document.querySelector('[data-dialogpt="{mark}"]');
const end = performance.now() + {patience};
let alive = false;
do {{
  await new Promise((done) => setTimeout(done, {step}));
  const found = transcript();
  alive = found !== null && getComputedStyle(found).display === "none";
}} while (!alive && performance.now() < end);
const said = transcript();
const known = document.querySelector('[data-dialogpt-tokens="{mark}"]');
if (!alive && said?.offsetParent && known) {{
  const {{ script, style }} = JSON.parse(await unfold("{code}"));
  const state = JSON.parse(await unfold(known.dataset.tokens));
  state.inspector = "{inspector}";
  const {{ default: widget }} = await import(URL.createObjectURL(new Blob([script], {{ type: "text/javascript" }})));
  const look = document.createElement("style");
  look.textContent = style;
  const el = document.createElement("div");
  said.replaceChildren(look, el);
  const send = () => {{ throw new Error("There is no kernel here."); }};
  widget.render({{ model: {{ get: (key) => state[key], on() {{}}, off() {{}}, send }}, el }});
}}
</script>"""


def reader_code(mark: str, script: str, style: str, inspector: str) -> str:
    """HTML that makes a view of the transcript that is marked so.

    Args:
        mark: of the widget.
        script: the view's bundle, an ES module.
        style: its style sheet.
        inspector: what shows tokens, as in the state.
    """
    folded = _folded({"script": script, "style": style})
    return _READER.format(mark=html.escape(mark), patience=PATIENCE, step=STEP, code=folded, inspector=inspector)


def reader_tokens(mark: str, state: Mapping[str, Any]) -> str:
    """HTML that holds what such a view reads; empty where nothing was said.

    Args:
        mark: of the widget.
        state: JSON.
    """
    if state.get("leaf") is None:
        return f'<div data-dialogpt-reader="{html.escape(mark)}"></div>'
    mark = html.escape(mark)
    return f'<div data-dialogpt-reader="{mark}" data-dialogpt-tokens="{mark}" data-tokens="{_folded(state)}"></div>'


def _folded(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode("ascii")
