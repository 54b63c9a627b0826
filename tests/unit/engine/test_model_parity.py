"""Chats are, id for id, those of the loop on DialoGPT's model card."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import torch
from builders import SAYINGS, chat_model, random_gpt2, reference

from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.engine.model import ChatModel
from dialogpt_widget.settings import Settings

GAP = 1e-4  # logits closer than this may fall either way with another order of additions


@dataclass
class Outcome:
    chats: int = 0
    turns: int = 0
    ended: int = 0
    excused: int = 0
    wrong: list[str] = field(default_factory=list)


def card_reply(model: ChatModel, history: list[int], text: str, max_new_tokens: int) -> list[int]:
    """The card's loop: the new history after `text` has been answered."""
    network = reference(model)
    ids = torch.tensor([[*history, *model.encode(text), model.eos]])
    out = network.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_length=ids.shape[1] + max_new_tokens,
        pad_token_id=model.eos,
        eos_token_id=model.eos,
        do_sample=False,
    )
    return out[0].tolist()


def gap_at(model: ChatModel, ids: list[int]) -> float:
    """How far apart the two best logits are after `ids`."""
    with torch.inference_mode():
        best = reference(model)(torch.tensor([ids])).logits[0, -1].topk(2).values
    return float(best[0] - best[1])


def compare(model: ChatModel, dice: random.Random, outcome: Outcome, turns: int, lengths: tuple[int, ...]) -> None:
    """One chat, until it would no longer fit the window, against the card's loop."""
    longest = dice.choice(lengths)
    chat = Chat(model, settings=Settings(do_sample=False, min_new_tokens=0, max_new_tokens=longest))
    history: list[int] = []
    outcome.chats += 1
    for _ in range(turns):
        text = " ".join(dice.choices(" ".join(SAYINGS).split(), k=dice.randint(1, 4)))
        asked = len(model.encode(text)) + 1
        if len(history) + asked + min(longest, 128) > (model.positions or 0):
            return
        expected = card_reply(model, history, text, longest)
        reply = chat.send(text)
        got = [*history, *model.encode(text), model.eos, *reply.ids, *([model.eos] if reply.stop == "eos" else [])]
        outcome.turns += 1
        outcome.ended += reply.stop == "eos"
        if got != expected:
            place = next(
                (at for at, pair in enumerate(zip(got, expected, strict=False)) if pair[0] != pair[1]),
                min(len(got), len(expected)),
            )
            if gap_at(model, expected[:place]) < GAP:
                outcome.excused += 1
            else:
                outcome.wrong.append(f"{model.name}: {got[place - 3 :]} instead of {expected[place - 3 :]}")
            return
        if reply.stop != "eos":  # the card never ends such a turn; ours does, so the histories part here
            return
        history = expected


def check(outcome: Outcome) -> None:
    assert outcome.wrong == []
    assert outcome.excused <= outcome.chats // 20
    assert outcome.ended > outcome.turns // 3


def test_chats_on_random_models_equal_the_cards_loop() -> None:
    outcome = Outcome()
    dice = random.Random(1)
    for seed in range(15):
        network: Any = random_gpt2(seed, eagerness=3 + seed % 5, spread=(0.1, 0.3, 0.5)[seed % 3])
        model = chat_model(seed, network=network)
        for _ in range(12):
            compare(model, dice, outcome, turns=4, lengths=(4, 8, 12))
    check(outcome)
    assert outcome.chats == 180
    assert outcome.turns > 250


def test_chats_on_the_embedded_model_equal_the_cards_loop(mini: ChatModel) -> None:
    outcome = Outcome()
    dice = random.Random(2)
    for _ in range(20):
        compare(mini, dice, outcome, turns=4, lengths=(24, 48))
    check(outcome)
    assert outcome.chats == 20
    assert outcome.turns >= 40
