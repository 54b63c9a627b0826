"""One row for every token: how probable it was, what each filter removed, the dice, the alternatives."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dialogpt_widget.dialogue.turn import Turn

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

FILTERS = ("no_repeat_ngram", "min_new_tokens", "top_k", "top_p", "min_p")
ORIGINS = ("given", "sampled", "greedy", "forced")
ROLES = ("user", "assistant")
ALTERNATIVES = 10
Decode = Callable[[Sequence[int]], str]
NO_ID = -1  # as an alternative's id where a vocabulary has fewer tokens than alternatives are kept


def row_type(vocabulary: int) -> np.dtype[Any]:
    """The dtype of a token's row; ids, ranks and counts are as wide as the vocabulary asks.

    Columns: `logprob` (nat) under the model's own distribution and `logprob_used` under the one drawn from; `rank`
    1 is the most probable; entropies in nat; `kept` counts the tokens left to draw from; `cut_count` and `cut_mass`
    say, filter by filter in the order of `FILTERS`, how many tokens it removed and which share of what the previous
    one had left; `draw` is the uniform number in [0, 1), NaN where nothing was drawn; `ms` milliseconds; `alt_*` the
    most probable tokens and their fate: 0 kept, else 1 + the place in `FILTERS` of what removed them.
    """
    width = "u2" if vocabulary < 2**16 else "u4"
    filters, alternatives = (len(FILTERS),), (ALTERNATIVES,)
    return np.dtype(
        [
            ("node", "u4"),
            ("parent", "i4"),
            ("turn", "u4"),
            ("index", "u4"),
            ("position", "u4"),
            ("role", "u1"),
            ("origin", "u1"),
            ("eos", "?"),
            ("id", width),
            ("logprob", "f4"),
            ("logprob_used", "f4"),
            ("rank", width),
            ("entropy", "f4"),
            ("entropy_used", "f4"),
            ("kept", width),
            ("cut_count", width, filters),
            ("cut_mass", "f4", filters),
            ("draw", "f4"),
            ("ms", "f4"),
            ("alt_id", "i4", alternatives),
            ("alt_logprob", "f4", alternatives),
            ("alt_fate", "u1", alternatives),
        ]
    )


def given_rows(ids: Sequence[int], vocabulary: int) -> np.ndarray:
    """Rows for tokens that the model did not choose: all that is known of them is their id.

    The ids may be those of another model with a larger vocabulary.
    """
    rows = np.zeros(len(ids), row_type(max(vocabulary, *ids, 0)))
    rows["id"] = ids
    for name in ("logprob", "logprob_used", "entropy", "entropy_used", "draw", "ms", "alt_logprob"):
        rows[name] = np.nan
    rows["alt_id"] = NO_ID
    return rows


def turn_rows(turn: Turn, eos: int, vocabulary: int) -> np.ndarray:
    """A turn's rows, its final EOS always included, `node`, `parent` and `role` filled in."""
    own = turn.rows if turn.rows is not None else given_rows(turn.ids, vocabulary)
    missing = len(turn.ids) + 1 - len(own)
    rows = np.concatenate([own, given_rows([eos] * missing, vocabulary)])
    rows["eos"] = False
    rows["eos"][-1] = True
    rows["node"] = turn.id
    rows["parent"] = -1 if turn.parent is None else turn.parent
    rows["role"] = ROLES.index(turn.role)
    return rows


class Reading(NamedTuple):
    """What it takes to read a conversation's ids.

    Attributes:
        eos: id that ends a turn.
        vocabulary: number of ids that the model knows.
        decode: from ids to text.
    """

    eos: int
    vocabulary: int
    decode: Decode


