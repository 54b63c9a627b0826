"""Several replies to a turn, and how one is chosen, as the page needs them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.chat.reranking import RERANKERS, Reranking
from dialogpt_widget.dialogue.nbest import NBest, logprob, mean_logprob
from dialogpt_widget.engine.rerank.rules import Rules
from dialogpt_widget.settings import Settings
from dialogpt_widget.widget import wire
from dialogpt_widget.widget.questions import RequestError

DIGITS = 4  # after the point
RULES = tuple(spec.name for spec in dataclasses.fields(Rules))


def nbest_state(made: NBest, note: str = "") -> wire.NBestState:
    """A list of replies; `note` is a line for people."""
    ranking = made.ranking
    scores = list(ranking.scores.values()) if ranking else []
    return {
        "id": made.id,
        "parent": made.parent,
        "kind": made.kind,
        "candidates": [
            {
                "turn": turn.id,
                "text": turn.text,
                "tokens": len(turn.ids),
                "stop": turn.stop,
                "logprob": _number(logprob(turn)),
                "mean": _number(mean_logprob(turn)),
                "scores": [_number(row[place]) for row in scores],
                "total": _number(ranking.total[place]) if ranking else None,
                "dropped": ranking.dropped[place] if ranking else None,
                "rank": ranking.rank[place] if ranking else 0,
                "label": made.labels[place] if made.labels else "",
                "beam": _number(made.beams[place]) if made.beams else None,
            }
            for place, turn in enumerate(made.turns)
        ],
        "scorers": list(ranking.scores) if ranking else [],
        "weights": list(ranking.weights.values()) if ranking else [],
        "spared": ranking.spared if ranking else False,
        "temperature": ranking.temperature if ranking else 0.0,
        "cross": [[_number(one) for one in row] for row in made.cross] if made.cross else None,
        "note": note,
    }


def rerank_state(reranking: Reranking, model: str) -> wire.RerankState:
    """How one of several replies is chosen."""
    rules = reranking.rules
    return {
        "name": reranking.name_for(model),
        "temperature": reranking.temperature,
        "words": list(rules.words),
        "urls": rules.urls,
        "repeats": rules.repeats,
        "echo": rules.echo,
        "empty": rules.empty,
    }


def rerankers(reranking: Reranking) -> list[wire.Choice]:
    """What can choose, and what code has set beside."""
    choices: list[wire.Choice] = [
        {"name": name, "title": title, "help": about} for name, (title, about) in RERANKERS.items()
    ]
    if reranking.name_for("") == "own":
        choices.append({"name": "own", "title": reranking.title_for(""), "help": "What code has set."})
    return choices


def changed(reranking: Reranking, values: Mapping[str, Any]) -> Reranking:
    """The same with some values of `RerankState` changed.

    Raises:
        RequestError, ValueError, TypeError: there is no such value, or it cannot be that.
    """
    unknown = values.keys() - {"name", "temperature", *RULES}
    if unknown:
        raise RequestError(f"rerank has no {', '.join(sorted(unknown))}")
    rules = {name: values[name] for name in RULES if name in values}
    for name, value in rules.items():
        if name != "words" and type(value) is not bool:
            raise RequestError(f"{name} is true or false")
    if not all(isinstance(word, str) for word in rules.get("words", ())):
        raise RequestError("words are a list of texts")
    made = dataclasses.replace(reranking.rules, **rules)
    rerank = reranking.rerank if values.get("name", "own") == "own" else values["name"]
    return reranking.changed(rerank=rerank, rules=made, temperature=values.get("temperature", reranking.temperature))


def asked_sides(chat: Chat, sides: list[Any]) -> dict[str, tuple[str, Settings] | Settings]:
    """What a page wants compared, by their labels; for `sides_of`.

    Raises:
        RequestError, ValueError, TypeError: something of it cannot be.
    """
    made: dict[str, tuple[str, Settings] | Settings] = {}
    for side in sides:
        if not isinstance(side, dict) or not isinstance(side.get("values"), dict):
            raise RequestError("a side has label, values and model")
        label, model = side.get("label"), side.get("model")
        if not isinstance(label, str) or not label or not isinstance(model, (str, type(None))):
            raise RequestError("a side has a label, and a model's name or none")
        settings = chat.settings.replace(**side["values"]) if side["values"] else chat.settings
        if label in made:
            raise RequestError(f"two sides are called {label!r}")
        made[label] = settings if model is None else (model, settings)
    return made


def _number(number: float) -> float | None:
    return round(float(number), DIGITS) if math.isfinite(number) else None
