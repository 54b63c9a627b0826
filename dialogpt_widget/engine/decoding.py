"""From logits to the next token: penalties, filters and the ledger of what each removed, the dice.

The filters are transformers' own logits processors, but for the one that bars the EOS alone, in the order in which
`generate` applies them. Applied one by one, they let the ledger say what each removed. Sampling first gathers the top-k
candidates and runs the other warpers on those alone: the kept set is the same, at a fraction of the time that sorting
the vocabulary takes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from transformers.generation.logits_process import (
    MinPLogitsWarper,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopPLogitsWarper,
)

from dialogpt_widget.dialogue.tokens import ALTERNATIVES, FILTERS
from dialogpt_widget.engine.ledger import Ledger
from dialogpt_widget.engine.record import Token
from dialogpt_widget.settings import Settings

NGRAM, MIN_NEW, TOP_K, TOP_P, MIN_P = range(len(FILTERS))
_LEAST = torch.finfo(torch.float32).min
Watch = Callable[[str, torch.Tensor | None, torch.Tensor], object]


def dice(seed: int, reply: int, position: int) -> float:
    """The uniform number in [0, 1) for one place of one reply, whatever was drawn before.

    Philox is a counter-based generator (Salmon et al., 2011, "Parallel random numbers: as easy as 1, 2, 3"), so that
    pausing, stepping, forking or comparing never shifts the dice.
    """
    bits = np.random.Philox(key=[seed, reply], counter=[position, 0, 0, 0])
    return float(np.random.Generator(bits).random(dtype=np.float32))


class _Row(NamedTuple):
    """Scores `[vocabulary]`; where they are the model's own, the ids of the greatest and the logsumexp of all."""

    scores: torch.Tensor
    order: torch.Tensor | None = None
    total: torch.Tensor | None = None


class _Pick(NamedTuple):
    """A token, its log-probability and the entropy as used (None where they are the model's own), and the draw."""

    token: int
    used: float | None
    spread: float | None
    draw: float


