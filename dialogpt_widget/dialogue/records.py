"""Turns as entries of a file, and back with every value checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from dialogpt_widget.dialogue.conversation import Conversation
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
        """Where the value stands, put there if it is new."""
        if value not in self.values:
            self.values.append(value)
        return self.values.index(value)


class Dealt:
    """Token rows of a file, dealt to its turns in order.

    Raises:
        ValueError: there are not as many as the turns say.
    """

    def __init__(self, rows: np.ndarray) -> None:
        self._rows, self._used = rows, 0

    def next(self, count: Any) -> np.ndarray | None:
        """The rows of the next turn, which says that it has so many; None for none."""
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
