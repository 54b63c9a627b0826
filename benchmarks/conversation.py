"""A whole conversation up to the window: the card's loop beside `Chat`, turn by turn, on the same contexts."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks import plots
from benchmarks.measure import bar, named, table, times_faster
from benchmarks.reply import REPLY, SETTLE, TIE
from benchmarks.variants import Card, first_difference
from benchmarks.weights import checkpoints
from dialogpt_widget import Chat, ChatModel, Settings
from dialogpt_widget.engine.loading.machine import processors

USER = 12  # tokens
CHAT = "Chat, float32"
WORDS = """
    people water music money house friend school summer morning night city train story picture question answer garden
    family doctor window table kitchen river mountain winter letter number market company country movie video phone
    road light paper dinner coffee children weekend birthday weather
"""  # a token each


@dataclass(frozen=True, slots=True)
class Exchange:
    """A turn's seconds in both ways, the tokens of its context, and how its ids compare."""

    chat: float
    card: float
    context: int
    dropped: int
    gap: float | None


def run(*, quick: bool, size: str | None = None) -> dict[str, Any]:
    """Seconds of whole conversations."""
    size = size or ("small" if quick else "medium")
    rounds, window = (1, 200) if quick else (3, 1000)
    torch.set_num_threads(processors())
    with checkpoints(size, "float32") as folders:
        card, model = Card(folders["float32"]), _model(folders["float32"])
        card.reply([*model.encode("Hello"), model.eos], REPLY)  # warms up
        talks = [list(converse(card, model, window, seed)) for seed in range(rounds)]
    times = {
        card.name: [sum(one.card for one in talk) for talk in talks],
        CHAT: [sum(one.chat for one in talk) for talk in talks],
    }
    last = talks[0][-1]
    title = (
        f"A conversation of {len(talks[0])} turns of {USER} and {REPLY} tokens up to a window of {window}, random "
        f"weights of DialoGPT-{size}'s shape, float32, {rounds} rounds"
    )
    rows = table(title, times, "s", {CHAT: "at most 0.435"})
    ties = [one.gap for talk in talks for one in talk if one.gap is not None]
    faults = [f"a reply differs where the two best logits are {gap:.0e} apart" for gap in ties if gap >= TIE]
    print(f"  turns dropped at the end: {last.dropped}; replies that differ in a tie: {len(ties)}")
    reached = bar("whole conversation, times faster", times_faster(times[card.name], times[CHAT]), least=2.3)
    turns = [{"context": one.context, "card": one.card, "chat": one.chat} for one in talks[0]]
    plots.conversation(named("conversation", quick=quick), title, turns)
    return {"size": size, "rows": rows, "turns": turns, "ties": ties, "bars": [reached], "faults": faults}


def converse(card: Card, model: ChatModel, window: int, seed: int = 0) -> Iterator[Exchange]:
    """Talks until as many tokens as the window holds have been said; the card's loop gets the contexts of the chat.

    What the two say is the same where they agree, and the chat's where two logits tie.
    """
    model.forget()
    chat = Chat(model, settings=settings_for(window))
    asked = random.Random(seed)
    said = 0
    while said < window:
        text = " ".join(["I", *asked.sample(WORDS.split(), USER - 1)])
        time.sleep(SETTLE)
        began = time.perf_counter()
        turn = chat.send(text)
        took = time.perf_counter() - began
        question = chat.path[-2]
        assert len(question.ids) == USER, f"{text!r} is {len(question.ids)} tokens"
        context = chat.state.context_of(chat.path[:-1], chat.settings)
        time.sleep(SETTLE)
        reply = card.reply(context.ids, REPLY)
        place = first_difference(turn.ids, reply.ids)
        gap = None if place is None else card.gap([*context.ids, *turn.ids[:place]])
        yield Exchange(took, reply.total, len(context.ids), len(context.dropped), gap)
        said += len(question.ids) + len(turn.ids) + 2


def settings_for(window: int) -> Settings:
    """Greedy replies of `REPLY` tokens in a window."""
    return Settings(do_sample=False, min_new_tokens=REPLY, max_new_tokens=REPLY, max_context=window)


def _model(folder: Path) -> ChatModel:
    return ChatModel.from_pretrained(str(folder), device="cpu", precision="float32")
