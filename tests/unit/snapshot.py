"""Stored descriptions of what must stay: compared as readable text, rewritten where that is asked for."""

from __future__ import annotations

import difflib
import json
import os
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent / "snapshots"
PIECES = ("<n>", "piece", "pieces")  # keys of a token's bytes, which are text or numbers


def check(name: str, found: Any) -> None:
    """Compares with `snapshots/<name>`; with `UPDATE_SNAPSHOT=1` in the environment, stores it instead."""
    file = FOLDER / name
    text = json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if os.environ.get("UPDATE_SNAPSHOT") == "1":
        file.write_text(text, "utf-8")
        return
    stored = file.read_text("utf-8")
    if text != stored:
        changed = difflib.unified_diff(stored.splitlines(), text.splitlines(), "stored", "found", lineterm="", n=4)
        pytest.fail("\n".join([f"{file.name} is not what it was:", *changed]), pytrace=False)


def shape(values: Sequence[Any]) -> Any:
    """The JSON types of some values of one key; a key that only some have ends in `?`."""
    scalars = sorted({_kind(value) for value in values} - {"object", "list"})
    kinds: list[Any] = [" | ".join(scalars)] if scalars else []
    objects = [value for value in values if isinstance(value, dict)]
    if objects:
        keys = sorted({key for one in objects for key in one})
        there = {key: [one[key] for one in objects if key in one] for key in keys}
        fields: dict[str, list[Any]] = defaultdict(list)
        for key, some in there.items():
            fields[numbered(key) + ("?" if len(some) < len(objects) and numbered(key) == key else "")] += some
        kinds.append({key: _pieces(some) if key in PIECES else shape(some) for key, some in fields.items()})
    lists = [value for value in values if isinstance(value, (list, tuple))]
    if lists:
        items = [item for one in lists for item in one]
        kinds.append([shape(items)] if items else [])
    return kinds[0] if len(kinds) == 1 else {"one of": kinds}


def _pieces(values: Sequence[Any]) -> Any:
    if isinstance(values[0], dict):
        return {"<n>": _pieces([piece for value in values for piece in value.values()])}
    if isinstance(values[0], list) and not all(type(one) is int for one in values[0]):
        return [_pieces([piece for value in values for piece in value])]
    assert all(type(one) is str or all(type(byte) is int for byte in one) for one in values)
    return "piece"


def _kind(value: Any) -> str:
    kinds = {type(None): "null", bool: "boolean", int: "number", float: "number", str: "string", bytes: "bytes"}
    return kinds.get(type(value)) or ("object" if isinstance(value, dict) else "list")


def numbered(key: str) -> str:
    """The name of a key that counts: `turn_3` is `turn_<n>`."""
    return re.sub(r"(^|_)\d+$", r"\1<n>", key)
