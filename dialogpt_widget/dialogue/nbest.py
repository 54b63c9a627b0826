"""Several replies to one turn, of which one or more go on: an n-best list, and how it was ranked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from dialogpt_widget.dialogue.turn import Turn

Kind = Literal["sampled", "beam", "compared"]


class UnknownListError(KeyError):
    """A list of replies that is not in a conversation, or no longer."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """What was said of several replies.

    Attributes:
        scores: by scorer, `[replies]`, float64; NaN where a reply was dropped.
        total: the weighted sum of the scores, `[replies]`; NaN where a reply was dropped.
        dropped: why a reply was dropped, None if it was not.
        rank: 1 for the best, 0 for one that was dropped.
        chosen: the place of the reply that goes on.
        spared: whether the rules would have dropped every reply, so that none was.
        weights: by scorer.
        temperature: of the softmax that the chosen one was drawn from; 0 if the best was taken.
    """

    scores: dict[str, np.ndarray]
    total: np.ndarray
    dropped: tuple[str | None, ...]
    rank: tuple[int, ...]
    chosen: int
    spared: bool = False
    weights: dict[str, float] = field(default_factory=dict)
    temperature: float = 0.0

    def of(self, places: Sequence[int]) -> Ranking:
        """What was said of some of the replies; if the chosen one is not among them, the best of them is."""
        rank = tuple(self.rank[place] for place in places)
        best = min((number, place) for place, number in enumerate(rank) if number or not any(rank))[1]
        return replace(
            self,
            scores={name: values[list(places)] for name, values in self.scores.items()},
            total=self.total[list(places)],
            dropped=tuple(self.dropped[place] for place in places),
            rank=rank,
            chosen=places.index(self.chosen) if self.chosen in places else best,
        )


@dataclass(frozen=True, slots=True, eq=False)
class NBest:
    """Replies to one turn, the chosen one among them; those that are in the conversation's tree too were picked.

    Attributes:
        id: number within the conversation, from the same counter as those of turns.
        parent: the user's turn that all of them answer.
        turns: the replies, in the order in which they were numbered, or found by beam search, best first.
        ranking: how one was chosen; None where nothing was.
        kind: sampled side by side, found by beam search, or compared: made with other settings or models.
        labels: of a comparison what each reply was made with; else empty.
        beams: of beam search the score of each reply by which `generate` ranks; else empty.
        cross: of a comparison the log-probability of reply `i` as side `j` would have drawn it, nat, `[i][j]`; -inf
            where it could not have, NaN where it has no ids for it. Else empty.
    """

    id: int
    parent: int
    turns: tuple[Turn, ...]
    ranking: Ranking | None = None
    kind: Kind = "sampled"
    labels: tuple[str, ...] = ()
    beams: tuple[float, ...] = ()
    cross: tuple[tuple[float, ...], ...] = ()

    def __repr__(self) -> str:
        return f"<NBest {self.id}, {len(self.turns)} replies to turn {self.parent}, {self.kind}>"

    def moved(self, move: Callable[[int], int]) -> NBest:
        """The same with other ids."""
        turns = tuple(turn.moved(move) for turn in self.turns)
        return replace(self, id=move(self.id), parent=move(self.parent), turns=turns)

    def without(self, gone: Collection[int]) -> NBest:
        """The same without some of the replies, by their ids; some others are left."""
        left = [place for place, turn in enumerate(self.turns) if turn.id not in gone]
        return replace(
            self,
            turns=tuple(self.turns[place] for place in left),
            ranking=None if self.ranking is None else self.ranking.of(left),
            labels=tuple(self.labels[place] for place in left if self.labels),
            beams=tuple(self.beams[place] for place in left if self.beams),
            cross=tuple(tuple(self.cross[i][j] for j in left) for i in left if self.cross),
        )


class NBests:
    """The lists of a conversation, by their ids. The conversation's lock guards it."""

    def __init__(self) -> None:
        self._lists: dict[int, NBest] = {}

    def __iter__(self) -> Iterator[NBest]:
        return iter(tuple(self._lists.values()))

    def __len__(self) -> int:
        return len(self._lists)

    def __contains__(self, list_id: object) -> bool:
        return list_id in self._lists

    def __getitem__(self, list_id: int) -> NBest:
        try:
            return self._lists[list_id]
        except KeyError:
            raise UnknownListError(f"There is no list of replies {list_id!r} in this conversation.") from None

    def put(self, made: NBest) -> NBest:
        """Adds a list, or replaces the one with its id."""
        self._lists[made.id] = made
        return made

    def forget(self, gone: Collection[int]) -> None:
        """Erases some turns, by their ids, and the lists that answer one of them."""
        for made in self:
            if made.parent in gone or all(turn.id in gone for turn in made.turns):
                del self._lists[made.id]
            elif any(turn.id in gone for turn in made.turns):
                self.put(made.without(gone))

    def with_turn(self, turn_id: int) -> NBest | None:
        """The list that a reply is in, whether it was picked or not."""
        return next((made for made in self._lists.values() if any(turn.id == turn_id for turn in made.turns)), None)


def logprob(turn: Turn) -> float:
    """The log-probability of a reply under the model's own distribution, nat, its EOS included; NaN if not known."""
    return float("nan") if turn.rows is None else float(turn.rows["logprob"].astype(np.float64).sum())


def mean_logprob(turn: Turn) -> float:
    """The same divided by the number of its tokens, the EOS included where the model chose it."""
    return logprob(turn) / len(turn.rows) if turn.rows is not None and len(turn.rows) else float("nan")
