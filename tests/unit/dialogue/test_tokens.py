"""The token table: one row a token, EOS included."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from builders import path_of, turn

from dialogpt_widget.dialogue.tokens import ALTERNATIVES, FILTERS, NO_ID, TokenTable, given_rows, row_type

COLUMNS = """
node parent turn index position role origin eos id logprob logprob_used rank entropy entropy_used kept cut_count
cut_mass draw ms alt_id alt_logprob alt_fate
"""


def test_the_columns_are_those_of_the_design() -> None:
    assert list(row_type(300).names or ()) == COLUMNS.split()
    assert FILTERS == ("no_repeat_ngram", "min_new_tokens", "top_k", "top_p", "min_p")


@pytest.mark.parametrize(("vocabulary", "width"), [(300, 2), (50257, 2), (65535, 2), (65537, 4), (262144, 4)])
def test_ids_and_counts_are_as_wide_as_the_vocabulary_asks(vocabulary: int, width: int) -> None:
    kind = row_type(vocabulary)
    for name in ("id", "rank", "kept"):
        assert kind[name].itemsize == width
    assert kind["cut_count"].base.itemsize == width


def test_a_path_counts_turns_and_places_and_ends_each_turn_with_eos() -> None:
    table = TokenTable.of_turns(path_of([2, 1, 3]), eos=99, vocabulary=300)
    assert table["id"].tolist() == [1, 2, 99, 3, 99, 4, 5, 6, 99]
    assert table["eos"].nonzero()[0].tolist() == [2, 4, 8]
    assert table["turn"].tolist() == [0, 0, 0, 1, 1, 2, 2, 2, 2]
    assert table["index"].tolist() == list(range(9))
    assert table["node"].tolist() == [0, 0, 0, 1, 1, 2, 2, 2, 2]
    assert table["parent"].tolist() == [-1, -1, -1, 0, 0, 1, 1, 1, 1]
    assert table["role"].tolist() == [0, 0, 0, 1, 1, 0, 0, 0, 0]


def test_an_eos_that_the_model_chose_is_not_added_again() -> None:
    rows = given_rows([7, 99], 300)
    rows["logprob"] = [-1, -2]
    reply = turn(0, (7,), None, "assistant", rows=rows)
    stopped = turn(1, (7, 8), 0, "assistant", rows=given_rows([7, 8], 300))
    table = TokenTable.of_turns([reply, stopped], 99, 300)
    assert table["id"].tolist() == [7, 99, 7, 8, 99]
    assert table["logprob"][:2].tolist() == [-1, -2]
    assert np.isnan(table["logprob"][2:]).all()


def test_what_is_not_known_of_a_given_token_is_nan() -> None:
    rows = given_rows([1, 2], 300)
    for name in ("logprob", "logprob_used", "entropy", "entropy_used", "draw", "ms", "alt_logprob"):
        assert np.isnan(rows[name]).all()
    assert (rows["alt_id"] == NO_ID).all()
    assert rows["alt_id"].shape == (2, ALTERNATIVES)


def test_off_a_path_nothing_is_numbered() -> None:
    table = TokenTable.of_turns(path_of([2, 2]), 99, 300, path=False)
    assert table["turn"].tolist() == table["index"].tolist() == [0] * 6


def test_ids_of_a_larger_vocabulary_keep_their_value_beside_a_smaller_model() -> None:
    table = TokenTable.of_turns([turn(0, (100_000,)), turn(1, (5,), 0, "assistant")], 99, 300)
    assert table["id"].tolist() == [100_000, 99, 5, 99]


def test_no_turns_make_an_empty_table() -> None:
    table = TokenTable.of_turns([], 99, 300)
    assert len(table) == 0
    assert len(table.to_pandas()) == 0
    assert table.to_arrow().num_rows == 0


def test_data_frames_and_arrow_tables_hold_words_and_a_column_for_each_filter() -> None:
    table = TokenTable.of_turns(path_of([2, 1]), 99, 300)
    frame, arrow = table.to_pandas(), table.to_arrow()
    assert list(frame.columns) == arrow.column_names
    assert {f"cut_{kind}_{rule}" for kind in ("count", "mass") for rule in FILTERS} <= set(frame.columns)
    assert frame["role"].tolist() == ["user"] * 3 + ["assistant"] * 2
    assert set(frame["origin"]) == {"given"}
    assert arrow.column("id").to_pylist() == frame["id"].tolist() == [1, 2, 99, 3, 99]
    assert arrow.column("alt_fate")[0].as_py() == [None] * ALTERNATIVES
    assert repr(table) == "<TokenTable of 5 tokens>"


def test_what_is_not_known_is_missing_from_data_frames_and_arrow_tables_and_what_is_known_is_whole() -> None:
    rows = given_rows([1, 2, 3], 300)
    rows["rank"][1:], rows["position"][1:] = [5, 1], [7, 8]
    rows["alt_id"][1:, 0] = 4
    rows["kept"][2], rows["cut_count"][2], rows["cut_mass"][2] = 9, range(5), 0.25
    rows["alt_fate"][2, 0] = 3
    table = TokenTable(rows)
    frame, arrow = table.to_pandas(), table.to_arrow()
    expected = {
        "rank": [None, 5, 1],
        "position": [None, 7, 8],
        "kept": [None, None, 9],
        "cut_count_top_p": [None, None, 3],
        "cut_mass_top_p": [None, None, 0.25],
    }
    for name, values in expected.items():
        assert [
            None if missing else value for value, missing in zip(frame[name], frame[name].isna(), strict=True)
        ] == values
        assert [None if value != value else value for value in arrow.column(name).to_pylist()] == values
    assert {str(frame[name].dtype) for name in ("rank", "kept", "cut_count_top_p")} == {"UInt16"}
    assert frame.query("rank > 1").id.tolist() == [2]
    assert [row[0] for row in frame["alt_id"]] == [None, 4, 4]
    assert [row[0] for row in frame["alt_fate"]] == [None, None, "top_k"]
    assert arrow.column("alt_fate").to_pylist() == frame["alt_fate"].tolist()
    assert table["rank"].tolist() == [0, 5, 1]


def test_the_docs_explain_every_column() -> None:
    table = TokenTable(given_rows([1], 300), decode=str)
    docs = (Path(__file__).parents[3] / "docs" / "tokens.md").read_text("utf-8")
    explained = re.findall(r"^\| `(\w+)`", docs, re.MULTILINE)
    shown = [name for name, _ in table.columns()]
    for kind in ("cut_count", "cut_mass"):
        place = shown.index(f"{kind}_{FILTERS[0]}")
        shown[place : place + len(FILTERS)] = [f"{kind}_FILTER"]
    assert explained == shown


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(ImportError, match=r"This needs pandas: pip install pandas\.$"):
        TokenTable.of_turns(path_of([1]), 99, 300).to_pandas()
