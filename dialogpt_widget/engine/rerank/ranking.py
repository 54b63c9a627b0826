"""Which of several replies is said: scorers with weights, rules before them, the best or a draw."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dialogpt_widget.dialogue.nbest import Ranking
from dialogpt_widget.engine.language_model import LanguageModel
from dialogpt_widget.engine.rerank.rules import Rules
from dialogpt_widget.engine.rerank.scorers import Likelihood, Scorer

RULES = Rules()


@dataclass(frozen=True, slots=True)
class RerankInput:
    """Replies to one context, as one model said them.

    Attributes:
        context_turns: as for `Scorer.score`.
        replies: as for `Scorer.score`, at least one.
        said: their texts.
        user: the text of the user's turn.
        model: what said them; None where `logprobs` are not known.
        logprobs: of each reply's tokens under the model's own distribution, its EOS included, nat; None where a reply
            did not end with it.
    """

    context_turns: list[list[int]]
    replies: list[list[int]]
    said: Sequence[str]
    user: str
    model: LanguageModel | None = None
    logprobs: Sequence[np.ndarray | None] = ()


class Reranker:
    """Chooses one of several replies.

    Args:
        scorers: one, several, or several with their weights (1 each if none are given).
        rules: what drops a reply before it is scored.
        temperature: 0 takes the best; else a reply is drawn from the softmax of the total divided by this.

    Raises:
        TypeError: that is no scorer.
        ValueError: two scorers of one name, no scorer, or a number that cannot be used.
    """

    def __init__(
        self,
        scorers: Scorer | Sequence[Scorer] | Mapping[Scorer, float],
        *,
        rules: Rules = RULES,
        temperature: float = 0.0,
    ) -> None:
        self.weights = _weights(scorers)
        if not (math.isfinite(temperature) and temperature >= 0):
            raise ValueError(f"temperature is 0, which takes the best, or greater; got {temperature!r}.")
        self.rules, self.temperature = rules, float(temperature)

    def rank(self, case: RerankInput, draw: float = 0.0) -> Ranking:
        """Scores replies to the same context and chooses one.

        Args:
            case: the replies.
            draw: a uniform number in [0, 1), which decides where `temperature` is not 0.

        Raises:
            ValueError: a scorer gave something else than a number for each reply.
        """
        dropped = [self.rules.reason(text, case.user) for text in case.said]
        spared = all(dropped)
        count = len(case.replies)
        left = [place for place in range(count) if spared or dropped[place] is None]
        scores = {}
        for scorer, _ in self.weights:
            scores[scorer.name] = np.full(count, np.nan)
            scores[scorer.name][left] = _scored(scorer, case, left)
        total = sum((weight * scores[scorer.name] for scorer, weight in self.weights), np.zeros(count))
        order = sorted(left, key=lambda place: (-total[place], place))
        ranks = {place: number for number, place in enumerate(order, 1)}
        return Ranking(
            scores=scores,
            total=total,
            dropped=tuple(dropped),
            rank=tuple(ranks.get(place, 0) for place in range(count)),
            chosen=self._choose(total[order], order, draw),
            spared=spared,
            weights={scorer.name: float(weight) for scorer, weight in self.weights},
            temperature=self.temperature,
        )

    def _choose(self, totals: np.ndarray, order: Sequence[int], draw: float) -> int:
        if not self.temperature:
            return order[0]
        weights = np.exp((totals - totals[0]) / self.temperature)
        place = int(np.searchsorted(np.cumsum(weights / weights.sum()), draw, side="right"))
        return order[min(place, len(order) - 1)]


def _weights(scorers: Scorer | Sequence[Scorer] | Mapping[Scorer, float]) -> list[tuple[Scorer, float]]:
    if isinstance(scorers, Mapping):
        pairs = list(scorers.items())
    elif isinstance(scorers, Sequence):
        pairs = [(scorer, 1.0) for scorer in scorers]
    else:
        pairs = [(scorers, 1.0)]
    if not pairs:
        raise ValueError("There is no scorer: give at least one, such as Likelihood(model).")
    for scorer, weight in pairs:
        if not isinstance(scorer, Scorer):
            raise TypeError(f"A scorer has a name and score(context_turns, replies); {type(scorer).__name__} has not.")
        if not math.isfinite(weight):
            raise ValueError(f"The weight of {scorer.name} is a finite number; got {weight!r}.")
    names = [scorer.name for scorer, _ in pairs]
    if len({*names}) < len(names):
        raise ValueError(f"Scorers are told apart by their names, and two have the same: {', '.join(names)}.")
    return pairs


def _scored(scorer: Scorer, case: RerankInput, places: Sequence[int]) -> np.ndarray:
    known = [case.logprobs[place] for place in places] if case.logprobs else [None]
    ended = [logs for logs in known if logs is not None]
    if isinstance(scorer, Likelihood) and scorer.model is case.model and len(ended) == len(known):
        return scorer.of(ended)  # as they were when they were said
    replies = [case.replies[place] for place in places]
    found = np.asarray(scorer.score(case.context_turns, replies), np.float64)
    if found.shape != (len(replies),) or not np.isfinite(found).all():
        raise ValueError(
            f"{scorer.name} must give one finite number for each of {len(replies)} replies; it gave {found.tolist()}."
        )
    return found
