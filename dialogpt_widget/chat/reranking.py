"""What chooses one of several replies: by a name, a scorer, a function, or several of these with weights."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np

from dialogpt_widget.engine.loading.names import BACKWARD
from dialogpt_widget.engine.rerank.rules import Rules

if TYPE_CHECKING:
    from dialogpt_widget.engine.model import ChatModel
    from dialogpt_widget.engine.rerank.ranking import Reranker
    from dialogpt_widget.engine.rerank.scorers import Scorer

MEAN, LIKELIHOOD, MMI_NAME, DIALOGRPT = "mean", "likelihood", "mmi", "dialogrpt"
RERANKERS = {
    MEAN: ("Mean log-probability", "What the model finds probable, by the token: fluent, often dull."),
    LIKELIHOOD: ("Log-probability", "What the model finds probable as a whole: short replies win."),
    MMI_NAME: ("MMI", "As in DialoGPT's paper: the reply from which a backward model guesses your message best."),
    DIALOGRPT: ("DialogRPT", "Five rankers trained on human feedback: 7 GB to download, for GPT-2's tokens alone."),
}
OneScorer: TypeAlias = Union[str, "Scorer", Callable[[list[str], str], float]]
Rerank: TypeAlias = Union[OneScorer, "Reranker", Sequence[OneScorer], Mapping[OneScorer, float], None]


class FunctionScorer:
    """A function of one's own as a scorer.

    Args:
        function: from the texts of the context's turns, the last one the user's, and the text of a reply to a number,
            higher is better.
        model: in whose ids replies are.
    """

    def __init__(self, function: Callable[[list[str], str], float], model: ChatModel) -> None:
        self.name = getattr(function, "__name__", type(function).__name__)
        self._function, self._model = function, model

    def score(self, context_turns: list[list[int]], replies: list[list[int]]) -> np.ndarray:
        """See `Scorer`."""
        said = [self._model.decode(turn) for turn in context_turns]
        return np.array([self._judged(list(said), self._model.decode(reply)) for reply in replies], np.float64)

    def _judged(self, said: list[str], reply: str) -> float:
        value = self._function(said, reply)
        try:
            return float(value)
        except (TypeError, ValueError):
            raise ValueError(f"{self.name} must return a number for a reply; it returned {value!r}.") from None


class Reranking:
    """How a chat chooses one of several replies. Immutable, so that any thread may ask it.

    Args:
        rerank: a name of `RERANKERS`, a `Scorer`, a function of `(turns, reply)`, several of these in a list, or with
            their weights in a dictionary; a `Reranker`, whose rules and temperature hold; None for MMI where a backward
            model comes with the model, else the mean log-probability.
        rules: what drops a reply before it is scored.
        temperature: 0 takes the best; else one is drawn from the softmax of the weighted sum divided by this.

    Raises:
        TypeError, ValueError: that cannot choose, or a temperature below 0.
    """

    def __init__(self, rerank: Rerank = None, rules: Rules | None = None, temperature: float = 0.0) -> None:
        parts = list(_parts(rerank))
        for one, weight in parts:
            _check(one, weight)
        if not parts and rerank is not None and not hasattr(rerank, "rank"):
            raise ValueError("rerank is empty: give at least one name, scorer or function, or None.")
        names = [_title(one) for one, _ in parts]
        if len({*names}) < len(names):
            raise ValueError(f"Two of rerank have the same name: {', '.join(names)}.")
        if rules is not None and not isinstance(rules, Rules):
            raise TypeError(f"rules is a Rules, such as Rules(words=['darn']), not {type(rules).__name__}.")
        if not isinstance(temperature, (int, float)) or not 0 <= temperature <= MOST:
            raise ValueError(f"temperature is from 0, which takes the best, to {MOST}; got {temperature!r}.")
        self.rerank = rerank
        self.rules = getattr(rerank, "rules", None) or rules or Rules()
        self.temperature = float(getattr(rerank, "temperature", temperature))
        self._lock = threading.Lock()
        self._made: tuple[ChatModel, Reranker] | None = None

    def changed(self, **values: Any) -> Reranking:
        """The same with another `rerank`, `rules` or `temperature`."""
        old: dict[str, Any] = {"rerank": self.rerank, "rules": self.rules, "temperature": self.temperature}
        return Reranking(**(old | values))

    def name_for(self, model_name: str) -> str:
        """The name of `RERANKERS` by which it chooses between replies of a model; `own` where it has none."""
        if self.rerank is None:
            return MMI_NAME if model_name in BACKWARD else MEAN
        return self.rerank if isinstance(self.rerank, str) else "own"

    def title_for(self, model_name: str) -> str:
        """What chooses between replies of a model, for people."""
        rerank = self.name_for(model_name) if self.rerank is None else self.rerank
        return " + ".join(_title(one) for one, _ in _parts(rerank)) or "a Reranker"

    def of(self, model: ChatModel) -> Reranker:
        """What chooses between replies of a model; loads what it needs.

        Raises:
            ValueError: it cannot read this model's ids, or no backward model is known for it.
            ModelError: a backward model or a ranker could not be loaded.
        """
        from dialogpt_widget.engine.rerank.ranking import Reranker

        with self._lock:
            if self._made is None or self._made[0] is not model:
                if isinstance(self.rerank, Reranker):
                    made = self.rerank
                else:
                    rerank = self.name_for(model.name) if self.rerank is None else self.rerank
                    scorers = {_scorer(one, model): weight for one, weight in _parts(rerank)}
                    made = Reranker(scorers, rules=self.rules, temperature=self.temperature)
                for scorer, _ in made.weights:
                    check = getattr(scorer, "check", None)
                    if check is not None:
                        check(model)
                self._made = model, made
            return self._made[1]


MOST = 1000.0


def reranking_of(rerank: Rerank | Reranking) -> Reranking:
    """A `Reranking`: itself, or of what chooses without rules."""
    return rerank if isinstance(rerank, Reranking) else Reranking(rerank)


def _parts(rerank: Any) -> Iterator[tuple[Any, float]]:
    """Yields what a `rerank` value is made of, each scorer with its weight."""
    if rerank is None or (hasattr(rerank, "rank") and not isinstance(rerank, type)):
        return
    if isinstance(rerank, Mapping):
        yield from rerank.items()
    elif isinstance(rerank, Sequence) and not isinstance(rerank, str):
        yield from ((one, 1.0) for one in rerank)
    else:
        yield rerank, 1.0


def _check(one: Any, weight: Any) -> None:
    if isinstance(one, str):
        if one not in RERANKERS:
            raise ValueError(f"rerank is one of {', '.join(RERANKERS)}, a scorer or a function; got {one!r}.")
    elif isinstance(one, type):
        raise TypeError(f"rerank is an object, not its class: {one.__name__}(...).")
    elif not callable(one) and not (hasattr(one, "score") and hasattr(one, "name")):
        raise TypeError(f"rerank is a name, a scorer or a function, or several of these; got {type(one).__name__}.")
    if not isinstance(weight, (int, float)) or not abs(weight) < float("inf"):
        raise ValueError(f"A scorer's weight is a finite number; got {weight!r}.")


def _title(one: Any) -> str:
    if isinstance(one, str):
        return RERANKERS[one][0]
    return str(getattr(one, "name", None) or getattr(one, "__name__", type(one).__name__))


def _scorer(one: Any, model: ChatModel) -> Scorer:
    from dialogpt_widget.engine.rerank.dialogrpt import DialogRPT
    from dialogpt_widget.engine.rerank.mmi import MMI
    from dialogpt_widget.engine.rerank.scorers import Likelihood

    if not isinstance(one, str):
        return one if hasattr(one, "score") else FunctionScorer(one, model)
    if one == DIALOGRPT:
        return DialogRPT()
    if one != MMI_NAME:
        return Likelihood(model, normalised=one == MEAN)
    if model.name not in BACKWARD:
        raise ValueError(
            f"No backward model comes with {model.name}. Give the path of one, such as DialoGPT's medium_reverse.pkl: "
            'rerank=MMI("medium_reverse.pkl"), from dialogpt_widget.engine.rerank.'
        )
    return MMI(str(BACKWARD[model.name]))
