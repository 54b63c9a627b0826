"""Every number of a token's record, against a float64 computation that shares no code with the decoder."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from dialogpt_widget import Settings
from dialogpt_widget.dialogue.tokens import FILTERS
from dialogpt_widget.engine.generation.sampler import Sampler, dice
from dialogpt_widget.engine.generation.trace import Token, token_rows

NEAR = 1e-4


class Reference:
    """One decoding step in float64, written from the filters' definitions."""

    def __init__(self, logits: np.ndarray, said: list[int], settings: Settings, eos: int) -> None:
        self.own = logits.astype(np.float64)
        self.count = dict.fromkeys(FILTERS, 0)
        self.mass = dict.fromkeys(FILTERS, 0.0)
        self.fate = np.zeros(len(logits), int)
        scores = self.own.copy()
        for token in set(said):
            penalty = settings.repetition_penalty
            scores[token] = scores[token] * penalty if scores[token] < 0 else scores[token] / penalty
        alive = np.ones(len(scores), bool)
        size = settings.no_repeat_ngram_size
        if size and len(said) + 1 >= size:
            tail = said[len(said) - size + 1 :] if size > 1 else []
            barred = {said[n + size - 1] for n in range(len(said) - size + 1) if said[n : n + size - 1] == tail}
            alive = self._cut("no_repeat_ngram", scores, alive, barred)
        if len(said) < settings.min_new_tokens:
            alive = self._cut("min_new_tokens", scores, alive, {eos})
        if settings.do_sample:
            scores = scores / settings.temperature
            order = sorted(np.flatnonzero(alive), key=lambda token: (-scores[token], token))
            if settings.top_k and settings.top_k < len(order):
                least = scores[order[settings.top_k - 1]]
                alive = self._cut("top_k", scores, alive, {t for t in order if scores[t] < least})
            if settings.top_p < 1:
                order = sorted(np.flatnonzero(alive), key=lambda token: (-scores[token], token))
                p = self._softmax(scores, alive)[order]
                before = np.cumsum(p) - p
                cut = {t for t, mass in zip(order, before, strict=True) if mass >= settings.top_p and t != order[0]}
                alive = self._cut("top_p", scores, alive, cut)
                self.edge = min(abs(before[1:] - settings.top_p), default=1.0)
            if settings.min_p > 0:
                p = self._softmax(scores, alive)
                alive = self._cut(
                    "min_p", scores, alive, {t for t in np.flatnonzero(alive) if p[t] < settings.min_p * p.max()}
                )
        self.scores, self.alive = scores, alive
        self.used = self._softmax(scores, alive)
        self.p = self._softmax(self.own, np.ones(len(scores), bool))

    edge = 1.0  # how close top-p's sum came to p: where float32 may decide otherwise

    @staticmethod
    def _softmax(scores: np.ndarray, alive: np.ndarray) -> np.ndarray:
        weights = np.where(alive, np.exp(scores - scores[alive].max()), 0.0)
        return weights / weights.sum()

    def _cut(self, name: str, scores: np.ndarray, alive: np.ndarray, gone: set[int]) -> np.ndarray:
        before = self._softmax(scores, alive)
        left = alive.copy()
        for token in gone:
            if alive[token]:
                left[token] = False
                self.fate[token] = FILTERS.index(name) + 1
        self.count[name] = int(alive.sum() - left.sum())
        self.mass[name] = float(before[alive & ~left].sum())
        return left

    def hit(self, draw: float) -> int:
        order = sorted(np.flatnonzero(self.alive), key=lambda token: (-self.scores[token], token))
        return int(order[min(int(np.searchsorted(np.cumsum(self.used[order]), draw, side="right")), len(order) - 1)])


def entropy(p: np.ndarray) -> float:
    return float(-(p[p > 0] * np.log(p[p > 0])).sum())


def random_settings(source: np.random.Generator) -> Settings:
    return Settings(
        do_sample=bool(source.random() < 0.85),
        temperature=float(source.choice([0.3, 0.7, 1.0, 1.5])),
        top_k=int(source.choice([0, 1, 5, 40, 5000])),
        top_p=float(source.choice([0.0, 0.3, 0.9, 0.99, 1.0])),
        min_p=float(source.choice([0.0, 0.02, 0.2])),
        repetition_penalty=float(source.choice([1.0, 1.2, 0.8])),
        no_repeat_ngram_size=int(source.choice([0, 1, 2, 3])),
        min_new_tokens=int(source.choice([0, 1, 8])),
        seed=int(source.integers(2**32)),
    )


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
