"""One decoding step computed in float64, from the definitions of the filters, without the decoder's code."""

from __future__ import annotations

import numpy as np

from dialogpt_widget import Settings
from dialogpt_widget.dialogue.tokens import FILTERS

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
