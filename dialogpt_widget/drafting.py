"""Several replies to one turn as they come about, and the choice between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from dialogpt_widget.course import Step
from dialogpt_widget.dialogue.nbest import Kind, NBest, Ranking
from dialogpt_widget.dialogue.turn import Stop, Turn
from dialogpt_widget.floor import Floor
from dialogpt_widget.reply import Reply

if TYPE_CHECKING:
    from dialogpt_widget.engine.record import Token
    from dialogpt_widget.engine.states import Tensor

Drawn: TypeAlias = "tuple[int, Token, Tensor | None]"
Decode: TypeAlias = "Callable[[Drafting], Iterator[Drawn]]"
Decide: TypeAlias = "Callable[[Drafting, Sequence[Turn]], Ranking | None]"


@dataclass(frozen=True, slots=True)
class Drafted:
    """One of several replies goes on.

    Attributes:
        place: which, from 0.
        piece: the text that can be shown because of it, which may be nothing.
    """

    place: int
    piece: str


@dataclass(frozen=True, slots=True)
class Deciding:
    """All replies are there; one of them is about to be chosen."""


class Drafting:
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
        moved, settled, floor: as of a `Reply`; `settled` gives the chosen turn, or of a comparison the first.
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
        decode: Decode,
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
        self.floor = Floor()
        self.problem: Exception | None = None
        self.made: NBest | None = None

    @property
    def tokens(self) -> list[Token]:
        """The tokens of all of them."""
        return [token for draft in self.drafts for token in draft.tokens]

    def __iter__(self) -> Iterator[Drafted | Deciding]:
        """Yields what is said of each, and at the end perhaps text that was withheld; then decides."""
        for draft in self.drafts:
            draft.open()
        ended: Stop = "error"
        try:
            for place, token, state in self._in_turn(self._decode(self)):
                if self.reused is None:
                    self.reused = min(self.model.reused, len(self.context.ids))
                said = self.drafts[place].say(Step(token, state))
                yield Drafted(place, said.piece)
            ended = "user"
        except (KeyboardInterrupt, GeneratorExit):
            ended = "user"
            raise
        finally:
            rest = [self._closed(draft, ended) for draft in self.drafts]
            self._keep(None)
        for place, piece in enumerate(rest):
            if piece:
                yield Drafted(place, piece)
        if self.made and self._decide:
            yield Deciding()
            try:
                self._keep(self._decide(self, self.made.turns))
            except Exception as problem:
                self.problem = problem

    def turn(self) -> Turn:
        """The chosen turn, or the first; without tokens where nothing was said."""
        if self.made is None:
            return self.drafts[0].turn()
        return self.made.turns[self.made.ranking.chosen if self.made.ranking else 0]

    def _in_turn(self, drawn: Iterator[Drawn]) -> Iterator[Drawn]:
        while self.floor.take(self.stop):
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
