"""Scorers of whole replies. Of several replies to the same context they say which is better.

`Likelihood` is the model's own opinion, `MMI` a backward model's, `DialogRPT` that of rankers of human feedback. A
scorer of one's own needs a name and one function, see `Scorer`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from dialogpt_widget.engine.language_model import LanguageModel


@runtime_checkable
class Scorer(Protocol):
    """Says how good replies are.

    Attributes:
        name: for people; of a column, too.
    """

    name: str

    def score(self, context_turns: list[list[int]], replies: list[list[int]]) -> np.ndarray:
        """How good each reply is, higher is better.

        Args:
            context_turns: ids of each turn of the context, the last one the user's, without the EOS that ends it.
            replies: ids of each reply, without the EOS that ends it.

        Returns:
            `[replies]`, float64.
        """


class Likelihood:
    """The logarithm of a reply's probability under the model that said it, the EOS that ends it included.

    Args:
        model: asked for the probabilities.
        normalised: by the number of ids, so that a long reply is not the worse for its length.
    """

    def __init__(self, model: LanguageModel, *, normalised: bool = False) -> None:
        self.name = "mean log-probability" if normalised else "log-probability"
        self.model, self._normalised = model, normalised

    def score(self, context_turns: list[list[int]], replies: list[list[int]]) -> np.ndarray:
        """See `Scorer`; in nat. What the model cannot read at once of a long context is left out at its beginning."""
        eos = self.model.eos
        context = [token for turn in context_turns for token in (*turn, eos)]
        pairs = [(self._tail(context, len(reply) + 1), [*reply, eos]) for reply in replies]
        return self.of(self.model.log_likelihoods(pairs))

    def of(self, logs: Sequence[np.ndarray]) -> np.ndarray:
        """The scores `[replies]` of log-probabilities that are known already, of each reply `[tokens]`."""
        return np.array([one.mean() if self._normalised else one.sum() for one in logs])

    def _tail(self, context: Sequence[int], behind: int) -> Sequence[int]:
        positions = self.model.positions
        return context if positions is None else context[-max(1, positions - behind) :]
