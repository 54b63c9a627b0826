"""Lists of replies as entries of a file, and back with every value checked."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, get_args

import numpy as np

from dialogpt_widget.dialogue.nbest import Kind, NBest, Ranking
from dialogpt_widget.dialogue.records import list_of, object_of, text_of, whole
from dialogpt_widget.dialogue.turn import Turn

_STRANGE = ("nan", "inf", "-inf")  # numbers that JSON has not


def nbest_entry(made: NBest, turn_entry: Callable[[Turn], object]) -> dict[str, Any]:
    """A list as JSON; `turn_entry` makes a reply's."""
    ranking = made.ranking
    return {
        "id": made.id,
        "parent": made.parent,
        "kind": made.kind,
        "turns": [turn_entry(turn) for turn in made.turns],
        "labels": list(made.labels),
        "beams": _plain(made.beams),
        "cross": [_plain(row) for row in made.cross],
        "ranking": None
        if ranking is None
        else {
            "scores": [[name, ranking.weights[name], _plain(row.tolist())] for name, row in ranking.scores.items()],
            "total": _plain(ranking.total.tolist()),
            "dropped": list(ranking.dropped),
            "rank": list(ranking.rank),
            "chosen": ranking.chosen,
            "spared": ranking.spared,
            "temperature": ranking.temperature,
        },
    }


def nbest_of(entry: dict[str, Any], turns: Sequence[Turn]) -> NBest:
    """The list of an entry whose replies have been read.

    Raises:
        ValueError, TypeError, KeyError: the entry is damaged.
    """
    kind, count = entry["kind"], len(turns)
    if kind not in get_args(Kind) or not turns:
        raise ValueError(f"a list of replies is of the kind {kind!r}, with {count} of them")
    parent = whole(entry["parent"], "the turn that a list answers")
    if any(turn.parent != parent or turn.role != "assistant" for turn in turns):
        raise ValueError("a list holds what is no reply to its turn")
    ranking = entry["ranking"]
    cross = [_numbers(row, count) for row in _some(list_of(entry, "cross"), count)]
    return NBest(
        id=whole(entry["id"], "the id of a list of replies"),
        parent=parent,
        turns=tuple(turns),
        ranking=None if ranking is None else _ranking_of(object_of(ranking, "a ranking"), count),
        kind=kind,
        labels=tuple(text_of(label, "a label") for label in _some(list_of(entry, "labels"), count)),
        beams=_numbers(_some(list_of(entry, "beams"), count), None),
        cross=tuple(cross),
    )


def _ranking_of(entry: dict[str, Any], count: int) -> Ranking:
    rows = [_score_of(row, count) for row in list_of(entry, "scores")]
    if len({name for name, _, _ in rows}) < len(rows) or type(entry["spared"]) is not bool:
        raise ValueError("a ranking has a score twice, or lacks something")
    dropped = [None if one is None else text_of(one, "a reason") for one in _some(list_of(entry, "dropped"), count)]
    rank = [whole(one, "a rank", count) for one in _some(list_of(entry, "rank"), count)]
    (temperature,) = _numbers([entry["temperature"]], 1)
    if len(rank) != count or len(dropped) != count:
        raise ValueError("a ranking is not one of all replies")
    return Ranking(
        scores={name: np.array(row) for name, _, row in rows},
        total=np.array(_numbers(entry["total"], count)),
        dropped=tuple(dropped),
        rank=tuple(rank),
        chosen=whole(entry["chosen"], "the chosen reply", count - 1),
        spared=entry["spared"],
        weights={name: weight for name, weight, _ in rows},
        temperature=temperature,
    )


def _score_of(row: Any, count: int) -> tuple[str, float, tuple[float, ...]]:
    if not isinstance(row, list) or len(row) != 3:
        raise ValueError("a score has no name, weight and values")
    (weight,) = _numbers(row[1:2], 1)
    return text_of(row[0], "a scorer"), weight, _numbers(row[2], count)


def _plain(numbers: Sequence[float]) -> list[float | str]:
    return [number if math.isfinite(number) else str(number) for number in numbers]


def _numbers(values: Any, count: int | None) -> tuple[float, ...]:
    """Numbers as `_plain` wrote them, so many of them."""
    if not isinstance(values, list) or count not in (None, len(values)):
        raise ValueError(f"there are not {count} numbers where there should be")
    for value in values:
        if type(value) not in (int, float) and value not in _STRANGE:
            raise ValueError(f"a number is {value!r}")
    return tuple(map(float, values))


def _some(values: list[Any], count: int) -> list[Any]:
    """One for each reply, or none at all."""
    if len(values) not in (0, count):
        raise ValueError(f"a list of {count} replies says something of {len(values)}")
    return values
