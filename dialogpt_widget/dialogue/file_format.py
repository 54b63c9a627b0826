"""Turns as entries of a file, and back with every value checked."""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Callable, Sequence
from typing import Any, get_args

import numpy as np

from dialogpt_widget.dialogue.conversation import Conversation
from dialogpt_widget.dialogue.nbest import Kind, NBest, Ranking
from dialogpt_widget.dialogue.tokens import FILTERS, ORIGINS, ROLES, row_type
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.settings import Settings

_ROLES = ("user", "assistant")
_STOPS = (None, "eos", "length", "user", "error")
_LATEST = 253_402_300_799  # the last second that a calendar of four-digit years has


class Shared:
    """Values that many turns share, each kept once."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def place(self, value: Any) -> int:
        """Index of a value, which is added if it is new."""
        if value not in self.values:
            self.values.append(value)
        return self.values.index(value)


class Dealt:
    """Token rows of a file, handed out to its turns in order.

    Raises:
        ValueError: there are not as many as the turns say.
    """

    def __init__(self, rows: np.ndarray) -> None:
        self._rows, self._used = rows, 0

    def next(self, count: Any) -> np.ndarray | None:
        """Rows of the next turn, which says how many it has; None where it has none."""
        if count is None:
            return None
        end = self._used + whole(count, "a number of rows", len(self._rows) - self._used)
        dealt, self._used = self._rows[self._used : end], end
        return dealt

    def check_all(self) -> None:
        """Refuses rows that are left over."""
        if self._used != len(self._rows):
            raise ValueError("some token rows belong to no turn")


def entry_of(turn: Turn, conversation: Conversation, settings: Shared, models: Shared) -> dict[str, Any]:
    """A turn as JSON; what turns share goes into the tables."""
    entry: dict[str, Any] = {
        "id": turn.id,
        "parent": turn.parent,
        "role": turn.role,
        "text": turn.text,
        "ids": list(turn.ids),
        "created": turn.created,
        "model": models.place([turn.model, turn.revision, turn.precision]),
    }
    if turn.role == "assistant":
        entry |= {
            "settings": None if turn.settings is None else settings.place(turn.settings.to_dict()),
            "reply": turn.reply,
            "stop": turn.stop,
            "begun": turn.begun,
            "saw": _span(turn, conversation),
            "rows": None if turn.rows is None else len(turn.rows),
        }
    return entry


def _span(turn: Turn, conversation: Conversation) -> int | list[int] | None:
    """The context in short: its first turn, where it went on from there to the parent."""
    if not turn.context:
        return None
    path = [seen.id for seen in conversation.path_to(turn.parent)]
    whole = path[-len(turn.context) :] == list(turn.context)
    return turn.context[0] if whole else list(turn.context)


def turn_of(
    entry: dict[str, Any],
    conversation: Conversation,
    settings: list[Settings],
    models: list[tuple[str, str | None, str]],
    rows: np.ndarray | None,
) -> Turn:
    """The turn of an entry.

    Raises:
        ValueError, TypeError, KeyError, IndexError: the entry is damaged.
    """
    role, parent, stop = entry["role"], entry["parent"], entry.get("stop")
    if role not in _ROLES or stop not in _STOPS:
        raise ValueError(f"a turn has the role {role!r}, the end {stop!r}")
    if parent is not None:
        conversation[whole(parent, "a parent")]
    ids = tuple(whole(token, "a token id", 2**32 - 1) for token in list_of(entry, "ids"))
    if rows is not None and (len(rows) not in (len(ids), len(ids) + 1) or rows["id"][: len(ids)].tolist() != list(ids)):
        raise ValueError("token rows and ids of a turn differ")
    created = entry["created"]
    if type(created) not in (int, float) or not 0 <= created <= _LATEST:
        raise ValueError(f"a turn's time is {created!r}")
    made, number, saw = entry.get("settings"), entry.get("reply"), entry.get("saw")
    if len({made is None, number is None, stop is None}) > 1 or (made is not None and role == "user"):
        raise ValueError("a turn is half a reply")
    name, revision, precision = models[whole(entry["model"], "a model's place")]
    return Turn(
        id=whole(entry["id"], "an id"),
        parent=parent,
        role=role,
        text=text_of(entry["text"], "a text"),
        ids=ids,
        settings=None if made is None else settings[whole(made, "a place in the settings")],
        reply=None if number is None else whole(number, "a reply's number", 2**63),
        context=_context(saw, parent, conversation),
        stop=stop,
        created=created,
        model=name,
        revision=revision,
        precision=precision,
        begun=whole(entry.get("begun", 0), "the length of a beginning", len(ids)),
        rows=rows,
    )


def _context(saw: Any, parent: int | None, conversation: Conversation) -> tuple[int, ...]:
    if saw is None:
        return ()
    path = [turn.id for turn in conversation.path_to(parent)]
    if isinstance(saw, list):
        return tuple(path[path.index(whole(seen, "a turn of a context"))] for seen in saw)
    return tuple(path[path.index(whole(saw, "a turn of a context")) :])


def pair_of(pair: Any, conversation: Conversation) -> tuple[int | None, int]:
    """A parent and the child of it that was selected last."""
    if not isinstance(pair, list) or len(pair) != 2:
        raise ValueError("a branch that was selected is no pair")
    child = conversation[whole(pair[1], "a branch that was selected")]
    if child.parent != pair[0]:
        raise ValueError("a branch that was selected is elsewhere")
    return child.parent, child.id


def model_of(values: Any) -> tuple[str, str | None, str]:
    """A model's name, revision and precision."""
    if not isinstance(values, list) or len(values) != 3:
        raise ValueError("a model is not a name, a revision and a precision")
    name, revision, precision = values
    known = None if revision is None else text_of(revision, "a revision")
    return text_of(name, "a model's name"), known, text_of(precision, "a precision")


