"""Scores of the whole vocabulary, on the device that made them, and what choosing a token needs of them off it."""

from __future__ import annotations

import torch
from torch import Tensor

LEAST = torch.finfo(torch.float32).min


class Scores:
    """One step's scores. What follows from them is computed where they are; one small copy brings it to the CPU.

    Args:
        scores: `[vocabulary]`, float32, -inf among them allowed.
        count: how many of the greatest to bring over.
        temperature: for `total`.

    Attributes:
        all: the scores.
        ids: of the greatest, in descending order.
        values: theirs, `[count]`, on the CPU.
        entropy: Shannon entropy in nat of their softmax.
        total: logsumexp of the scores divided by the temperature.
    """

    def __init__(self, scores: Tensor, count: int, temperature: float = 1.0) -> None:
        self.all = scores
        best = torch.topk(scores, min(count, len(scores)))
        self._peak = best.values[:1]
        below = (scores - self._peak).clamp_(min=LEAST)
        shares = torch.softmax(below, 0)
        self._sum = -torch.log(shares[best.indices[:1]])  # logsumexp of what is below
        total = self._peak + self._sum
        if temperature != 1:
            total = torch.logsumexp(scores / temperature, 0, keepdim=True)
        near = torch.cat([best.values, total, self._peak + self._sum, self._sum - torch.dot(shares, below)])
        near, ids = torch.cat([near.double(), best.indices.double()]).cpu().tensor_split([len(near)])
        self.ids: list[int] = ids.long().tolist()
        self.values, rest = near.float().tensor_split([len(self.ids)])
        self.total, own, self.entropy = rest.tolist()
        self.logs: list[float] = (self.values.double() - own).tolist()

    def best(self) -> int:
        """The id of the greatest score, the lowest of several."""
        if len(self.ids) > 1 and self.values[0] == self.values[1]:
            return int((self.all == self.all.max()).nonzero()[0, 0])
        return self.ids[0]

    def logprob(self, token: int) -> float:
        """The natural logarithm of a token's probability."""
        if token in self.ids:
            return self.logs[self.ids.index(token)]
        return float(self.all[token] - self._peak - self._sum)

    def rank(self, token: int) -> int:
        """How many scores are greater than a token's, and one."""
        if token in self.ids:
            return int((self.values > self.values[self.ids.index(token)]).sum()) + 1
        return int((self.all > self.all[token]).sum()) + 1