class Decoder:
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

    def choose(
        self, logits: torch.Tensor, said: Sequence[int], *, forced: int | None = None, watch: Watch | None = None
    ) -> Token:
        """The next token.

        Args:
            logits: `[vocabulary]`, of the last position.
            said: ids of the reply so far.
            forced: an id that is taken whatever the settings would choose; nothing is drawn then.
            watch: called with a stage's name, the ids that its scores are of (None for the whole vocabulary) and the
                scores: `model`, what changed something of `repetition_penalty`, `no_repeat_ngram`, `min_new_tokens`,
                `temperature`, `top_k`, `top_p`, `min_p`, and `left`, from which the token is taken.

        Returns:
            The token, with `ms` 0.
        """
        own = logits.float().cpu()  # one copy from a GPU, and no waiting for it after that
        log = torch.log_softmax(own, 0)
        head = torch.topk(own, min(max(ALTERNATIVES, self.settings.top_k + 1), len(own)))
        entropy = -float(torch.dot(log.exp(), log.clamp(min=_LEAST)))
        ledger = Ledger()
        watch = watch or _nobody
        watch("model", None, own)
        scores = self._penalised(own, said, ledger, watch)
        row = _Row(scores)
        if scores is own:
            row = _Row(scores, head.indices, head.values[0] - log[head.indices[0]])
        pick = self._sample if self.settings.do_sample else self._greedy
        chosen, used, spread, draw = pick(row, len(said), ledger, watch, forced)
        logprob = float(log[chosen])
        alt_id = head.indices[:ALTERNATIVES].tolist()
        return Token(
            id=chosen,
            eos=chosen == self.eos,
            position=len(said),
            origin="forced" if forced is not None else "sampled" if self.settings.do_sample else "greedy",
            logprob=logprob,
            logprob_used=logprob if used is None else used,
            rank=_rank(own, head.values, chosen),
            entropy=entropy,
            entropy_used=entropy if spread is None else spread,
            kept=ledger.left,
            cut_count=tuple(ledger.count),
            cut_mass=tuple(ledger.mass),
            draw=draw,
            ms=0.0,
            alt_id=tuple(alt_id),
            alt_logprob=tuple(log[head.indices[:ALTERNATIVES]].tolist()),
            alt_fate=tuple(ledger.fate(token) for token in alt_id),
        )

    def _penalised(self, own: torch.Tensor, said: Sequence[int], ledger: Ledger, watch: Watch) -> torch.Tensor:
        """Scores after what looks at the whole vocabulary: repetition penalty, n-grams, shortest reply.

        Where they bar every token, the EOS is let through and the reply ends.
        """
        scores = own
        reply = torch.tensor([list(said)], dtype=torch.long, device=own.device)
        if self._penalty and said:
            scores = self._penalty(reply, scores[None])[0]
            watch("repetition_penalty", None, scores)
        ledger.left = len(own)
        if self._ngrams:
            scores = ledger.note(NGRAM, scores, self._ngrams(reply, scores[None])[0])
            watch("no_repeat_ngram", None, scores)
        if len(said) < self.settings.min_new_tokens:
            scores = ledger.bar(MIN_NEW, scores, self.eos)
            watch("min_new_tokens", None, scores)
        if not ledger.left:
            scores = torch.full_like(own, -torch.inf)
            scores[self.eos] = own[self.eos]
            ledger.spare(self.eos)
        return scores

    def _greedy(self, row: _Row, _: int, __: Ledger, watch: Watch, forced: int | None) -> _Pick:
        scores, order = row.scores, row.order
        watch("left", None, scores)
        if forced is not None:
            chosen = forced
        elif order is None or len(order) == 1 or scores[order[0]] == scores[order[1]]:
            chosen = int(scores.argmax())
        else:
            chosen = int(order[0])
        if order is not None:
            return _Pick(chosen, None, None, float("nan"))
        log = torch.log_softmax(scores, 0)
        return _Pick(chosen, float(log[chosen]), float(_entropy(log)), float("nan"))

    def _sample(self, row: _Row, position: int, ledger: Ledger, watch: Watch, forced: int | None) -> _Pick:
        scores, total = row.scores, row.total
        if self._temperature:
            scores, total = self._temperature(None, scores[None])[0], None
            watch("temperature", None, scores)
        ids, values = self._candidates(scores, row.order)
        if len(ids) < ledger.left:
            share = (values - (torch.logsumexp(scores, 0) if total is None else total)).exp().sum()
            ledger.cut(TOP_K, ledger.left - len(ids), 1 - float(share), ids)
            watch(FILTERS[TOP_K], ids, values)
        for rule, warper in ((TOP_P, self._top_p), (MIN_P, self._min_p)):
            if warper:
                passed = warper(None, values[None])[0]
                keep = passed > -torch.inf
                before = torch.softmax(values, 0)
                ids, values = ids[keep], values[keep]
                ledger.cut(rule, len(keep) - len(ids), float(before[~keep].sum()), ids)
                watch(FILTERS[rule], ids, values)
        watch("left", ids, values)
        log = torch.log_softmax(values, 0)
        if forced is not None:
            at = (ids == forced).nonzero()
            used = float(log[at[0, 0]]) if len(at) else -torch.inf
            return _Pick(forced, used, float(_entropy(log)), float("nan"))
        weights = log.double().exp().cpu().numpy()
        assert self.settings.seed is not None
        draw = dice(self.settings.seed, self.reply, position)
        place = min(int(np.searchsorted(np.cumsum(weights), draw, side="right")), len(weights) - 1)
        return _Pick(int(ids[place]), float(log[place]), float(_entropy(log)), draw)

    def _candidates(self, scores: torch.Tensor, order: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Ids and scores of what top-k keeps, most probable first, ties by the lower id.

        As in transformers, a tie at the k-th place is kept whole.

        Args:
            scores: `[vocabulary]`.
            order: the ids of the greatest scores, at least k + 1 of them, if they are known.
        """
        k = self.settings.top_k
        if 0 < k < len(scores):
            first = torch.topk(scores, k + 1).indices if order is None else order[: k + 1]
            ids, values = _descending(scores, first.sort().values)
            if values[k] < values[k - 1]:
                return ids[:k], values[:k]
            return _descending(scores, (scores >= values[k - 1].clamp(min=_LEAST)).nonzero()[:, 0])
        return _descending(scores, (scores > -torch.inf).nonzero()[:, 0])


def _descending(scores: torch.Tensor, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Ascending ids and their scores, by descending score; ties stay by the lower id."""
    values, order = torch.sort(scores[ids], descending=True, stable=True)
    return ids[order], values


def _rank(own: torch.Tensor, greatest: torch.Tensor, chosen: int) -> int:
    """How many logits are greater than one of them, and one; the greatest are known, in descending order."""
    logit = own[chosen]
    among = greatest if logit >= greatest[-1] else own
    return int((among > logit).sum()) + 1


def _entropy(log: torch.Tensor) -> torch.Tensor:
    """Shannon entropy in nat of log-probabilities, -inf among them allowed."""
    total: torch.Tensor = torch.special.entr(log.exp()).sum()
    return total


def _nobody(*_: object) -> None:
    """Watches nothing."""


def _if(wanted: object, make: Any, value: float) -> Any:
    return make(value) if wanted else None