def whole(value: Any, what: str, most: int = 10**9) -> int:
    """A whole number from 0 to `most`."""
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(f"{what} is {value!r}")
    return value


def text_of(value: Any, what: str) -> str:
    """Well-formed text."""
    if not isinstance(value, str):
        raise TypeError(f"{what} is {value!r}")
    value.encode()  # refuses lone surrogates
    return value


def list_of(content: dict[str, Any], name: str) -> list[Any]:
    """A list that must be there."""
    if not isinstance(content[name], list):
        raise TypeError(f"{name} is no list")
    return content[name]  # type: ignore[no-any-return]


def object_of(value: Any, what: str) -> dict[str, Any]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise TypeError(f"{what} is no object")
    return value


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


_WIDTHS = (2**16 - 1, 2**16)  # vocabularies that row types differ for
_WORDS = {"role": len(ROLES), "origin": len(ORIGINS), "eos": 2, "alt_fate": len(FILTERS) + 1}  # columns of few values


def pack(parts: Sequence[np.ndarray]) -> dict[str, Any]:
    """The rows of several turns as one JSON value: `{"count", "wide", "columns": {name: base64}}`.

    A column's little-endian bytes are transposed, all first bytes before all second ones, and deflated: floats of
    similar size share their high bytes. Nothing is rounded.
    """
    rows = np.concatenate([np.zeros(0, row_type(_WIDTHS[0])), *parts])
    wide = rows.dtype != row_type(_WIDTHS[0])
    columns = {}
    for name in rows.dtype.names or ():
        values = np.ascontiguousarray(rows[name])
        raw = values.view(np.uint8).reshape(len(rows), -1).T.tobytes() if len(rows) else b""
        columns[name] = base64.b64encode(zlib.compress(raw, 9)).decode("ascii")
    return {"count": len(rows), "wide": wide, "columns": columns}


def unpack(packed: Any, most: int) -> np.ndarray:
    """The rows that `pack` was given, one turn's after the other.

    Args:
        packed: from `pack`, by way of JSON.
        most: how many rows there can be.

    Raises:
        ValueError: the value is damaged.
    """
    if not isinstance(packed, dict) or not isinstance(packed.get("columns"), dict):
        raise ValueError("the token rows are missing")  # noqa: TRY004 - a file's content, not an argument
    count, wide, columns = packed.get("count"), packed.get("wide"), packed["columns"]
    if type(count) is not int or not 0 <= count <= most or type(wide) is not bool:
        raise ValueError("the number of token rows is not that of the turns")
    kind = row_type(_WIDTHS[wide])
    if set(columns) != set(kind.names or ()):
        raise ValueError("the token rows have other columns")
    raw = {name: _inflated(name, columns[name], kind[name].itemsize * count) for name in columns}
    rows = np.zeros(count, kind)
    for name, data in raw.items():
        if count:
            table = np.frombuffer(data, np.uint8).reshape(-1, count).T
            rows[name] = np.ascontiguousarray(table).view(kind[name].base).reshape(count, *kind[name].shape)
    for name, words in _WORDS.items():
        if (rows[name].view(np.uint8) >= words).any():
            raise ValueError(f"the column {name} of the token rows has unknown values")
    return rows


def _inflated(name: str, text: Any, size: int) -> bytes:
    try:
        squeezed = base64.b64decode(text.encode("ascii"), validate=True)
        inflate = zlib.decompressobj()
        data = inflate.decompress(squeezed, size + 1)
    except (ValueError, AttributeError, zlib.error):
        raise ValueError(f"the column {name} of the token rows cannot be read") from None
    if len(data) != size or (size and not inflate.eof) or inflate.unused_data:
        raise ValueError(f"the column {name} of the token rows has another length")
    return data
