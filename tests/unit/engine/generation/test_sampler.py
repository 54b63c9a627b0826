"""Every number of a token's record, against a float64 computation that shares no code with the decoder."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from independent import NEAR, Reference, entropy, random_settings

from dialogpt_widget import Settings
from dialogpt_widget.dialogue.tokens import FILTERS
from dialogpt_widget.engine.generation.sampler import Sampler, dice
from dialogpt_widget.engine.generation.trace import Token, token_rows


def check(token: Token, reference: Reference, draw: float) -> None:
    if not math.isnan(draw):
        assert token.id == reference.hit(draw)
    assert token.logprob == pytest.approx(math.log(reference.p[token.id]), abs=NEAR)
    assert token.logprob_used == pytest.approx(math.log(reference.used[token.id]), abs=NEAR)
    assert token.rank == 1 + int((reference.own > reference.own[token.id]).sum())
    assert token.entropy == pytest.approx(entropy(reference.p), abs=NEAR)
    assert token.entropy_used == pytest.approx(entropy(reference.used), abs=NEAR)
    assert token.kept == int(reference.alive.sum())
    assert dict(zip(FILTERS, token.cut_count, strict=True)) == reference.count
    assert dict(zip(FILTERS, token.cut_mass, strict=True)) == pytest.approx(reference.mass, abs=NEAR)
    best = np.sort(reference.own)[::-1][: len(token.alt_id)]
    assert token.alt_logprob == pytest.approx(np.log(reference.p[list(token.alt_id)]), abs=NEAR)
    assert reference.own[list(token.alt_id)] == pytest.approx(best)
    assert list(token.alt_fate) == reference.fate[list(token.alt_id)].tolist()


def test_a_thousand_random_steps_equal_an_independent_computation() -> None:
    source = np.random.default_rng(0)
    compared = 0
    for step in range(1000):
        vocabulary = int(source.choice([8, 300, 3000]))
        logits = source.normal(0, float(source.choice([0.5, 2.0, 5.0])), vocabulary).astype(np.float32)
        eos = vocabulary - 1
        said = source.integers(0, vocabulary if vocabulary > 8 else 3, int(source.integers(0, 12))).tolist()
        settings = random_settings(source)
        reference = Reference(logits, said, settings, eos)
        if reference.edge < 1e-6 or not reference.alive.any():
            continue
        token = Sampler(settings, eos, reply=step).choose(torch.from_numpy(logits), said)
        if settings.do_sample:
            assert token.draw == dice(settings.seed or 0, step, len(said))
        else:
            assert token.id == max(np.flatnonzero(reference.alive), key=lambda t: reference.scores[t])
        check(token, reference, token.draw)
        compared += 1
    assert compared > 950


def test_replies_read_together_are_chosen_as_each_alone() -> None:
    source = np.random.default_rng(1)
    for step in range(100):
        settings, said = random_settings(source), source.integers(0, 300, int(source.integers(0, 9))).tolist()
        logits = torch.from_numpy(source.normal(0, 3, (3, 300)).astype(np.float32))
        decoders = [Sampler(settings, eos=299, reply=step + row) for row in range(3)]
        for decoder, scores, row in zip(decoders, decoders[0].read(logits), logits, strict=True):
            token, alone = decoder.choose(scores, said), decoder.choose(row, said)
            assert (token.id, token.rank, token.alt_id) == (alone.id, alone.rank, alone.alt_id)
            assert (token.kept, token.cut_count, token.alt_fate) == (alone.kept, alone.cut_count, alone.alt_fate)
            assert token.draw == alone.draw or not settings.do_sample
            numbers = [(one.logprob, one.logprob_used, one.entropy, one.entropy_used) for one in (token, alone)]
            assert numbers[0] == pytest.approx(numbers[1], abs=NEAR)
            assert token.cut_mass == pytest.approx(alone.cut_mass, abs=NEAR)


def test_ties_at_the_edge_of_top_k_are_kept_and_ordered_by_id() -> None:
    logits = torch.tensor([1.0, 3.0, 2.0, 2.0, 2.0, 0.0])
    token = Sampler(Settings(top_k=2, top_p=1.0, min_new_tokens=0, seed=1), eos=5).choose(logits, [])
    assert token.kept == 4
    reference = Reference(logits.numpy(), [], Settings(top_k=2, top_p=1.0, min_new_tokens=0, seed=1), 5)
    assert token.id == reference.hit(token.draw)


def test_dice_are_philox_counted_from_the_replys_first_token() -> None:
    bits = np.random.Philox(key=[7, 3], counter=[5, 0, 0, 0])
    assert dice(7, 3, 5) == np.random.Generator(bits).random(dtype=np.float32)
    assert len({dice(7, 3, n) for n in range(100)} | {dice(7, 4, n) for n in range(100)}) > 190
    assert all(0 <= dice(1, 2, n) < 1 for n in range(1000))


def test_greedy_has_no_draw_and_keeps_what_penalties_leave() -> None:
    token = Sampler(Settings(do_sample=False, min_new_tokens=1), eos=0).choose(torch.tensor([9.0, 1.0, 2.0]), [])
    assert (token.id, token.kept, token.origin) == (2, 2, "greedy")
    assert math.isnan(token.draw)
    assert token.logprob_used == pytest.approx(-math.log1p(math.exp(-1)), abs=NEAR)


def test_rows_keep_every_value_of_a_token() -> None:
    settings = Settings(seed=3, no_repeat_ngram_size=2)
    token = Sampler(settings, eos=299).choose(torch.randn(300, generator=torch.Generator().manual_seed(0)), [1, 2, 1])
    row = token_rows([token], 300, start=10)[0]
    assert (row["id"], row["position"], row["rank"], row["kept"]) == (token.id, 13, token.rank, token.kept)
    assert row["cut_count"].tolist() == list(token.cut_count)
    assert row["alt_id"].tolist() == list(token.alt_id)
    assert row["draw"] == np.float32(token.draw)
