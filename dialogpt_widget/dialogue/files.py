"""A conversation as a file: versioned JSON that comes back bit for bit.

The layout, version 2: `turns` in the order in which they settled; `settings` and `models`, to which turns point by
place, each once; `leaf` and `recent`, which path is selected and which child of each turn was last (`[parent, child]`);
`next`, the next free id; `tokens`, every reply's rows in one table of compressed columns (see `file_format`), of which
each turn says how many are its own; `nbest`, lists X `chat`, the model's name and the settings of the next reply.
Version 1 had no such lists.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dialogpt_widget.dialogue.conversation import Conversation
from dialogpt_widget.dialogue.file_format import (
    Dealt,
    Shared,
    entry_of,
    list_of,
    model_of,
    nbest_entry,
    nbest_of,
    object_of,
    pack,
    pair_of,
    text_of,
    turn_of,
    unpack,
    whole,
)
from dialogpt_widget.dialogue.tokens import TokenTable
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.settings import Settings

FORMAT = "dialogpt-widget conversation"
VERSION = 2
_LONGEST_REASON = 200  # characters of what is wrong with a file; it may quote all of it
_CALLS_ITSELF = re.compile(rf'"format"\s*:\s*"{FORMAT}"')  # no message can: quotes in it are escaped


@dataclass(frozen=True, slots=True)
class Saved:
    """What a file holds.

    Attributes:
        conversation: all turns and the selected path.
        model: name of the model that the chat was with, or None.
        settings: how its next reply would have been decoded, or None.
    """

    conversation: Conversation
    model: str | None = None
    settings: Settings | None = None


def dump(saved: Saved, *, branches: bool = True) -> str:
    """The text of a file.

    Args:
        saved: what to write.
        branches: whether all of the tree, or the selected path alone.
    """
    conversation = saved.conversation.copy()  # another thread may be adding a reply
    turns = conversation.turns if branches else conversation.path
    settings = Shared()
    models = Shared()
    here = {turn.id for turn in turns}
    nbests = [made for made in conversation.nbests if made.parent in here]
    said = [*turns, *(turn for made in nbests for turn in made.turns if turn.id not in here)]

    def entry(turn: Turn) -> dict[str, Any]:
        return entry_of(turn, conversation, settings, models)

    entries = [entry(turn) for turn in turns]
    lists = [nbest_entry(made, lambda turn: turn.id if turn.id in here else entry(turn)) for made in nbests]
    content = {
        "format": FORMAT,
        "version": VERSION,
        "chat": {"model": saved.model, "settings": saved.settings.to_dict() if saved.settings else None},
        "settings": settings.values,
        "models": models.values,
        "turns": entries,
        "nbest": lists,
        "leaf": conversation.leaf,
        "recent": [pair for pair in conversation.recent if branches],
        "next": conversation.next_id,
        "tokens": pack([turn.rows for turn in said if turn.rows is not None]),
    }
    return json.dumps(content, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def parse(text: str) -> Saved:
    """What the text of a file holds.

    Raises:
        ValueError: it is no such file, damaged, or of a newer version.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("This is no saved conversation: it is not JSON, or was cut off.") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError("This is no saved conversation of dialogpt-widget.")
    version = content.get("version")
    if type(version) is int and version > VERSION:
        raise ValueError(
            f"This conversation was saved by a newer version of dialogpt-widget (its format is {version}, this one "
            f"reads up to {VERSION}). Update the package: pip install --upgrade dialogpt-widget."
        )
    try:
        return _read(content)
    except (ValueError, TypeError, LookupError, OverflowError, RecursionError) as error:
        reason = f"{error} is missing" if type(error) is KeyError else str(error).rstrip(".")
        short = reason if len(reason) < _LONGEST_REASON else f"{reason[:_LONGEST_REASON]}…"
        raise ValueError(f"This saved conversation is damaged: {short}. Nothing was loaded.") from None


def is_saved(text: str) -> bool:
    """Whether a text calls itself a saved conversation, be it damaged."""
    return _CALLS_ITSELF.search(text) is not None


