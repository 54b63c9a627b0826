"""Scores of the whole vocabulary, on the device that made them, and what choosing a token needs of them off it."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from dialogpt_widget.engine.linears import scripted

LEAST = torch.finfo(torch.float32).min
_MOST = 0.5  # share of a token without which the rest is known exactly enough from the whole


_Read = tuple[list[float], list[int], float, float, float]


class _Near(torch.nn.Module):
    def forward(self, scores: Tensor, count: int, temperature: float) -> _Read:
        """The greatest scores, their ids, and what follows from all of them.

        That is the greatest one's share, the mean of what all are below it, and the greatest one's share at the
        temperature.
        """
        values, ids = torch.topk(scores, count)
        first = ids[:1]
        below = scores - values[:1]
        shares = torch.softmax(below, 0)
        greatest, mean = shares.gather(0, first), torch.dot(shares, below)
        tempered = torch.softmax(below / temperature, 0).gather(0, first) if temperature != 1.0 else greatest
        if scores.is_cpu:
            all_values: list[float] = values.tolist()
            all_ids: list[int] = ids.tolist()
            return all_values, all_ids, float(greatest), float(mean), float(tempered)
        parts = [values, ids.to(values.dtype), greatest, mean.view(1), tempered]
        near: list[float] = torch.cat(parts).tolist()  # float32 holds ids to 2^24
        return near[:count], [int(one) for one in near[count : 2 * count]], near[-3], near[-2], near[-1]


@functools.cache
def _near() -> Callable[[Tensor, int, float], _Read]:
    return scripted(_Near())


@dataclass(slots=True)
class Scores:
    """One step's scores. What follows from them is computed where they are; one small copy brings it to the CPU.

    Attributes:
        ids: of the greatest scores, in descending order.
        values: theirs, each a float32.
        logs: natural logarithms of their probabilities.
        entropy: Shannon entropy in nat of the scores' softmax.
        total: logsumexp of the scores divided by the temperature.
    """

    ids: list[int]
    values: list[float]
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
        values, ids, greatest, mean, tempered = _near()(scores, min(count, scores.shape[0]), float(temperature))
        if math.isnan(mean):  # 0 times -inf
            below = (scores - values[0]).clamp_(min=LEAST)
            mean = float(torch.dot(torch.softmax(below, 0), below))
        own = values[0] - math.log(greatest)
        return cls(
            ids=ids,
            values=values,
            logs=[value - own for value in values],
            entropy=-math.log(greatest) - mean,
            total=values[0] / temperature - math.log(tempered),
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
            values=[self.values[place] for place in keep],
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
            own = self.logs[self.ids.index(token)]
            return sum(log > own for log in self.logs) + 1
        return int((self.all > self.all[token]).sum()) + 1
