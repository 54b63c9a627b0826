"""Scores of the whole vocabulary, on the device that made them, and what choosing a token needs of them off it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

LEAST = torch.finfo(torch.float32).min
_MOST = 0.5  # share of a token without which the rest is known exactly enough from the whole


@dataclass(slots=True)
class Scores:
    """One step's scores. What follows from them is computed where they are; one small copy brings it to the CPU.

    Attributes:
        ids: of the greatest scores, in descending order.
        values: theirs, as float32 on the CPU.
        logs: natural logarithms of their probabilities.
        entropy: Shannon entropy in nat of the scores' softmax.
        total: logsumexp of the scores divided by the temperature.
    """

    ids: list[int]
    values: np.ndarray
    logs: list[float]
    entropy: float
    total: float
    _whole: Tensor
    _own: float
    _temperature: float
    _barred: int | None = None

    @classmethod
    def of(cls, scores: Tensor, count: int, temperature: float = 1.0) -> Scores:
        """Reads what is needed off scores.

        Args:
            scores: `[vocabulary]`, float32, -inf among them allowed.
            count: how many of the greatest to bring over.
            temperature: for `total`.
        """
        best = torch.topk(scores, min(count, len(scores)))
        below = scores - best.values[:1]
        shares = torch.softmax(below, 0)
        ids = best.indices.int().view(torch.float32)
        parts = [best.values, ids, shares.gather(0, best.indices[:1]), torch.dot(shares, below)[None]]
        if temperature != 1:
            parts.append(torch.logsumexp(scores / temperature, 0, keepdim=True))
        near, found = torch.cat(parts).cpu().numpy(), len(ids)
        greatest, mean, *tempered = near[2 * found :].tolist()
        if math.isnan(mean):  # 0 times -inf
            mean = float(torch.dot(shares, below.clamp_(min=LEAST)))
        values, own = near[:found], float(near[0]) - math.log(greatest)
        return cls(
            ids=near[found : 2 * found].view(np.int32).tolist(),
            values=values,
            logs=(values - np.float64(own)).tolist(),
            entropy=-math.log(greatest) - mean,
            total=tempered[0] if tempered else own,
            _whole=scores,
            _own=own,
            _temperature=temperature,
        )

    @property
    def all(self) -> Tensor:
        """The scores, `[vocabulary]`, where they were computed."""
        if self._barred is not None:
            self._whole = self._whole.clone()
            self._whole[self._barred] = -torch.inf
            self._barred = None
        return self._whole

    def without(self, token: int) -> Scores:
        """The same with a token barred, one fewer of the greatest perhaps; the token had some probability."""
        log = self.logprob(token)
        share, tempered = math.exp(log), math.exp((self._own + log) / self._temperature - self.total)
        keep = [place for place, other in enumerate(self.ids) if other != token]
        if max(share, tempered) > _MOST or not keep:
            whole = self.all.clone()
            whole[token] = -torch.inf
            return Scores.of(whole, len(self.ids), self._temperature)
        rest = math.log1p(-share)
        return Scores(
            ids=[self.ids[place] for place in keep],
            values=self.values[keep],
            logs=[self.logs[place] - rest for place in keep],
            entropy=(self.entropy + share * log) / (1 - share) + rest,
            total=self.total + math.log1p(-tempered),
            _whole=self.all,
            _own=self._own + rest,
            _temperature=self._temperature,
            _barred=token,
        )

    def best(self) -> int:
        """The id of the greatest score, the lowest of several."""
        if len(self.ids) > 1 and self.values[0] == self.values[1]:
            return int((self.all == self.all.max()).nonzero()[0, 0])
        return self.ids[0]

    def logprob(self, token: int) -> float:
        """The natural logarithm of a token's probability."""
        if token in self.ids:
            return self.logs[self.ids.index(token)]
        return float(self.all[token]) - self._own

    def rank(self, token: int) -> int:
        """How many scores are greater than a token's, and one."""
        if token in self.ids:
            return int(np.count_nonzero(self.values > self.values[self.ids.index(token)])) + 1
        return int((self.all > self.all[token]).sum()) + 1
