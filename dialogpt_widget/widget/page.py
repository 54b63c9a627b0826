"""The chat for readers without a kernel: a plain transcript, and one web page that works offline."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.widget import wire

_EXPORT = re.compile(r"export\s*\{\s*([\w$]+) as default\s*\};?\s*$")  # how esbuild ends a module
_SPEAKERS = {"user": "You", "assistant": "Model"}
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
        f"<p><strong>{_SPEAKERS[turn.role]}</strong><br>{_lines(turn.text)}{_ending(turn)}</p>" for turn in path
    )
    head = f"<p><em>A chat with {html.escape(title)}</em></p>"
    return f"<div{mark}>\n{head}\n{said}\n</div>"


def plain(tokens: wire.TokensState | None) -> dict[str, Any] | None:
    """A turn's tokens as JSON, their rows in base64."""
    return None if tokens is None else {**tokens, "data": base64.b64encode(tokens["data"]).decode("ascii")}


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
