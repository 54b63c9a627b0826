"""A reply as it comes about."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dialogpt_widget.course import Course, Said, Step, TakenBack
from dialogpt_widget.dialogue.cleanup import clean, stable_prefix
from dialogpt_widget.dialogue.context import Context
from dialogpt_widget.dialogue.nbest import NBest
from dialogpt_widget.dialogue.tokens import given_rows
from dialogpt_widget.dialogue.turn import Stop, Turn
from dialogpt_widget.floor import Floor
from dialogpt_widget.moves import Guess
from dialogpt_widget.pace import Pace
from dialogpt_widget.picks import picks
from dialogpt_widget.settings import Settings

if TYPE_CHECKING:
    from dialogpt_widget.engine.model import ChatModel
    from dialogpt_widget.engine.record import Token
    from dialogpt_widget.engine.states import Tensor
    from dialogpt_widget.engine.text import TextStream


@dataclass(frozen=True, slots=True)
class Begun:
    """What a reply begins with.

    Attributes:
        ids: its first ids.
        rows: their token rows, copied from the reply that they come from; None if they were never scored.
        states: what they were decoded from, where that is kept.
        forced: the id that comes next, whatever the settings would choose.
    """

    ids: tuple[int, ...] = ()
    rows: np.ndarray | None = None
    states: Tensor | None = None
    forced: int | None = None


class Reply:
    """One generation: iterate over it for each token with the text that can be shown because of it.

    Args:
        turn_id: the id that its turn will have.
        parent: the user's turn that it answers.
        model: what generates it.
        context: what the model sees.
        settings: how it is decoded, seed included.
        number: the number of the generation within the chat, which selects its dice.
        stop: set, it ends the reply before the model's next step.
        begun: what the reply begins with, already said.
        said: whether its question was said for it, so that both are undone together.
        pace: decides when a token is revealed; at once if not given.

    Attributes:
        text: what can be shown so far.
        tokens: the tokens revealed so far, a final EOS included, what was begun with not.
        states: what they were decoded from, where the model's states are small.
        reused: tokens of its context that were in the model's cache; None until the first was decoded.
        moved: whether its beginning changed the selected path; None until it begins.
        settled: its turn, once it has ended, or the error with which it did.
        drafts, made, chooses, problem: as of a `Drafting` of this reply alone.
        floor: has it wait for its turn at a model that others share; may be set before it begins.
    """

    def __init__(
        self,
        turn_id: int,
        parent: Turn,
        model: ChatModel,
        context: Context,
        settings: Settings,
        number: int,
        stop: threading.Event,
        begun: Begun | None = None,
        *,
        said: bool = False,
        pace: Pace | None = None,
    ) -> None:
        self.id, self.parent, self.model, self.context = turn_id, parent, model, context
        self.settings, self.number, self.stop = settings, number, stop
        self.begun, self.said = begun or Begun(), said
        self.pace = pace or Pace()
        self.text = ""
        self.tokens: list[Token] = []
        self.states: list[Tensor] = []
        self.reused: int | None = None
        self.moved: bool | None = None
        self.settled: Future[Turn] = Future()
        self.floor = Floor()
        self.drafts: Sequence[Reply] = (self,)
        self.made: NBest | None = None
        self.chooses, self.problem = True, None
        self._stream: TextStream
        self._held: Step | None = None
        self._ended: Stop = "error"

    def __iter__(self) -> Iterator[Said | TakenBack]:
        """Yields what is said, token by token, and what is taken back; at the end perhaps the text withheld."""
        course = Course(self._decode)
        self.open()
        ended: Stop = "error"
        try:
            if self.begun.ids:
                yield Said(None, self._advance(stable_prefix(self._stream.text)))
            while (held := course.next()) is not None:
                if self.reused is None:
                    self.reused = min(self.model.reused, len(self.context.ids))
                self._held = held
                move = self.pace.next(held.token, self.stop, self.floor.leave)
                if move.kind == "end":
                    break
                if move.kind == "reveal":
                    yield self.say(held)
                    continue
                course.put_back(held)
                if move.kind == "force":
                    assert move.token is not None
                    chosen = course.force(self._ids(), move.token)
                    if chosen is None:
                        break
                    move.said = chosen.token
                    yield self.say(chosen)
                elif self.tokens:
                    yield self._take_back(course)
            ended = "user" if self.stop.is_set() else "length"
        except (KeyboardInterrupt, GeneratorExit):
            ended = "user"
            raise
        finally:
            rest = self.close(ended)
        if rest:
            yield Said(None, rest)

    def guess(self, guess: int) -> Guess:
        """Judges a guess, an id, at the token that is held back now."""
        from dialogpt_widget.engine.examine import places

        held = self._held
        assert held is not None
        (place,) = places(self._logits(held), [guess])
        bits = max(0.0, -place.logprob / math.log(2))
        return Guess(guess, held.token.id, place.rank, bits, guess == held.token.id)

    def choices(self, count: int) -> list[int]:
        """So many ids where a token is held back, it among them, lowest first: nothing tells which it is."""
        from dialogpt_widget.engine.examine import decoder_of

        held = self._held
        assert held is not None
        decoder = decoder_of(self.model, self.settings, self.number)
        return picks(self._logits(held), self._ids(), decoder, held.token.id, count)

    def _logits(self, held: Step) -> Tensor:
        state = self.model.states([*self.context.ids, *self._ids()])[-1] if held.state is None else held.state
        return self.model.unembed(state)

    def _decode(self, said: Sequence[int], forced: Mapping[int, int], states: list[Tensor]) -> Iterator[Token]:
        begun = self.begun
        if begun.forced is not None:
            forced = {len(begun.ids): begun.forced, **forced}
        tokens = self.model.generate(
            self.context.ids,
            self.settings,
            self.stop,
            reply=self.number,
            prefix=said or begun.ids,
            forced=forced,
            states=states,
        )
        return self._in_turn(tokens)

    def _in_turn(self, tokens: Iterator[Token]) -> Iterator[Token]:
        while self.floor.take(self.stop):
            token = next(tokens, None)
            if token is None:
                return
            yield token

    def open(self) -> None:
        """Makes ready for its tokens."""
        self._stream = self._streamed()

    @property
    def limit(self) -> int:
        """The most tokens that it can have."""
        return min(self.settings.max_new_tokens, self.context.window - len(self.context.ids))

    def close(self, ended: Stop) -> str:
        """No token comes any more.

        Args:
            ended: why, if the last one was not the EOS.

        Returns:
            Text that was withheld.
        """
        self._held = None
        self._ended = "eos" if self.tokens and self.tokens[-1].eos else ended
        self._stream.finish()
        return self._advance(clean(self._stream.text))

    def say(self, step: Step) -> Said:
        """Takes a token and gives the text that can be shown because of it."""
        self._held = None
        self.tokens.append(step.token)
        if step.state is not None:
            self.states.append(step.state)
        if not step.token.eos:
            self._stream.add(step.token.id)
        return Said(step.token, self._advance(stable_prefix(self._stream.text)))

    def _take_back(self, course: Course) -> TakenBack:
        token = self.tokens.pop()
        course.put_back(Step(token, self.states.pop() if self.states else None))
        self._stream = self._streamed()
        self.text = stable_prefix(self._stream.text)
        return TakenBack(token, len(self.text))

    def _streamed(self) -> TextStream:
        """The decoder of the text, with all that was said until now."""
        stream = self.model.text_stream()
        for token_id in self._ids():
            stream.add(token_id)
        return stream

    def _ids(self) -> tuple[int, ...]:
        return (*self.begun.ids, *(token.id for token in self.tokens if not token.eos))

    def _advance(self, text: str) -> str:
        piece, self.text = text[len(self.text) :], text
        return piece

    def turn(self) -> Turn:
        """The turn as it stands now; one without tokens is not kept by the chat."""
        return Turn(
            id=self.id,
            parent=self.parent.id,
            role="assistant",
            text=self.text,
            ids=self._ids(),
            settings=self.settings,
            reply=self.number,
            context=self.context.turns,
            stop=self._ended,
            created=time.time(),
            model=self.model.name,
            revision=self.model.revision,
            precision=self.model.precision,
            begun=len(self.begun.ids),
            rows=self.rows(),
        )

    def rows(self, start: int = 0) -> np.ndarray:
        """The token rows so far, from a place on, what the reply began with among them."""
        from dialogpt_widget.engine.record import token_rows

        old = self.begun.rows
        if old is None:
            old = given_rows(self.begun.ids, self.model.vocabulary)
        first = max(0, start - len(old))
        new = token_rows(self.tokens[first:], self.model.vocabulary, len(self.context.ids))
        return np.concatenate([old[start:], new])