class TokenTable:
    """Token rows in order, as a numpy structured array (`rows`, dtype of `row_type`), a data frame or an Arrow table.

    Example:
        >>> chat.tokens.to_pandas().query("role == 'assistant'")[["id", "logprob", "rank"]]
    """

    def __init__(self, rows: np.ndarray, decode: Decode | None = None) -> None:
        self.rows = rows
        self._decode = decode

    @classmethod
    def of_turns(
        cls, turns: Iterable[Turn], eos: int, vocabulary: int, decode: Decode | None = None, *, path: bool = True
    ) -> TokenTable:
        """The rows of turns, EOS included.

        Args:
            turns: in order.
            eos: id that ends each turn.
            vocabulary: number of ids the model knows.
            decode: from ids to text; with it the table has a column `text`, each token's own.
            path: whether the turns are one path, so that `turn` and `index` count along it; else they are 0.
        """
        parts = [turn_rows(turn, eos, vocabulary) for turn in turns]
        rows = np.concatenate([np.zeros(0, row_type(vocabulary)), *parts])
        if path:
            rows["turn"] = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
            rows["index"] = np.arange(len(rows))
        return cls(rows, decode)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, column: str) -> np.ndarray:
        values: np.ndarray = self.rows[column]
        return values

    def __repr__(self) -> str:
        return f"<TokenTable of {len(self)} tokens>"

    def columns(self) -> Iterator[tuple[str, Any]]:
        """Name and values of each column; role, origin and fate as words, filters as a column each.

        What is not known is NaN, masked in a masked array, or None in a list.
        """
        unscored, undrawn = self.rows["rank"] == 0, self.rows["kept"] == 0
        for name in self.rows.dtype.names or ():
            values = self.rows[name]
            if name == "role":
                yield name, np.array(ROLES, dtype=object)[values]
            elif name == "origin":
                yield name, np.array(ORIGINS, dtype=object)[values]
            elif name in ("position", "rank"):
                yield name, np.ma.masked_array(values, unscored)
            elif name == "kept":
                yield name, np.ma.masked_array(values, undrawn)
            elif name == "cut_count":
                yield from _by_filter(name, np.ma.masked_array(values, np.broadcast_to(undrawn[:, None], values.shape)))
            elif name == "cut_mass":
                yield from _by_filter(name, np.where(undrawn[:, None], np.float32(np.nan), values))
            elif name == "alt_id":
                yield name, [[None if token == NO_ID else token for token in row] for row in values.tolist()]
            elif name == "alt_fate":
                yield name, self._fates(undrawn)
            else:
                yield name, values.tolist() if values.ndim > 1 else values
                if name == "id" and self._decode is not None:
                    yield "text", [self._decode([int(token)]) for token in values]

    def _fates(self, undrawn: np.ndarray) -> list[list[str | None]]:
        words = ("kept", *FILTERS)
        unknown = undrawn[:, None] | (self.rows["alt_id"] == NO_ID)
        return [
            [None if nothing else words[fate] for fate, nothing in zip(*row, strict=True)]
            for row in zip(self.rows["alt_fate"].tolist(), unknown.tolist(), strict=True)
        ]

    def to_pandas(self) -> pd.DataFrame:
        """A data frame with one row a token; whole numbers that may be unknown are pandas' nullable integers.

        Raises:
            ImportError: pandas is not installed.
        """
        pandas = _optional("pandas")
        columns = {
            name: pandas.arrays.IntegerArray(values.data.copy(), values.mask.copy())
            if isinstance(values, np.ma.MaskedArray)
            else values
            for name, values in self.columns()
        }
        frame: pd.DataFrame = pandas.DataFrame(columns)
        return frame

    def to_csv(self) -> bytes:
        """The data frame as CSV (RFC 4180), UTF-8; lists such as the alternatives are written as in Python.

        Raises:
            ImportError: pandas is not installed.
        """
        text: str = self.to_pandas().to_csv(index=False, lineterminator="\r\n")  # else a token "\r" is not quoted
        return text.encode()

    def to_parquet(self) -> bytes:
        """The Arrow table as a Parquet file.

        Raises:
            ImportError: pyarrow is not installed.
        """
        sink = io.BytesIO()
        _optional("pyarrow.parquet").write_table(self.to_arrow(), sink)
        return sink.getvalue()

    def to_arrow(self) -> pa.Table:
        """An Arrow table with one row a token.

        Raises:
            ImportError: pyarrow is not installed.
        """
        arrow = _optional("pyarrow")
        table: pa.Table = arrow.table({name: arrow.array(values) for name, values in self.columns()})
        return table


def _by_filter(name: str, values: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    return ((f"{name}_{rule}", values[:, place]) for place, rule in enumerate(FILTERS))


def _optional(name: str) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise ImportError(f"This needs {package}: pip install {package}.") from error
