"""Token rows as compact text: one column after the other, bytes of like significance together, compressed."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from dialogpt_widget.dialogue.tokens import FILTERS, ORIGINS, ROLES, row_type

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
