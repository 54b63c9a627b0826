"""The choice of a token from logits: penalties, filters, dice."""

from __future__ import annotations

import functools
import math
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from transformers.generation.logits_process import (
    MinPLogitsWarper,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopPLogitsWarper,
)

from dialogpt_widget.dialogue.tokens import ALTERNATIVES, FILTERS
from dialogpt_widget.engine.generation.trace import FilterLedger, Token
from dialogpt_widget.engine.models.linear import scripted
from dialogpt_widget.settings import Settings

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


SEED_BITS = 32  # of a seed that is drawn; a browser's numbers hold 53


def dice(seed: int, reply: int, position: int) -> float:
    """The uniform number in [0, 1) for one place of one reply, whatever was drawn before.

    Philox is a counter-based generator (Salmon et al., 2011, "Parallel random numbers: as easy as 1, 2, 3"), so that
    pausing, stepping, forking or comparing never shifts the dice.
    """
    bits = np.random.Philox(key=[seed, reply], counter=[position, 0, 0, 0])
    return float(np.random.Generator(bits).random(dtype=np.float32))


def first_dice(seed: int, reply: int, count: int) -> np.ndarray:
    """`dice` of a reply's first positions, in one go: a position's is the first of the four numbers of its block."""
    numbers = np.random.Philox(key=[seed, reply]).random_raw(4 * count)[::4]
    return ((numbers & 0xFFFFFFFF) >> np.uint64(8)) / 2**24


def draw_seed() -> int:
    """A seed from the operating system's randomness."""
    return secrets.randbits(SEED_BITS)


NGRAM, MIN_NEW, TOP_K, TOP_P, MIN_P = range(len(FILTERS))
Watch = Callable[[str, torch.Tensor | None, torch.Tensor], object]
_Tell = Callable[[str, Any, Any], object]


class _Pick(NamedTuple):
    """A token, its log-probability and the entropy as used, and the draw."""

    token: int
    logprob: float
    entropy: float
    draw: float = float("nan")


