"""Settings known by a name."""

from __future__ import annotations

import pytest

from dialogpt_widget.settings import PRESETS, Preset, Settings


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_preset_sets_what_it_names_and_keeps_lengths_seed_and_candidates(preset: Preset) -> None:
    own = Settings(max_new_tokens=7, min_new_tokens=3, max_context=99, seed=4, min_p=0.5, candidates=5)
    applied = preset.applied(own)
    assert applied.to_dict() == Settings().to_dict() | preset.values | {
        "max_new_tokens": 7,
        "min_new_tokens": 3,
        "max_context": 99,
        "seed": 4,
        "candidates": 5,
    }
    assert preset.applied(applied) == applied
    assert preset.help.endswith(".")


def test_no_two_presets_are_the_same() -> None:
    assert len({preset.name for preset in PRESETS}) == len(PRESETS)
    made = [preset.applied(Settings()).to_dict() for preset in PRESETS]
    assert all(one not in made[:place] for place, one in enumerate(made))


def test_bounds_are_those_of_the_schema() -> None:
    for row in Settings.schema():
        assert Settings.bounds(row["name"]) == (row["min"], row["max"])
