"""A reply made again: computed and compared with its record, or told as code."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dialogpt_widget.chat.chat_state import ChatState, ModelReply
from dialogpt_widget.dialogue.share import SharedChat
from dialogpt_widget.dialogue.tokens import ORIGINS
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.settings import Settings

if TYPE_CHECKING:
    from dialogpt_widget.engine.generation.trace import Token

CHOSEN = (ORIGINS.index("sampled"), ORIGINS.index("greedy"))


@dataclass(frozen=True, slots=True)
class Replay:
    """A reply computed again and compared with its record.

    Attributes:
        ok: whether every token that the model chose is chosen again.
        first_difference: the place of the first token that is not, from 0; None where there is none.
        max_logprob_error: greatest difference between a log-probability and the recorded one, nat.
    """

    ok: bool
    first_difference: int | None
    max_logprob_error: float


class Replayer:
    """Makes replies again.

    Attributes:
        differences, stranger: as of `Chat`.
    """

    def __init__(self, state: ChatState) -> None:
        self._state = state
        self._unchecked: SharedChat | None = None
        self.differences: dict[int, int] = {}
        self.stranger = False

    def replay(self, turn: Turn | int) -> Replay:
        """Computes a reply again and compares it with its record; see `Chat.replay`."""
        old = self._state.model_reply(turn)
        return _compared(old, self._again(old, old.turn.begun), old.turn.begun)

    def recompute(self, turn: Turn | int) -> Replay:
        """Computes a reply's rows anew and puts them into its record; see `replay`.

        Where this machine would choose another token than the record has, the record's ids stay.
        """
        from dialogpt_widget.engine.generation.trace import token_rows

        old, model = self._state.model_reply(turn), self._state.load_model()
        chosen = self._again(old, 0)
        rows = token_rows([token for _, token in chosen], model.vocabulary, len(self._state.seen(old.turn)))
        rows["origin"] = old.rows["origin"]
        given = old.rows["rank"] == 0
        rows[given] = old.rows[given]
        self._state.conversation.rescore(old.turn, rows)
        return _compared(old, chosen[old.turn.begun :], old.turn.begun)

    def code(self, turn: Turn | int) -> str:
        """Python code that makes a reply again; see `Chat.code`."""
        old = self._state.model_reply(turn)
        return as_python(old, self._state.seen(old.turn))

    def expect(self, shared: SharedChat) -> None:
        """Notes that the conversation is what a line holds: `verify` is to compute the rest."""
        self._unchecked = shared

    def verify(self) -> None:
        """Computes the token rows of a chat that was opened from a line, and notes where this machine differs."""
        shared, self._unchecked = self._unchecked, None
        if shared is None:
            return
        model = self._state.load_model()
        self.stranger = model.fingerprint != shared.fingerprint
        self.differences = {}
        for turn in self._state.conversation.turns:
            if turn.rows is None or turn.model != model.name:
                continue
            first = self.recompute(turn).first_difference
            if first is not None:
                self.differences[turn.id] = first

    def _again(self, old: ModelReply, start: int) -> list[tuple[Token, Token]]:
        """Pairs of tokens from a place of a reply on: as settings and dice choose now, and as recorded."""
        from dialogpt_widget.engine.generation.sampler import Sampler

        model = self._state.load_model()
        sampler = Sampler(old.settings, model.eos, old.number)
        states = model.step_states(self._state.seen(old.turn), old.turn.ids)
        chosen = []
        for place in range(start, len(old.rows)):
            own, free = int(old.rows["id"][place]), int(old.rows["origin"][place]) in CHOSEN
            logits, said = model.unembed(states[place]), old.turn.ids[:place]
            now = sampler.choose(logits, said, forced=None if free else own)
            chosen.append((now, now if now.id == own else sampler.choose(logits, said, forced=own)))
        return chosen


def _compared(old: ModelReply, chosen: list[tuple[Token, Token]], start: int) -> Replay:
    different = (start + place for place, (now, own) in enumerate(chosen) if now.id != own.id)
    errors = [
        abs(own.logprob - float(row["logprob"]))
        for row, (_, own) in zip(old.rows[start:], chosen, strict=True)
        if not math.isnan(row["logprob"])
    ]
    first = next(different, None)
    return Replay(first is None, first, float(np.max(errors, initial=0.0)))


def as_python(reply: ModelReply, context: tuple[int, ...]) -> str:
    """Code that decodes a reply again, id for id: the same model, context ids, settings and dice.

    Args:
        reply: the reply.
        context: the ids that the model saw before it.
    """
    turn = reply.turn
    lines = [
        "from itertools import islice",
        "",
        "from dialogpt_widget import ChatModel, Settings",
        "",
        f"model = ChatModel.from_pretrained({_model_arguments(turn)})",
        f"settings = Settings({_changes(reply.settings)})",
        f"context = {list(context)}  # {len(turn.context)} turns, each with its end",
    ]
    options = f", reply={reply.number}"
    if turn.begun:
        lines.append(f"begun = {list(turn.ids[: turn.begun])}  # what the reply begins with")
        options += ", prefix=begun"
    forced = {
        place: int(reply.rows["id"][place])
        for place in range(turn.begun, len(reply.rows))
        if reply.rows["origin"][place] == ORIGINS.index("forced")
    }
    if forced:
        options += f", forced={forced}"
    lines += [
        f"tokens = islice(model.generate(context, settings{options}), {len(turn.ids) - turn.begun})",
        f"ids = {'begun + ' if turn.begun else ''}[token.id for token in tokens]",
        "print(model.decode(ids))",
    ]
    return "\n".join(lines) + "\n"


def _model_arguments(turn: Turn) -> str:
    revision = [f"revision={turn.revision!r}"] if turn.revision else []
    return ", ".join([repr(turn.model), *revision, f"precision={turn.precision!r}"])


def _changes(settings: Settings) -> str:
    fields = ((spec.name, spec.default) for spec in dataclasses.fields(settings))
    return ", ".join(
        f"{name}={getattr(settings, name)!r}" for name, usual in fields if getattr(settings, name) != usual
    )
