"""Decoding at its edges: no filter, ties, nothing left to say, vocabularies of every size, the dice."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dialogpt_widget.engine.generation.sampler import Sampler, dice, first_dice
from dialogpt_widget.engine.generation.trace import token_rows
from dialogpt_widget.settings import Settings


@pytest.mark.parametrize("top_k", [0, 1_000_000])
def test_without_top_k_the_whole_vocabulary_is_kept(top_k: int) -> None:
    settings = Settings(top_k=top_k, top_p=1.0, min_new_tokens=0, seed=1)
    token = Sampler(settings, eos=0).choose(torch.randn(5000), [])
    assert token.kept == 5000
    assert token.cut_count == (0,) * 5
    assert token.cut_mass == (0.0,) * 5
    assert set(token.alt_fate) == {0}


def test_a_tie_at_the_kth_place_is_kept_whole_and_drawn_in_order_of_id() -> None:
    logits = torch.tensor([1.0, 2.0, 1.0, 1.0, 0.0])
    settings = Settings(top_k=2, top_p=1.0, min_new_tokens=0)
    drawn: dict[int, list[float]] = {}
    for seed in range(300):
        token = Sampler(settings.replace(seed=seed), eos=4).choose(logits, [])
        assert token.kept == 4
        drawn.setdefault(token.id, []).append(token.draw)
    assert list(dict(sorted(drawn.items(), key=lambda item: max(item[1])))) == [1, 0, 2, 3]
    assert max(drawn[0]) <= min(drawn[2]) <= max(drawn[2]) <= min(drawn[3])


def test_greedy_takes_the_lower_of_two_equal_ids() -> None:
    token = Sampler(Settings(do_sample=False, min_new_tokens=0), eos=9).choose(torch.tensor([0.0, 5.0, 5.0, 1.0]), [])
    assert token.id == 1


def test_the_end_of_the_turn_is_barred_until_the_shortest_reply() -> None:
    logits = torch.tensor([9.0, 1.0, 0.0])
    for said in range(5):
        token = Sampler(Settings(min_new_tokens=3, seed=0), eos=0).choose(logits, [1] * said)
        assert (token.cut_count[1] == 1) == (said < 3)
        assert (token.id != 0) or said >= 3


@pytest.mark.parametrize("greedy", [True, False])
def test_when_everything_is_barred_the_reply_ends(*, greedy: bool) -> None:
    settings = Settings(no_repeat_ngram_size=1, min_new_tokens=9, do_sample=not greedy, seed=0)
    token = Sampler(settings, eos=2).choose(torch.tensor([1.0, 2.0, 3.0]), [0, 1])
    assert token.eos


@pytest.mark.parametrize("vocabulary", [2**16 - 1, 2**16, 2**16 + 1])
def test_rows_hold_every_count_of_any_vocabulary(vocabulary: int) -> None:
    settings = Settings(top_k=0, top_p=1.0, min_new_tokens=0, seed=1)
    tokens = [Sampler(settings, eos=0).choose(torch.zeros(vocabulary), [])]
    row = token_rows(tokens, vocabulary, start=100_000)[0]
    assert row["kept"] == vocabulary
    assert row["position"] == 100_000


def test_the_dice_are_philox_keyed_by_seed_reply_and_position() -> None:
    for seed, reply, position in [(0, 0, 0), (1, 2, 3), (2**53 - 1, 1000, 4095)]:
        bits = np.random.Philox(key=[seed, reply], counter=[position, 0, 0, 0])
        assert dice(seed, reply, position) == np.random.Generator(bits).random(dtype=np.float32)


def test_the_dice_do_not_depend_on_what_was_drawn_before() -> None:
    places = [(seed, reply, position) for seed in range(3) for reply in range(3) for position in range(50)]
    forwards = {place: dice(*place) for place in places}
    assert {place: dice(*place) for place in reversed(places)} == forwards
    assert len(set(forwards.values())) == len(places)
    assert all(0 <= number < 1 for number in forwards.values())


@pytest.mark.parametrize(("seed", "reply"), [(0, 0), (7, 3), (2**53 - 1, 1000)])
def test_dice_thrown_in_one_go_are_those_thrown_one_by_one(seed: int, reply: int) -> None:
    assert first_dice(seed, reply, 300).tolist() == [dice(seed, reply, position) for position in range(300)]


def test_a_place_past_the_longest_reply_has_its_dice_too() -> None:
    settings = Settings(seed=5, max_new_tokens=2, min_new_tokens=0)
    drawn = [Sampler(settings, eos=0).choose(torch.zeros(50), [1] * place).draw for place in range(4)]
    assert drawn == [dice(5, 0, place) for place in range(4)]


def test_the_dice_are_uniform() -> None:
    numbers = np.array([dice(11, 0, position) for position in range(4000)])
    counts = np.histogram(numbers, bins=20, range=(0, 1))[0]
    assert ((counts - 200) ** 2 / 200).sum() < 43.8  # chi-square of 19 degrees, p = .001
