"""What a saved notebook keeps of a chat's tokens: the view's code once, and what it reads, as the chat goes."""

from __future__ import annotations

import base64
import json
import re
import zlib
from typing import Any

from builders import chat_model
from IPython.core.formatters import IPythonDisplayFormatter
from outputs import Notebook

from dialogpt_widget import ChatWidget, Settings
from dialogpt_widget.widget import protocol, transcript

QUICK = Settings(seed=1, max_new_tokens=6)


def unfolded(text: str) -> Any:
    return json.loads(zlib.decompress(base64.b64decode(text)))


def known(notebook: Notebook) -> list[Any]:
    """What the output that holds the tokens was, each time it was written."""
    htmls = [data["text/html"] for data, display_id, _ in notebook.shown if (display_id or "").endswith("-tokens")]
    return [found and unfolded(found[1]) for found in (re.search(r'data-tokens="([^"]*)"', text) for text in htmls)]


def test_a_notebook_holds_the_view_and_what_it_reads(notebook: Notebook) -> None:
    widget = ChatWidget(chat_model(), settings=QUICK)
    IPythonDisplayFormatter()(widget)
    reply = widget.send("Hello 😀 </script>")
    notebook.end_cell()
    before, after = known(notebook)
    assert before is None
    assert set(protocol.TRAITS) <= set(after)
    assert after["leaf"] == reply.id
    assert after[f"turn_{reply.parent}"]["text"] == "Hello 😀 </script>"
    rows = base64.b64decode(after[f"tokens_{reply.id}"]["data"])
    assert rows == widget.get_state()[f"tokens_{reply.id}"]["data"]
    count = len(notebook.shown)
    notebook.end_cell()
    assert len(notebook.shown) == count, "what has not changed is not written again"


def test_the_code_is_all_of_it_and_small() -> None:
    text = transcript.reader_code("m", ChatWidget._esm, ChatWidget._css, ChatWidget._inspector)
    (folded,) = re.findall(r'unfold\("([^"]*)"\)', text)
    assert unfolded(folded) == {"script": ChatWidget._esm, "style": ChatWidget._css}
    assert f'"{ChatWidget._inspector}"' in text
    assert len(text) < 90_000
    assert text.count("</script") == 1


def test_without_inspection_there_is_the_transcript_alone(notebook: Notebook) -> None:
    widget = ChatWidget(chat_model(), settings=QUICK, inspect=False)
    IPythonDisplayFormatter()(widget)
    widget.send("Hello")
    notebook.end_cell()
    assert known(notebook) == []
    assert not any("data-dialogpt-reader" in data.get("text/html", "") for data, *_ in notebook.shown)
