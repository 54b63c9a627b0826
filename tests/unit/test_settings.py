"""What may be set, its bounds, and what is said of everything else."""

from __future__ import annotations

import dataclasses
import json
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogpt_widget.settings import Settings

ROWS = {row["name"]: row for row in Settings.schema()}
NUMBERS = [name for name, row in ROWS.items() if row["type"] != "bool"]
WHOLE = [name for name, row in ROWS.items() if row["type"] == "int"]
DEFAULTS = {
    "max_new_tokens": 128,
    "min_new_tokens": 1,
    "do_sample": True,
    "temperature": 1.0,
    "top_k": 40,
    "top_p": 0.9,
    "min_p": 0.0,
    "repetition_penalty": 1.0,
    "no_repeat_ngram_size": 0,
    "seed": None,
    "max_context": 1000,
    "candidates": 1,
    "num_beams": 1,
    "length_penalty": 1.0,
}


def companion(name: str) -> dict[str, Any]:
    """What else must be set so that only `name` is in question."""
    return {"min_new_tokens": {"max_new_tokens": 4096}, "max_new_tokens": {"min_new_tokens": 0}}.get(name, {})


def test_the_defaults_are_those_of_the_design() -> None:
    assert Settings().to_dict() == DEFAULTS
    assert Settings.from_dict({}) == Settings()


def test_the_schema_has_a_row_for_each_field_with_bounds_and_help() -> None:
    assert [row["name"] for row in Settings.schema()] == [field.name for field in dataclasses.fields(Settings)]
    for row in Settings.schema():
        assert set(row) == {"name", "type", "default", "min", "max", "group", "help"}
        assert row["help"].endswith((".", ")"))
        assert row["default"] == DEFAULTS[row["name"]]
        assert (row["min"] is None) == (row["type"] == "bool")
    json.dumps(Settings.schema())


@pytest.mark.parametrize("name", NUMBERS)
def test_bounds_are_inclusive_and_named_when_crossed(name: str) -> None:
    row = ROWS[name]
    step = 1 if row["type"] == "int" else 1e-6
    for value in (row["min"], row["max"]):
        assert getattr(Settings(**companion(name) | {name: value}), name) == value
    for value in (row["min"] - step, row["max"] + step):
        with pytest.raises(ValueError, match=rf"{name} is from {row['min']} to {row['max']}"):
            Settings(**companion(name) | {name: value})


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(
    "value", [True, False, "1", [1], {}, b"1", 1j, np.True_, float("nan"), float("inf"), -math.inf]
)
def test_what_is_no_number_in_bounds_is_refused(name: str, value: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=name):
        Settings(**{name: value})


@pytest.mark.parametrize("name", [name for name in NUMBERS if name != "seed"])
def test_none_is_a_seed_only(name: str) -> None:
    with pytest.raises(TypeError, match=name):
        Settings(**{name: None})
    assert Settings(seed=None).seed is None


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("value", [8.5, np.float32(8.5), np.float64(8.5), Fraction(17, 2), Decimal("8.5")])
def test_a_whole_number_is_not_cut_off_in_silence(name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=f"{name} is a whole number"):
        Settings(**{name: value})


@pytest.mark.parametrize("value", [8, 8.0, np.int64(8), np.float32(8), np.uint8(8), np.array(8)])
def test_numbers_of_numpy_become_pythons_own(value: Any) -> None:
    settings = Settings(top_k=value, temperature=value)
    assert type(settings.top_k) is int
    assert type(settings.temperature) is float
    assert (settings.top_k, settings.temperature) == (8, 8.0)
    json.dumps(settings.to_dict())


@pytest.mark.parametrize("value", [0, 1, None, "yes", 1.0])
def test_a_switch_is_true_or_false(value: Any) -> None:
    with pytest.raises(TypeError, match="do_sample is True or False"):
        Settings(do_sample=value)


@pytest.mark.parametrize("value", [10**400, -(10**400)], ids=["huge", "minus huge"])
def test_a_number_beyond_all_floats_is_out_of_bounds(value: int) -> None:
    with pytest.raises(ValueError, match="temperature"):
        Settings(temperature=value)
    with pytest.raises(ValueError, match="top_k"):
        Settings(top_k=value)


def test_the_shortest_reply_is_no_longer_than_the_longest() -> None:
    with pytest.raises(ValueError, match="min_new_tokens=9 is more than max_new_tokens=8"):
        Settings(min_new_tokens=9, max_new_tokens=8)


@pytest.mark.parametrize(("name", "near"), [("temprature", "temperature"), ("topk", "top_k"), ("max_tokens", "max_")])
def test_an_unknown_name_is_answered_with_the_nearest(name: str, near: str) -> None:
    with pytest.raises(TypeError, match=f"Did you mean '{near}"):
        Settings().replace(**{name: 1})
    with pytest.raises(TypeError, match="is not a setting"):
        Settings.from_dict({"zzz": 1})


def test_settings_do_not_change_and_say_how_to_get_others() -> None:
    settings = Settings()
    with pytest.raises(AttributeError, match=r"settings\.replace\(top_k=5\)"):
        settings.top_k = 5  # type: ignore[misc]
    assert settings.replace(top_k=5).top_k == 5
    assert settings.top_k == 40
    assert hash(settings) == hash(Settings())


valid = {
    name: st.booleans()
    if row["type"] == "bool"
    else st.integers(row["min"], row["max"])
    if row["type"] == "int"
    else st.floats(row["min"], row["max"])
    for name, row in ROWS.items()
    if name not in ("min_new_tokens", "max_new_tokens", "num_beams")
}


@given(st.fixed_dictionaries({}, optional=valid))
def test_whatever_is_in_bounds_is_kept_and_survives_json(values: dict[str, Any]) -> None:
    settings = Settings(**values)
    assert settings.to_dict() == DEFAULTS | values
    assert Settings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings
    assert Settings().replace(**values) == settings


@given(st.sampled_from(sorted(ROWS)), st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary())
def test_any_value_is_taken_in_bounds_or_refused_by_name(name: str, value: Any) -> None:
    try:
        settings = Settings(**{name: value})
    except (TypeError, ValueError):
        return
    assert getattr(settings, name) == value


def test_candidates_and_beams_exclude_each_other() -> None:
    with pytest.raises(ValueError, match=r"candidates=2 are sampled, while num_beams=3 draws nothing"):
        Settings(candidates=2, num_beams=3)
    assert Settings(num_beams=16).candidates == 1
