"""From logits to the next token: penalties, filters and the ledger of what each removed, the dice.

The filters are transformers' own logits processors, in the order in which `generate` applies them. Applied one by
one, they let the ledger say what each removed. Sampling first gathers the top-k candidates and runs the other warpers
on those alone: the kept set is the same, at a fraction of the time that sorting the vocabulary takes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from transformers.generation.logits_process import (
    MinNewTokensLengthLogitsProcessor,
    MinPLogitsWarper,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopPLogitsWarper,
)

from dialogpt_widget.dialogue.tokens import ALTERNATIVES, FILTERS
from dialogpt_widget.engine.record import Token
from dialogpt_widget.settings import Settings

NGRAM, MIN_NEW, TOP_K, TOP_P, MIN_P = range(len(FILTERS))
Watch = Callable[[str, torch.Tensor | None, torch.Tensor], object]


def dice(seed: int, reply: int, position: int) -> float:
    """The uniform number in [0, 1) for one place of one reply, whatever was drawn before.

    Philox is a counter-based generator (Salmon et al., 2011, "Parallel random numbers: as easy as 1, 2, 3"), so that
    pausing, stepping, forking or comparing never shifts the dice.
    """
    bits = np.random.Philox(key=[seed, reply], counter=[position, 0, 0, 0])
    return float(np.random.Generator(bits).random(dtype=np.float32))


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
        own = logits.float()
        total = torch.logsumexp(own, 0)
        ledger = _Ledger()
        watch = watch or _nobody
        watch("model", None, own)
        scores = self._penalised(own, said, ledger, watch)
        spread: float | None
        if self.settings.do_sample:
            chosen, used, spread, draw = self._sample(scores, len(said), ledger, watch, forced)
        else:
            chosen, used, spread, draw = self._greedy(own, scores, watch, forced)
        own_log = own - total
        best = torch.topk(own, min(ALTERNATIVES, len(own)))
        logprob, entropy, rank, *alternatives = torch.cat(
            [
                own_log[chosen, None],
                _entropy(own_log)[None],
                (own > own[chosen]).sum()[None].float(),
                best.values - total,
            ]
        ).tolist()
        alt_id = best.indices.tolist()
        return Token(
            id=chosen,
            eos=chosen == self.eos,
            position=len(said),
            origin="forced" if forced is not None else "sampled" if self.settings.do_sample else "greedy",
            logprob=logprob,
            logprob_used=used,
            rank=int(rank) + 1,
            entropy=entropy,
            entropy_used=entropy if spread is None else spread,
            kept=ledger.left,
            cut_count=tuple(ledger.count),
            cut_mass=tuple(ledger.mass),
            draw=draw,
            ms=0.0,
            alt_id=tuple(alt_id),
            alt_logprob=tuple(alternatives),
            alt_fate=tuple(ledger.fate(token) for token in alt_id),
        )

    def _penalised(self, own: torch.Tensor, said: Sequence[int], ledger: _Ledger, watch: Watch) -> torch.Tensor:
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
            shortest = MinNewTokensLengthLogitsProcessor(
                0, self.settings.min_new_tokens, self.eos, device=str(own.device)
            )
            scores = ledger.note(MIN_NEW, scores, shortest(reply, scores[None])[0])
            watch("min_new_tokens", None, scores)
        if not ledger.left:
            scores = torch.full_like(own, -torch.inf)
            scores[self.eos] = own[self.eos]
            ledger.spare(self.eos)
        return scores

    def _greedy(
        self, own: torch.Tensor, scores: torch.Tensor, watch: Watch, forced: int | None
    ) -> tuple[int, float, float | None, float]:
        watch("left", None, scores)
        chosen = int(scores.argmax()) if forced is None else forced
        used = float(scores[chosen] - torch.logsumexp(scores, 0))
        spread = None if scores is own else float(_entropy(torch.log_softmax(scores, 0)))
        return chosen, used, spread, float("nan")

    def _sample(
        self, scores: torch.Tensor, position: int, ledger: _Ledger, watch: Watch, forced: int | None
    ) -> tuple[int, float, float, float]:
        if self._temperature:
            scores = self._temperature(None, scores[None])[0]
            watch("temperature", None, scores)
        ids, values = self._candidates(scores)
        total = torch.logsumexp(scores, 0)
        ledger.cut(TOP_K, ledger.left - len(ids), 1 - float((values - total).exp().sum()), ids)
        if ledger.count[TOP_K]:
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
            return forced, used, float(_entropy(log)), float("nan")
        weights = log.double().exp().cpu().numpy()
        assert self.settings.seed is not None
        draw = dice(self.settings.seed, self.reply, position)
        place = min(int(np.searchsorted(np.cumsum(weights), draw, side="right")), len(weights) - 1)
        return int(ids[place]), float(log[place]), float(_entropy(log)), draw

    def _candidates(self, scores: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Ids and scores of what top-k keeps, most probable first, ties by the lower id.

        As in transformers, a tie at the k-th place is kept whole.
        """
        k = self.settings.top_k
        if 0 < k < len(scores):
            least = torch.topk(scores, k).values[-1]
            ids = (scores >= torch.clamp(least, min=torch.finfo(scores.dtype).min)).nonzero()[:, 0]
        else:
            ids = (scores > -torch.inf).nonzero()[:, 0]
        values, order = torch.sort(scores[ids], descending=True, stable=True)
        return ids[order], values


class _Ledger:
    """What each filter removed from one step's distribution."""

    def __init__(self) -> None:
        self.left = 0
        self.count = [0] * len(FILTERS)
        self.mass = [0.0] * len(FILTERS)
        self._survivors: dict[int, set[int]] = {}
        self._removed: dict[int, set[int]] = {}

    def note(self, rule: int, before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
        """Records what a processor of the whole vocabulary barred; gives its scores back."""
        gone = ((after == -torch.inf) & (before > -torch.inf)).nonzero()[:, 0]
        self.count[rule] = len(gone)
        self.left -= len(gone)
        self._removed[rule] = set(gone.tolist())
        if len(gone):
            self.mass[rule] = float((before[gone] - torch.logsumexp(before, 0)).exp().sum())
        return after

    def spare(self, token: int) -> None:
        """Takes back the removal of one token."""
        for rule, gone in self._removed.items():
            if token in gone:
                gone.remove(token)
                self.count[rule] -= 1
        self.left += 1

    def cut(self, rule: int, count: int, mass: float, survivors: torch.Tensor) -> None:
        """Records what a warper removed, and whom it left."""
        self.count[rule] = count
        self.mass[rule] = max(0.0, mass) if count else 0.0
        self.left = len(survivors)
        self._survivors[rule] = set(survivors.tolist()) if count else set()

    def fate(self, token: int) -> int:
        """0 if a token was left to draw from, else 1 + the place in `FILTERS` of what removed it."""
        for rule in range(len(FILTERS)):
            if token in self._removed.get(rule, ()) or (
                self.count[rule] and token not in self._survivors.get(rule, {token})
            ):
                return rule + 1
        return 0


def _entropy(log: torch.Tensor) -> torch.Tensor:
    """Shannon entropy in nat of log-probabilities, -inf among them allowed."""
    total: torch.Tensor = torch.special.entr(log.exp()).sum()
    return total


def _nobody(*_: object) -> None:
    """Watches nothing."""


def _if(wanted: object, make: Any, value: float) -> Any:
    return make(value) if wanted else None
