"""Writes what a kernel says of a short chat with the embedded model, for tests and scenes.

    python js/dev/fixture.py

Run it from the root of the repository, after a change of how tokens cross to the page.
"""

import json
from pathlib import Path
from typing import Any

from dialogpt_widget import Chat, Settings
from dialogpt_widget.widget import serialize
from dialogpt_widget.widget.requests import QUESTIONS
from dialogpt_widget.widget.streaming import plain, tokens_state

OUT = Path("js/inspect/fixture.json")
SAID = ("Do you like pizza?", "What do you like to do on weekends?")


def rounded(value: Any) -> Any:
    """Numbers with as many digits as a test can need."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items()}
    return [rounded(one) for one in value] if isinstance(value, list) else value


def main() -> None:
    """One chat: two replies that were drawn, a greedy one, and one with a token put there by hand."""
    chat = Chat("mini", settings=Settings(seed=11, temperature=1.5, top_k=40, top_p=0.95, repetition_penalty=1.2))
    replies = [chat.send(text) for text in SAID]
    chat.settings = Settings(do_sample=False, seed=11)
    replies.append(chat.send("Tell me something funny."))
    chat.settings = Settings(seed=11)
    replies.append(chat.fork(replies[1], 1, chat.model.encode(" \N{PINEAPPLE}")[-1]))
    chat.select(replies[2])
    state = {f"turn_{turn.id}": serialize.turn(turn) for turn in chat.conversation.turns}
    state |= {
        f"tokens_{turn.id}": plain(tokens_state(turn, chat.model)) if turn.model == chat.model.name else None
        for turn in chat.conversation.turns
    }
    state |= {"leaf": chat.conversation.leaf, "next_id": chat.conversation.next_id}
    asked = {}
    for place, values in ((0, {}), (0, {"temperature": 0.3}), (2, {})):
        turn = replies[place]
        best = max(range(len(turn.rows)), key=lambda index: -turn.rows["logprob"][index])
        request: Any = {"turn": turn.id, "index": best, "values": values, "first": 1, "count": 200}
        for op in ("explain", "ranked"):
            name = f"{op} {turn.id} {best}" + (
                f" {json.dumps(values, separators=(',', ':'))}" if values and op == "explain" else ""
            )
            asked[name] = QUESTIONS[op](chat, request).content
    OUT.write_text(json.dumps({"state": rounded(state), "answers": rounded(asked)}, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
