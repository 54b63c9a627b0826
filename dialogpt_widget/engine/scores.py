"""Scores of the whole vocabulary, on the device that made them, and what choosing a token needs of them off it."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

LEAST = torch.finfo(torch.float32).min


class Scores:
    """One step's scores. What follows from them is computed where they are; one small copy brings it to the CPU.

    Args:
        scores: `[vocabulary]`, float32.
        count: how many of the greatest to bring over.
        temperature: for `total`.
        barred: whether -inf may be among them.

    Attributes:
        all: the scores.
        ids: of the greatest, in descending order.
        values: theirs, `[count]`, on the CPU.
        entropy: Shannon entropy in nat of their softmax.
        total: logsumexp of the scores divided by the temperature.
    """

    def __init__(self, scores: Tensor, count: int, temperature: float = 1.0, *, barred: bool = True) -> None:
        self.all = scores
        best = torch.topk(scores, min(count, len(scores)))
        below = scores - best.values[:1]
        if barred:
            below.clamp_(min=LEAST)  # for 0 times -inf is no number
        shares = torch.softmax(below, 0)
        ids = best.indices.int().view(torch.float32)
        parts = [best.values, ids, shares.gather(0, best.indices[:1]), torch.dot(shares, below)[None]]
        if temperature != 1:
            parts.append(torch.logsumexp(scores / temperature, 0, keepdim=True))
        near, found = torch.cat(parts).cpu().numpy(), len(ids)
        self.values = near[:found]
        self.ids: list[int] = near[found : 2 * found].view(np.int32).tolist()
        greatest, mean, *tempered = near[2 * found :].tolist()
        self._own = float(self.values[0]) - math.log(greatest)
        self.total = tempered[0] if tempered else self._own
        self.entropy = -math.log(greatest) - mean
        self.logs: list[float] = (self.values - np.float64(self._own)).tolist()

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
