"""A chat whose words can be clicked where there is no kernel: beside the transcript, in a saved notebook.

Two more outputs: the code of the view, once, and what is known of the tokens, rewritten as the transcript is. Where no
live view hides the transcript (its script waits for one), the view is made of both and takes the transcript's place.
Renderers that run no scripts show the transcript.
"""

from __future__ import annotations

import base64
import html
import json
import zlib
from collections.abc import Mapping
from typing import Any

PATIENCE = 2500  # milliseconds that a live view has to appear
_CODE = """<div data-dialogpt-reader="{mark}"></div><script type="module">
const unfold = async (text) => new Response(new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))]).stream()
  .pipeThrough(new DecompressionStream("deflate"))).text();
await new Promise((done) => setTimeout(done, {patience}));
const said = document.querySelector('[data-dialogpt="{mark}"]');
const known = document.querySelector('[data-dialogpt-tokens="{mark}"]');
if (said?.offsetParent && known) {{
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


def code(mark: str, script: str, style: str, inspector: str) -> str:
    """HTML that makes a view of the transcript that is marked so.

    Args:
        mark: of the widget.
        script: the view's bundle, an ES module.
        style: its style sheet.
        inspector: what shows tokens, as in the state.
    """
    folded = _folded({"script": script, "style": style})
    return _CODE.format(mark=html.escape(mark), patience=PATIENCE, code=folded, inspector=inspector)


def tokens(mark: str, state: Mapping[str, Any]) -> str:
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
