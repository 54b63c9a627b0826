"""One step of a reply taken apart: what each stage did to the distribution, and any token's place in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from dialogpt_widget.engine.generation.sampler import Sampler
from dialogpt_widget.engine.generation.trace import Token
from dialogpt_widget.engine.language_model import LanguageModel
from dialogpt_widget.settings import Settings

SHOWN = 12  # tokens that each stage names
STACKED = 200  # tokens that the last stage names, at most


@dataclass(frozen=True, slots=True)
class Stage:
    """The distribution after one stage.

    Attributes:
        name: `model`, a penalty or filter by its setting's name, `temperature`, or `left`.
        count: tokens that can still be taken.
        ids: the most probable of them, ties by the lower id.
        probabilities: theirs.
    """

    name: str
    count: int
    ids: tuple[int, ...]
    probabilities: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """How a token was chosen.

    Attributes:
        token: what the settings and the dice choose; `cut_count` and `cut_mass` say what each filter removed.
        stages: from the model's own distribution to `left`, those that the settings have; `left` names up to 200.
        span: where the dice hit: the token takes up `[from, to)` of [0, 1), stacked from the most probable one on;
            for greedy from 0 to its probability.
        lead: by how much the best logit leads the next, after penalties.
    """

    token: Token
    stages: tuple[Stage, ...]
    span: tuple[float, float]
    lead: float


def explain(logits: torch.Tensor, said: Sequence[int], sampler: Sampler, forced: int | None = None) -> Choice:
    """Takes a step apart.

    Args:
        logits: `[vocabulary]`, float32.
        said: ids of the reply before it.
        sampler: with the settings that are asked about and the reply's dice.
        forced: the id that was taken whatever the settings would have chosen.
    """
    stages: list[Stage] = []
    lead = [float("nan")]
    stack: list[tuple[np.ndarray, np.ndarray]] = []

    def watch(name: str, ids: torch.Tensor | None, scores: torch.Tensor) -> None:
        known = torch.arange(len(scores), device=scores.device) if ids is None else ids
        shares = torch.softmax(scores.double(), 0)
        values, order = torch.sort(shares, descending=True, stable=True)
        most = STACKED if name == "left" else SHOWN
        count = int((scores > -torch.inf).sum())
        first = order[: min(most, count)]
        stages.append(Stage(name, count, tuple(known[first].tolist()), tuple(shares[first].tolist())))
        if name == "left":
            best = torch.topk(scores, min(2, count)).values
            lead[0] = float(best[0] - best[1]) if len(best) > 1 else float("inf")
            stack.append((known[order].cpu().numpy(), values.cpu().numpy()))

    with torch.inference_mode():
        token = sampler.choose(logits, said, forced=forced, watch=watch)
    ids, shares = stack[-1]
    return Choice(token, tuple(stages), _span(token.id, ids, shares), lead[0])


def _span(token: int, ids: np.ndarray, shares: np.ndarray) -> tuple[float, float]:
    at = np.flatnonzero(ids == token)
    if not len(at) or not shares[at[0]]:
        return float("nan"), float("nan")
    ends = np.cumsum(shares)
    return float(ends[at[0]] - shares[at[0]]), float(ends[at[0]])


@dataclass(frozen=True, slots=True)
class Place:
    """A token's place in a distribution.

    Attributes:
        id: of the token.
        logprob: natural logarithm of its probability.
        rank: 1 is the most probable.
    """

    id: int
    logprob: float
    rank: int


def places(logits: torch.Tensor, ids: Sequence[int]) -> list[Place]:
    """Where tokens stand in the model's own distribution.

    Args:
        logits: `[vocabulary]`, float32.
        ids: of the tokens.
    """
    with torch.inference_mode():
        log = torch.log_softmax(logits, 0)
        return [Place(own, float(log[own]), int((log > log[own]).sum()) + 1) for own in ids]


def ranked(logits: torch.Tensor, first: int, count: int) -> list[Place]:
    """The tokens of some ranks of the model's own distribution, ties by the lower id.

    Args:
        logits: `[vocabulary]`, float32.
        first: rank of the first, from 1.
        count: how many, at most.
    """
    with torch.inference_mode():
        log = torch.log_softmax(logits, 0)
        values, order = torch.sort(log, descending=True, stable=True)
    chosen = range(first - 1, min(first - 1 + count, len(order)))
    return [Place(int(order[at]), float(values[at]), at + 1) for at in chosen]


def forced_tokens(
    model: LanguageModel,
    context: Sequence[int],
    ids: Sequence[int],
    settings: Settings,
    states: Sequence[torch.Tensor] | None = None,
) -> Iterator[tuple[Token, torch.Tensor]]:
    """Each of some ids as a token that is forced on a sampler, and the state that it was decoded from.

    Args:
        model: in whose ids they are.
        context: what the model saw before the first of them.
        ids: of a reply, a final EOS included.
        settings: of the sampler, with a seed where it samples.
        states: of each id, if they are known; else they take one forward pass.
    """
    sampler = Sampler(settings, model.eos)
    known = model.step_states(context, ids[:-1]) if states is None else states
    for place, token in enumerate(ids):
        yield sampler.choose(model.unembed(known[place]), ids[:place], forced=token), known[place]


def logprob_used(
    model: LanguageModel,
    context: Sequence[int],
    ids: Sequence[int],
    settings: Settings,
    states: Sequence[torch.Tensor] | None = None,
) -> float:
    """The log-probability of a reply as a sampler draws it, nat; -inf where its filters remove one of the ids.

    For the arguments see `forced_tokens`. Of greedy decoding it is that after penalties.
    """
    return sum(token.logprob_used for token, _ in forced_tokens(model, context, ids, settings, states))
