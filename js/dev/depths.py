"""Writes what a kernel answers about the depths of the chat of `fixture.py`, for tests and scenes.

    python js/dev/depths.py

Run it from the root of the repository, after a change of how these answers cross to the page.
"""

import base64
import json
from pathlib import Path

from fixture import SAID, rounded

from dialogpt_widget import Chat, Settings
from dialogpt_widget.widget.requests import QUESTIONS

OUT = Path("js/inspect/depths.json")


def main() -> None:
    """Its greedy reply: a typed reply scored, a turn left out, a piece, and the inside of a short context."""
    chat = Chat("mini", settings=Settings(seed=11, temperature=1.5, top_k=40, top_p=0.95, repetition_penalty=1.2))
    replies = [chat.send(text) for text in SAID]
    first = replies[0]
    chat.settings = Settings(do_sample=False)
    last = chat.send("Tell me something funny.")
    asked = {
        "score": {"turn": last.id, "text": "A cat walks into a bar."},
        "without": {"turn": last.id, "turns": [chat.path[0].id]},
        "chances": {"turn": first.id, "index": 0, "text": "Pizza"},
        "inside": {"turn": first.id, "index": 1},
    }
    answers = {}
    for op, request in asked.items():
        answer = QUESTIONS[op](chat, request)
        buffers = [base64.b64encode(one).decode() for one in answer.buffers]
        answers[op] = rounded(answer.content) | {"buffers": buffers}
    OUT.write_text(json.dumps(answers, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
