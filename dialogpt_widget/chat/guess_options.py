"""What to pick the next token from: a list that has the answer in it and does not tell which it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dialogpt_widget.engine.generation.sampler import Sampler
    from dialogpt_widget.engine.hidden_states import Tensor


def guess_options(logits: Tensor, said: Sequence[int], decoder: Sampler, answer: int, count: int) -> list[int]:
    """So many ids, the answer among them; see `chosen`. The same place of the same reply has the same list.

    Args:
        logits: `[vocabulary]`, float32, from which the answer was chosen.
        said: ids of the reply before it.
        decoder: that chose it.
        answer: its id.
        count: how many.
    """
    ids, shares = _drawable(logits, said, decoder)
    if len(ids) < count:
        best = np.argsort(-logits.cpu().numpy(), kind="stable")[: count + len(ids)]
        others = [token for token in best.tolist() if token not in ids]
        ids, shares = [*ids, *others], [*shares, *(0.0 for _ in others)]
    bits = np.random.Philox(key=[decoder.settings.seed or 0, decoder.reply], counter=[len(said), 1, 0, 0])
    return chosen(ids, shares, answer, count, float(np.random.Generator(bits).random()))


def chosen(ids: Sequence[int], shares: Sequence[float], answer: int, count: int, draw: float) -> list[int]:
    """The most probable ids but for one, and one that stands for all the others; lowest first.

    That one is the answer where it is among the others; else it is drawn from them as the answer would have been. So
    the list tells nothing that the model does not: given the list, each of the most probable is the answer with its
    own probability, and the last one with that of all the others together.

    Args:
        ids: what may come next, most probable first.
        shares: their probabilities.
        answer: what comes next.
        count: how many.
        draw: a number in [0, 1).
    """
    first, rest = [*ids[: count - 1]], ids[count - 1 :]
    if answer not in first:
        return sorted([*first, answer])
    ends = np.cumsum(shares[count - 1 :])
    if not rest or not ends[-1]:
        return sorted([*first, *rest[:1]])
    return sorted([*first, rest[min(int(np.searchsorted(ends, draw * ends[-1], side="right")), len(rest) - 1)]])


def _drawable(logits: Tensor, said: Sequence[int], decoder: Sampler) -> tuple[list[int], list[float]]:
    """What the settings leave to choose from, most probable first, and the probabilities."""
    left: list[tuple[np.ndarray, np.ndarray]] = []

    def watch(name: str, ids: Tensor | None, scores: Tensor) -> None:
        if name == "left":
            values = scores.double().cpu().numpy()
            left.append((np.arange(len(values)) if ids is None else ids.cpu().numpy(), values))

    decoder.choose(logits, said, watch=watch)
    ((ids, scores),) = left
    order = np.argsort(-scores, kind="stable")[: int((scores > -np.inf).sum())]
    weights = np.exp(scores[order] - scores[order[0]])
    return ids[order].tolist(), (weights / weights.sum()).tolist()
