"""A reply as it comes about, alone or several side by side: its tokens, its text, and the turn that it becomes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from dialogpt_widget.chat.events import CandidateDelta, RankingStarted, TokenRetracted, TokenRevealed
from dialogpt_widget.chat.pace import Pace
from dialogpt_widget.dialogue.context import Context
from dialogpt_widget.dialogue.detokenize import clean, stable_prefix
from dialogpt_widget.dialogue.nbest import Kind, NBest, Ranking
from dialogpt_widget.dialogue.tokens import given_rows
from dialogpt_widget.dialogue.turn import Stop, Turn
from dialogpt_widget.settings import Settings

if TYPE_CHECKING:
    from dialogpt_widget.engine.generation.trace import Token
    from dialogpt_widget.engine.hidden_states import Tensor
    from dialogpt_widget.engine.model import ChatModel
    from dialogpt_widget.engine.tokenizer import StreamingDetokenizer


class ModelLease:
    """Lease of a model, taken before each decoding step. This one is of a model that nobody shares and never waits.

    Attributes:
        waited: seconds that the reply had to wait for the model.
    """

    waited = 0.0

    def acquire(self, stop: threading.Event) -> bool:
        """Blocks until the model may be used. Returns False if stopped first.

        Args:
            stop: ends the waiting.
        """
        del stop
        return True

    def release(self) -> None:
        """Lets others use the model; does nothing where the lease is not held."""


Decode = Callable[[Sequence[int], Mapping[int, int], "list[Tensor]"], "Iterator[Token]"]


@dataclass(frozen=True, slots=True)
class Step:
    """A token that was decoded.

    Attributes:
        token: the token.
        state: what it was decoded from, where the model's states are small.
    """

    token: Token
    state: Tensor | None


@dataclass(slots=True)
class _Line:
    """Tokens that follow one another, until one of them is forced to be another.

    Attributes:
        source: decodes the tokens.
        states: list to which the source appends what it decodes each token from.
        known: tokens that were decoded and not taken yet, the next one last.
        forced: the token with which the line begins; None for the reply's own.
    """

    source: Iterator[Token]
    states: list[Tensor]
    known: list[Step] = field(default_factory=list)
    forced: Token | None = None


class TokenTape:
    """Token source of a reply that can be rewound.

    A token that was put back comes again as it was, not decoded anew: a number that differed in its last digit might
    choose another. Where a forced token is put back, what it displaced comes again.

    Args:
        decode: from ids already said, ids that are forced by their place, and a list for the states, the tokens.
    """

    def __init__(self, decode: Decode) -> None:
        self._decode = decode
        self._lines = [self._line((), {})]

    def next(self) -> Step | None:
        """The next token; None at the end or when stopped."""
        line = self._lines[-1]
        if line.known:
            return line.known.pop()
        token = next(line.source, None)
        return None if token is None else Step(token, line.states.pop() if line.states else None)

    def force(self, said: Sequence[int], token: int) -> Step | None:
        """Puts a token of one's choice next, and gives it; None when stopped.

        Args:
            said: the ids before it.
            token: its id.
        """
        line = self._line(said, {len(said): token})
        self._lines.append(line)
        step = self.next()
        line.forced = step.token if step else None
        return step

    def put_back(self, step: Step) -> None:
        """Makes the token that was given last the next one again."""
        if step.token is self._lines[-1].forced:
            self._lines.pop()
        else:
            self._lines[-1].known.append(step)

    def _line(self, said: Sequence[int], forced: Mapping[int, int]) -> _Line:
        states: list[Tensor] = []
        return _Line(self._decode(said, forced, states), states)


@dataclass(frozen=True, slots=True)
class Prefix:
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
        prefix: what the reply begins with, already said.
        said: whether its question was said for it, so that both are undone together.
        pace: decides when a token is revealed; at once if not given.

    Attributes:
        text: what can be shown so far.
        tokens: the tokens revealed so far, a final EOS included, the prefix not.
        states: what they were decoded from, where the model's states are small.
        reused: tokens of its context that were in the model's cache; None until the first was decoded.
        moved: whether its beginning changed the selected path; None until it begins.
        settled: its turn, once it has ended, or the error with which it did.
        drafts, made, chooses, problem: as of a `NBestRun` of this reply alone.
        held: the token that is decoded and not revealed yet; None where there is none.
        lease: of the model, taken before each decoding step; may be set before the reply begins.
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
        prefix: Prefix | None = None,
        *,
        said: bool = False,
        pace: Pace | None = None,
    ) -> None:
        self.id, self.parent, self.model, self.context = turn_id, parent, model, context
        self.settings, self.number, self.stop = settings, number, stop
        self.prefix, self.said = prefix or Prefix(), said
        self.pace = pace or Pace()
        self.text = ""
        self.tokens: list[Token] = []
        self.states: list[Tensor] = []
        self.reused: int | None = None
        self.moved: bool | None = None
        self.settled: Future[Turn] = Future()
        self.lease = ModelLease()
        self.drafts: Sequence[Reply] = (self,)
        self.made: NBest | None = None
        self.chooses, self.problem = True, None
        self.held: Step | None = None
        self._stream: StreamingDetokenizer
        self._ended: Stop = "error"

    def __iter__(self) -> Iterator[TokenRevealed | TokenRetracted]:
        """Yields what is said, token by token, and what is taken back; at the end perhaps the text withheld."""
        tape = TokenTape(self._decode)
        self.open()
        ended: Stop = "error"
        try:
            if self.prefix.ids:
                yield TokenRevealed(None, self._advance(stable_prefix(self._stream.text)))
            while (held := tape.next()) is not None:
                if self.reused is None:
                    self.reused = min(self.model.reused, len(self.context.ids))
                self.held = held
                command = self.pace.next(held.token, self.stop, self.lease.release)
                if command.kind == "end":
                    break
                if command.kind == "reveal":
                    yield self.reveal(held)
                    continue
                tape.put_back(held)
                if command.kind == "force":
                    assert command.token is not None
                    chosen = tape.force(self.ids, command.token)
                    if chosen is None:
                        break
                    command.said = chosen.token
                    yield self.reveal(chosen)
                elif self.tokens:
                    yield self._take_back(tape)
            ended = "user" if self.stop.is_set() else "length"
        except (KeyboardInterrupt, GeneratorExit):
            ended = "user"
            raise
        finally:
            rest = self.close(ended)
        if rest:
            yield TokenRevealed(None, rest)

    def held_logits(self) -> Tensor:
        """Logits `[vocabulary]`, float32, from which the held token was chosen."""
        held = self.held
        assert held is not None
        state = self.model.states([*self.context.ids, *self.ids])[-1] if held.state is None else held.state
        return self.model.unembed(state)

    def _decode(self, said: Sequence[int], forced: Mapping[int, int], states: list[Tensor]) -> Iterator[Token]:
        prefix = self.prefix
        if prefix.forced is not None:
            forced = {len(prefix.ids): prefix.forced, **forced}
        tokens = self.model.generate(
            self.context.ids,
            self.settings,
            self.stop,
            reply=self.number,
            prefix=said or prefix.ids,
            forced=forced,
            states=states,
        )
        return self._in_turn(tokens)

    def _in_turn(self, tokens: Iterator[Token]) -> Iterator[Token]:
        while self.lease.acquire(self.stop):
            token = next(tokens, None)
            if token is None:
                return
            yield token

    def open(self) -> None:
        """Makes the reply ready for tokens."""
        self._stream = self._streamed()

    @property
    def limit(self) -> int:
        """The most tokens that the reply can have."""
        return min(self.settings.max_new_tokens, self.context.window - len(self.context.ids))

    def close(self, ended: Stop) -> str:
        """Ends the reply: no token comes any more.

        Args:
            ended: why, if the last one was not the EOS.

        Returns:
            Text that was withheld.
        """
        self.held = None
        self._ended = "eos" if self.tokens and self.tokens[-1].eos else ended
        self._stream.finish()
        return self._advance(clean(self._stream.text))

    def reveal(self, step: Step) -> TokenRevealed:
        """Takes a token and gives the text that can be shown because of it."""
        self.held = None
        self.tokens.append(step.token)
        if step.state is not None:
            self.states.append(step.state)
        if not step.token.eos:
            self._stream.add(step.token.id)
        return TokenRevealed(step.token, self._advance(stable_prefix(self._stream.text)))

    def _take_back(self, tape: TokenTape) -> TokenRetracted:
        token = self.tokens.pop()
        tape.put_back(Step(token, self.states.pop() if self.states else None))
        self._stream = self._streamed()
        self.text = stable_prefix(self._stream.text)
        return TokenRetracted(token, len(self.text))

    def _streamed(self) -> StreamingDetokenizer:
        """A detokenizer that has read all ids so far."""
        stream = self.model.text_stream()
        for token_id in self.ids:
            stream.add(token_id)
        return stream

    @property
    def ids(self) -> tuple[int, ...]:
        """The ids so far, those of the prefix among them, without EOS."""
        return (*self.prefix.ids, *(token.id for token in self.tokens if not token.eos))

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
            ids=self.ids,
            settings=self.settings,
            reply=self.number,
            context=self.context.turns,
            stop=self._ended,
            created=time.time(),
            model=self.model.name,
            revision=self.model.revision,
            precision=self.model.precision,
            begun=len(self.prefix.ids),
            rows=self.rows(),
        )

    def rows(self, start: int = 0) -> np.ndarray:
        """Token rows so far, from a place on; those of the prefix come first."""
        from dialogpt_widget.engine.generation.trace import token_rows

        old = self.prefix.rows
        if old is None:
            old = given_rows(self.prefix.ids, self.model.vocabulary)
        first = max(0, start - len(old))
        new = token_rows(self.tokens[first:], self.model.vocabulary, len(self.context.ids))
        return np.concatenate([old[start:], new])


Drawn: TypeAlias = "tuple[int, Token, Tensor | None]"
DecodeMany: TypeAlias = "Callable[[NBestRun], Iterator[Drawn]]"
Decide: TypeAlias = "Callable[[NBestRun, Sequence[Turn]], Ranking | None]"


class NBestRun:
    """Several replies to one turn: iterate over it for what is said of each, then for the choice.

    Args:
        list_id: the id that the list of them will have.
        kind: how they come about.
        drafts: the replies, which do not run by themselves.
        decode: gives the tokens of all of them, each with the place of its reply and, where it does not keep them
            itself, what it was decoded from.
        decide: chooses one, given the turns that are kept; without it none is chosen.
        labels: of a comparison what each is made with.
        said: whether their question was said for them, so that all is undone together.

    Attributes:
        moved, settled, lease: as of a `Reply`; `settled` gives the chosen turn, or of a comparison the first.
        chooses: whether one of them goes on; of a comparison none does by itself.
        made: the list, once they have ended; None if nothing was said.
        problem: why none could be chosen, so that the first goes on.
        beams: of beam search the score of each draft.
        cross: of a comparison; see `NBest`.
    """

    def __init__(
        self,
        list_id: int,
        kind: Kind,
        drafts: Sequence[Reply],
        decode: DecodeMany,
        decide: Decide | None = None,
        *,
        labels: Sequence[str] = (),
        said: bool = False,
    ) -> None:
        self.id, self.kind, self.drafts, self.labels, self.said = list_id, kind, drafts, tuple(labels), said
        self.chooses = kind != "compared"
        first = drafts[0]
        self.parent, self.model, self.context, self.stop = first.parent, first.model, first.context, first.stop
        self._decode, self._decide = decode, decide
        self.beams: tuple[float, ...] = ()
        self.cross: tuple[tuple[float, ...], ...] = ()
        self.moved: bool | None = None
        self.reused: int | None = None
        self.settled: Future[Turn] = Future()
        self.lease = ModelLease()
        self.problem: Exception | None = None
        self.made: NBest | None = None

    @property
    def tokens(self) -> list[Token]:
        """The tokens of all replies."""
        return [token for draft in self.drafts for token in draft.tokens]

    def __iter__(self) -> Iterator[CandidateDelta | RankingStarted]:
        """Yields what is said of each, and at the end perhaps text that was withheld; then decides."""
        for draft in self.drafts:
            draft.open()
        ended: Stop = "error"
        try:
            for place, token, state in self._in_turn(self._decode(self)):
                if self.reused is None:
                    self.reused = min(self.model.reused, len(self.context.ids))
                said = self.drafts[place].reveal(Step(token, state))
                yield CandidateDelta(place, said.piece)
            ended = "user"
        except (KeyboardInterrupt, GeneratorExit):
            ended = "user"
            raise
        finally:
            rest = [self._closed(draft, ended) for draft in self.drafts]
            self._keep(None)
        for place, piece in enumerate(rest):
            if piece:
                yield CandidateDelta(place, piece)
        if self.made and self._decide:
            yield RankingStarted()
            try:
                self._keep(self._decide(self, self.made.turns))
            except Exception as problem:
                self.problem = problem

    def turn(self) -> Turn:
        """The chosen turn, or the first; without tokens where nothing was said."""
        if self.made is None:
            return self.drafts[0].turn()
        return self.made.turns[self.made.ranking.chosen if self.made.ranking else 0]

    def result(self) -> NBest:
        """The list of the replies, once they have ended.

        Raises:
            RuntimeError: nothing was said.
        """
        if self.made is None:
            raise RuntimeError("It was stopped before anything was said.")
        return self.made

    def _in_turn(self, drawn: Iterator[Drawn]) -> Iterator[Drawn]:
        while self.lease.acquire(self.stop):
            one = next(drawn, None)
            if one is None:
                return
            yield one

    def _closed(self, draft: Reply, ended: Stop) -> str:
        return draft.close("length" if len(draft.tokens) >= draft.limit else ended)

    def _keep(self, ranking: Ranking | None) -> None:
        """Makes the list of what has ended by itself; if nothing has, of what was said."""
        turns = [(place, draft.turn()) for place, draft in enumerate(self.drafts) if draft.tokens]
        kept = [(place, turn) for place, turn in turns if turn.stop in ("eos", "length")] or turns
        if not kept:
            return
        places = [place for place, _ in kept]
        self.made = NBest(
            id=self.id,
            parent=self.parent.id,
            turns=self.made.turns if self.made else tuple(turn for _, turn in kept),
            ranking=ranking,
            kind=self.kind,
            labels=tuple(self.labels[place] for place in places if self.labels),
            beams=tuple(self.beams[place] for place in places if self.beams),
            cross=self.cross,
        )
