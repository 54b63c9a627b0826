"""Computing a reply again: is it what the record says, here too?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dialogpt_widget.chat.inspector import Inspection
from dialogpt_widget.dialogue.tokens import ORIGINS
from dialogpt_widget.dialogue.turn import Turn

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


class Replaying(Inspection):
    """A conversation whose replies can be computed again."""

    def replay(self, turn: Turn | int) -> Replay:
        """Computes a reply again, in one forward pass, and compares ids and log-probabilities with the record.

        What was given or forced is taken as it is; its log-probability is compared too. What the reply began with was
        decoded for another reply and is left to that one's replay.

        Raises:
            ValueError: the model did not make it, or it was another model.
            UnknownTurnError: it is not in this conversation, or no longer.
        """
        old = self._made(turn)
        return self._compared(old, self._again(old, old.begun), old.begun)

    def recompute(self, turn: Turn | int) -> Replay:
        """Computes a reply's rows anew and puts them into its record; see `replay`.

        Where this machine would choose another token than the record has, the record's ids stay.
        """
        from dialogpt_widget.engine.generation.trace import token_rows

        old, model = self._made(turn), self.load_model()
        assert old.rows is not None
        chosen = self._again(old, 0)
        forced = [token for _, token in chosen]
        rows = token_rows(forced, model.vocabulary, len(self.seen(old)))
        rows["origin"] = old.rows["origin"]
        given = old.rows["rank"] == 0
        rows[given] = old.rows[given]
        self.conversation.rescore(old, rows)
        return self._compared(old, chosen[old.begun :], old.begun)

    def _again(self, old: Turn, start: int) -> list[tuple[Token, Token]]:
        """Each token of a reply from a place on: as settings and dice choose it now, and as it was."""
        from dialogpt_widget.engine.generation.sampler import Sampler

        model = self.load_model()
        assert old.rows is not None
        assert old.settings is not None
        assert old.reply is not None
        decoder = Sampler(old.settings, model.eos, old.reply)
        states = model.step_states(self.seen(old), old.ids)
        chosen = []
        for place in range(start, len(old.rows)):
            own, free = int(old.rows["id"][place]), int(old.rows["origin"][place]) in CHOSEN
            logits, said = model.unembed(states[place]), old.ids[:place]
            now = decoder.choose(logits, said, forced=None if free else own)
            chosen.append((now, now if now.id == own else decoder.choose(logits, said, forced=own)))
        return chosen

    @staticmethod
    def _compared(old: Turn, chosen: list[tuple[Token, Token]], start: int) -> Replay:
        assert old.rows is not None
        rows = old.rows[start:]
        different = (start + place for place, (now, own) in enumerate(chosen) if now.id != own.id)
        errors = [
            abs(own.logprob - float(row["logprob"]))
            for row, (_, own) in zip(rows, chosen, strict=True)
            if not math.isnan(row["logprob"])
        ]
        first = next(different, None)
        return Replay(first is None, first, float(np.max(errors, initial=0.0)))