class Sampler:
    """Chooses the tokens of one reply.

    Args:
        settings: with a seed where `do_sample` is on.
        eos: id that ends the turn.
        reply: the number of the generation, which selects its dice.
    """

    def __init__(self, settings: Settings, eos: int, reply: int = 0) -> None:
        self.settings, self.eos, self.reply = settings, eos, reply
        self._penalty = _if(
            settings.repetition_penalty != 1, RepetitionPenaltyLogitsProcessor, settings.repetition_penalty
        )
        self._ngrams = _if(
            settings.no_repeat_ngram_size > 0, NoRepeatNGramLogitsProcessor, settings.no_repeat_ngram_size
        )
        self._temperature = _if(settings.temperature != 1, TemperatureLogitsWarper, settings.temperature)
        self._top_p = _if(settings.top_p < 1, TopPLogitsWarper, settings.top_p)
        self._min_p = _if(settings.min_p > 0, MinPLogitsWarper, settings.min_p)
        self._dice: np.ndarray | None = None

    def read(self, logits: torch.Tensor) -> list[TopLogits]:
        """What `choose` needs of logits `[n, vocabulary]`; any sampler with these settings takes it in their place."""
        settings = self.settings
        if not settings.do_sample:
            return TopLogits.of_rows(logits.float(), ALTERNATIVES + 1)  # one may be barred
        return TopLogits.of_rows(logits.float(), max(ALTERNATIVES, settings.top_k + 1) + 1, settings.temperature)

    def choose(
        self,
        logits: torch.Tensor | TopLogits,
        said: Sequence[int],
        *,
        forced: int | None = None,
        watch: Watch | None = None,
        began: float | None = None,
    ) -> Token:
        """The next token.

        Args:
            logits: `[vocabulary]`, of the last position, or what `read` made of them.
            said: ids of the reply so far.
            forced: an id that is taken whatever the settings would choose; nothing is drawn then.
            watch: called with a stage's name, the ids that its scores are of (None for the whole vocabulary) and the
                scores: `model`, what changed something of `repetition_penalty`, `no_repeat_ngram`, `min_new_tokens`,
                `temperature`, `top_k`, `top_p`, `min_p`, and `left`, from which the token is taken.
            began: when the step began, by `time.perf_counter`; `ms` is 0 if not given.
        """
        own = logits if isinstance(logits, TopLogits) else self._scores(logits)
        ledger, tell = FilterLedger(), _on_cpu(watch)
        tell("model", None, own)
        scores = self._penalised(own, said, ledger, tell)
        pick = self._sample if self.settings.do_sample else self._greedy
        chosen, used, spread, draw = pick(scores, len(said), ledger, tell, forced)
        return Token(
            id=chosen,
            eos=chosen == self.eos,
            position=len(said),
            origin="forced" if forced is not None else "sampled" if self.settings.do_sample else "greedy",
            logprob=own.logprob(chosen),
            logprob_used=used,
            rank=own.rank(chosen),
            entropy=own.entropy,
            entropy_used=spread,
            kept=ledger.left,
            cut_count=tuple(ledger.count),
            cut_mass=tuple(ledger.mass),
            draw=draw,
            ms=0.0 if began is None else (time.perf_counter() - began) * 1e3,
            alt_id=tuple(own.ids[:ALTERNATIVES]),
            alt_logprob=tuple(own.logs[:ALTERNATIVES]),
            alt_fate=ledger.fates(own.ids[:ALTERNATIVES]),
        )

    def _scores(self, scores: torch.Tensor) -> TopLogits:
        return self.read(scores[None])[0]

    def _penalised(self, own: TopLogits, said: Sequence[int], ledger: FilterLedger, watch: _Tell) -> TopLogits:
        """Scores after what looks at the whole vocabulary: repetition penalty, n-grams, shortest reply.

        Where they bar every token, the EOS is let through and the reply ends.
        """
        row = own.all
        if self._penalty or self._ngrams:
            reply = torch.tensor([list(said)], dtype=torch.long, device=row.device)
        if self._penalty and said:
            row = self._penalty(reply, row[None])[0]
            watch("repetition_penalty", None, row)
        ledger.left = row.shape[0]
        if self._ngrams:
            row = ledger.note(NGRAM, row, self._ngrams(reply, row[None])[0])
            watch("no_repeat_ngram", None, row)
        short = len(said) < self.settings.min_new_tokens
        bars_eos = short and not ledger.removed(self.eos)
        if ledger.left == bars_eos:  # nothing else is left
            if bars_eos:
                ledger.bar(MIN_NEW, self.eos, 1.0)
            ledger.spare(self.eos)
            alone = torch.full_like(row, -torch.inf)
            alone[self.eos] = own.all[self.eos]
            return self._scores(alone)
        scores = own if row is own.all else self._scores(row)
        if bars_eos:
            ledger.bar(MIN_NEW, self.eos, math.exp(scores.logprob(self.eos)))
            scores = scores.without(self.eos)
        if short:
            watch("min_new_tokens", None, scores)
        return scores

    def _greedy(self, scores: TopLogits, _: int, __: FilterLedger, watch: _Tell, forced: int | None) -> _Pick:
        watch("left", None, scores)
        chosen = scores.best() if forced is None else forced
        return _Pick(chosen, scores.logprob(chosen), scores.entropy)

    def _sample(
        self, scores: TopLogits, position: int, ledger: FilterLedger, watch: _Tell, forced: int | None
    ) -> _Pick:
        if self._temperature and watch is not _nobody:
            watch("temperature", None, self._tempered(scores.all))
        ids, values = self._candidates(scores)
        below = values.astype(np.float64) - values[0]
        weights = np.exp(below)
        whole = float(weights.sum())
        if len(ids) < ledger.left:
            share = whole * math.exp(float(values[0]) - scores.total)
            ledger.cut(TOP_K, ledger.left - len(ids), 1 - share, ids)
            watch(FILTERS[TOP_K], ids, values)
        for rule, warper in ((TOP_P, self._top_p), (MIN_P, self._min_p)):
            if warper:
                keep = warper(None, torch.from_numpy(values)[None])[0].numpy() > -np.inf
                ids, values, below, weights = ids[keep], values[keep], below[keep], weights[keep]
                before, whole = whole, float(weights.sum())
                ledger.cut(rule, len(keep) - len(ids), 1 - whole / before, ids)
                watch(FILTERS[rule], ids, values)
        watch("left", ids, values)
        entropy = math.log(whole) - float(weights @ below) / whole
        if forced is not None:
            weight = float(weights[ids == forced].sum()) / whole
            return _Pick(forced, math.log(weight) if weight else -math.inf, entropy)
        draw = self._draw(position)
        place = min(int(np.cumsum(weights).searchsorted(draw * whole, side="right")), len(weights) - 1)
        return _Pick(int(ids[place]), float(below[place]) - math.log(whole), entropy, draw)

    def _draw(self, position: int) -> float:
        assert self.settings.seed is not None
        if self._dice is None:
            self._dice = first_dice(self.settings.seed, self.reply, self.settings.max_new_tokens)
        known = position < len(self._dice)
        return float(self._dice[position]) if known else dice(self.settings.seed, self.reply, position)

    def _candidates(self, scores: TopLogits) -> tuple[np.ndarray, np.ndarray]:
        """Ids and tempered scores of what top-k keeps, most probable first, ties by the lower id.

        As in transformers, a tie at the k-th place is kept whole.
        """
        k = self.settings.top_k
        if not 0 < k < scores.size:
            everything = self._tempered(scores.all)
            return _descending(everything, everything > -torch.inf)
        values = scores.values if self._temperature is None else self._tempered(torch.tensor(scores.values)).tolist()
        kept, least = values[:k], values[:k][-1]
        if least > -np.inf and (len(values) <= k or values[k] < least):
            ids, ordered = np.array(scores.ids[:k]), np.array(kept, np.float32)
            if all(one > other for one, other in pairwise(kept)):
                return ids, ordered
            order = np.lexsort((ids, -ordered))
            return ids[order], ordered[order]
        everything = self._tempered(scores.all)
        return _descending(everything, everything >= max(least, LEAST))

    def _tempered(self, scores: torch.Tensor) -> torch.Tensor:
        tempered: torch.Tensor = self._temperature(None, scores[None])[0] if self._temperature else scores
        return tempered


def _descending(scores: torch.Tensor, chosen: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Ids of those chosen and their scores by descending score; ties by the lower id."""
    ids = chosen.nonzero()[:, 0]
    values, order = torch.sort(scores[ids], descending=True, stable=True)
    return ids[order].cpu().numpy(), values.cpu().numpy()


def _on_cpu(watch: Watch | None) -> _Tell:
    if watch is None:
        return _nobody

    def tell(stage: str, ids: Any, scores: Any) -> None:
        whole = scores.all if isinstance(scores, TopLogits) else torch.as_tensor(scores)
        watch(stage, None if ids is None else torch.as_tensor(ids), whole.cpu())

    return tell


def _nobody(*_: object) -> None:
    """Watches nothing."""


def _if(wanted: object, make: Any, value: float) -> Any:
    return make(value) if wanted else None
