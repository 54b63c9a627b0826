"""Scores of the whole vocabulary, on the device that made them, and what choosing a token needs of them off it."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dialogpt_widget.engine.models.linear import scripted

LEAST = torch.finfo(torch.float32).min
_MOST = 0.5  # share of a token without which the rest is known exactly enough from the whole


class _Near(torch.nn.Module):
    def forward(self, scores: Tensor, count: int, temperature: float) -> list[list[float]]:
        """Of each row of scores the greatest ones, their ids, and what follows from all of them.

        That is the greatest one's share, the mean of what all are below it, and the greatest one's share at the
        temperature.
        """
        values, ids = torch.topk(scores, count)
        first = ids[:, :1]
        below = scores - values[:, :1]
        shares = torch.softmax(below, 1)
        greatest = shares.gather(1, first)
        mean = shares.mul_(below).sum(1, keepdim=True)
        tempered = torch.softmax(below.div_(temperature), 1).gather(1, first) if temperature != 1.0 else greatest
        parts = [values, ids.to(values.dtype), greatest, mean, tempered]
        near: list[list[float]] = torch.cat(parts, 1).tolist()  # float32 holds ids to 2^24
        return near


@functools.cache
def _near() -> Callable[[Tensor, int, float], list[list[float]]]:
    return scripted(_Near())


@dataclass(slots=True)
class TopLogits:
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
    def of(cls, scores: Tensor, count: int, temperature: float = 1.0) -> TopLogits:
        """Reads what is needed off scores.

        Args:
            scores: `[vocabulary]`, float32, -inf among them allowed.
            count: how many of the greatest to bring over.
            temperature: for `total`.
        """
        return cls.of_rows(scores[None], count, temperature)[0]

    @classmethod
    def of_rows(cls, scores: Tensor, count: int, temperature: float = 1.0) -> list[TopLogits]:
        """Reads what is needed off several steps' scores `[n, vocabulary]` at once; else as `of`."""
        count = min(count, scores.shape[1])
        near = _near()(scores, count, float(temperature))
        return [cls._of(whole, read, count, temperature) for whole, read in zip(scores, near, strict=True)]

    @classmethod
    def _of(cls, scores: Tensor, near: Sequence[float], count: int, temperature: float) -> TopLogits:
        values, (greatest, mean, tempered) = list(near[:count]), near[2 * count :]
        if math.isnan(mean):  # 0 times -inf
            below = (scores - values[0]).clamp_(min=LEAST)
            mean = float(torch.dot(torch.softmax(below, 0), below))
        own = values[0] - math.log(greatest)
        return cls(
            ids=[int(one) for one in near[count : 2 * count]],
            values=values,
            logs=[value - own for value in values],
            entropy=-math.log(greatest) - mean,
            total=values[0] / temperature - math.log(tempered),
            _whole=scores,
            _own=own,
            _temperature=temperature,
        )

    @property
    def size(self) -> int:
        """How many scores there are."""
        return self._whole.shape[0]

    @property
    def all(self) -> Tensor:
        """The scores, `[vocabulary]`, where they were computed."""
        if self._barred is not None:
            self._whole = self._whole.clone()
            self._whole[self._barred] = -torch.inf
            self._barred = None
        return self._whole

    def without(self, token: int) -> TopLogits:
        """The same with a token barred, one fewer of the greatest perhaps; the token had some probability."""
        log = self.logprob(token)
        share, tempered = math.exp(log), math.exp((self._own + log) / self._temperature - self.total)
        keep = [place for place, other in enumerate(self.ids) if other != token]
        if max(share, tempered) > _MOST or not keep:
            whole = self.all.clone()
            whole[token] = -torch.inf
            return TopLogits.of(whole, len(self.ids), self._temperature)
        rest = math.log1p(-share)
        return TopLogits(
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
