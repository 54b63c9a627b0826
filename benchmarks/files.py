"""A saved conversation: how large it is, and how long it takes to write and to read."""

from __future__ import annotations

import time
from typing import Any

from benchmarks.measure import interleaved, table
from dialogpt_widget import Chat, ChatModel, Conversation, Settings
from dialogpt_widget.dialogue import files

TOKENS = 1000
LARGEST = 150  # kB
SLOWEST = 50  # ms


def run(*, quick: bool) -> dict[str, Any]:
    """Bytes and milliseconds of 1000 tokens with all their rows."""
    saved = files.Saved(conversation_of(TOKENS), "mini", Settings())
    text = files.dump(saved)
    size = len(text.encode()) / 1e3
    print(f"\nA file of {TOKENS} tokens with all rows: {size:.1f} kB (bar: at most {LARGEST} kB)")
    variants = {"save": lambda: _milliseconds(files.dump, saved), "load": lambda: _milliseconds(files.parse, text)}
    times = interleaved(variants, 20 if quick else 200)
    rows = table(f"A file of {TOKENS} tokens", times, "ms", {"load": f"{SLOWEST} ms"})
    return {"size": {"median": size, "unit": "kB"}} | rows


def conversation_of(tokens: int) -> Conversation:
    """A conversation whose replies have that many tokens that the model scored."""
    model = ChatModel.from_pretrained("mini", device="cpu", precision="float32")
    chat = Chat(model, settings=Settings(seed=1, max_new_tokens=50, min_new_tokens=50))
    for _ in range(tokens // 50):
        chat.send("Does money buy happiness?")
    return chat.conversation


def _milliseconds(act: Any, argument: Any) -> float:
    began = time.perf_counter()
    act(argument)
    return (time.perf_counter() - began) * 1e3