def save(saved: Saved, path: str | Path, *, branches: bool = True) -> None:
    """Writes a file, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    write(path, dump(saved, branches=branches))


def load(path: str | Path) -> Saved:
    """Reads a file that `save` wrote.

    Raises:
        ValueError: it is no such file, damaged, or of a newer version; the message names it.
        OSError: it cannot be read.
    """
    try:
        return parse(Path(path).read_bytes().decode("utf-8"))
    except UnicodeDecodeError:
        raise ValueError(f"{path}: This is no saved conversation: it is not text.") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def write(path: str | Path, content: str | bytes) -> None:
    """Writes a file beside its place and moves it there, so that an old one survives a failure.

    Raises:
        OSError: it cannot be written.
    """
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(f"{path} is a folder: name a file in it.")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {target.parent}.")
    data = content.encode() if isinstance(content, str) else content
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_tokens(path: str | Path, tokens: Callable[[], TokenTable]) -> None:
    """Writes a token table as CSV or Parquet, by the file's ending.

    Args:
        path: of the file.
        tokens: gives the table; not called where the ending is another.

    Raises:
        ValueError: another ending.
        ImportError: pandas, or for Parquet pyarrow, is not installed.
        OSError: the file cannot be written.
    """
    ending = Path(path).suffix.lower()
    if ending not in (".csv", ".parquet"):
        raise ValueError(f"Tokens are written as .csv or .parquet, not {ending or 'without an ending'}.")
    table = tokens()
    write(path, table.to_csv() if ending == ".csv" else table.to_parquet())


def _check_width(turns: Sequence[Turn]) -> None:
    """Refuses ids that do not fit the rows of the same model's replies."""
    most = {turn.model: np.iinfo(turn.rows["id"].dtype).max for turn in turns if turn.rows is not None}
    for turn in turns:
        if max(turn.ids, default=0) > most.get(turn.model, 2**32):
            raise ValueError(f"turn {turn.id} holds the token {max(turn.ids)}, which its model does not have")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _read(content: dict[str, Any]) -> Saved:
    if content["version"] not in range(1, VERSION + 1):
        raise ValueError(f"its version is {content['version']!r}")
    entries = [object_of(entry, "a turn") for entry in list_of(content, "turns")]
    listed = list_of(content, "nbest") if content["version"] > 1 else []
    lists = [(object_of(made, "a list of replies"), list_of(made, "turns")) for made in listed]
    replies = [object_of(entry, "a reply") for _, own in lists for entry in own if type(entry) is not int]
    rows = unpack(content["tokens"], sum(len(list_of(entry, "ids")) + 1 for entry in (*entries, *replies)))
    settings = [Settings.from_dict(object_of(values, "settings")) for values in list_of(content, "settings")]
    models = [model_of(values) for values in list_of(content, "models")]
    conversation = Conversation(next_id=whole(content["next"], "the next id", 10**9))
    dealt = Dealt(rows)

    def turn(entry: dict[str, Any] | int) -> Turn:
        if isinstance(entry, int):
            return conversation[entry]
        return turn_of(entry, conversation, settings, models, dealt.next(entry.get("rows")))

    for entry in entries:
        conversation.add(turn(entry), select=False)
    for made, own in lists:
        conversation.propose(nbest_of(made, [turn(entry) for entry in own]))
    dealt.check_all()
    _check_width([*conversation.turns, *(one for made in conversation.nbests for one in made.turns)])
    leaf = content["leaf"]
    if leaf is not None:
        conversation[whole(leaf, "the selected turn")]
    conversation.restore(leaf, [pair_of(pair, conversation) for pair in list_of(content, "recent")])
    chat = object_of(content["chat"], "chat")
    model = None if chat["model"] is None else text_of(chat["model"], "the model's name")
    next_settings = None if chat["settings"] is None else Settings.from_dict(object_of(chat["settings"], "settings"))
    return Saved(conversation, model, next_settings)
