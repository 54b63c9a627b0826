"""Rankers that were trained on human feedback: which of several replies would people answer, upvote, take for human?

Gao et al., 2020, "Dialogue Response Ranking Training with Large-Scale Human Feedback Data", and the code published with
it, https://github.com/golsun/DialogRPT. Each ranker is a GPT-2 with a linear layer on the last token's hidden state,
whose sigmoid is the answer.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from dialogpt_widget.engine.language_model import LanguageModel, batches
from dialogpt_widget.engine.loading.checkpoint import read_shape, read_weight, read_weights
from dialogpt_widget.engine.loading.hub import Checkpoint, download, find_local
from dialogpt_widget.engine.loading.memory import release_memory
from dialogpt_widget.engine.loading.precision import pick_device, pick_precision
from dialogpt_widget.engine.models.gpt2 import GPT2
from dialogpt_widget.errors import ModelError, first_line

PRIOR = {"human_vs_rand": 0.5, "human_vs_machine": 0.5}
FEEDBACK = {"updown": 1.0, "depth": 0.48, "width": -0.5}
HEADS = {head: f"microsoft/DialogRPT-{head.replace('_', '-')}" for head in (*FEEDBACK, *PRIOR)}
VOCABULARY = 50257
TURNS = 2  # of the context, which is what they were trained with


@dataclass(frozen=True, slots=True)
class _Ranker:
    network: GPT2
    linear: torch.Tensor

    @torch.inference_mode()
    def values(self, sequences: Sequence[Sequence[int]]) -> np.ndarray:
        """Probabilities `[sequences]`."""
        made = []
        for some in batches(sequences, len):
            states = self.network.many(some)
            last = torch.stack([row[len(ids) - 1] for row, ids in zip(states, some, strict=True)])
            made.append(torch.sigmoid(last.float() @ self.linear.float().T)[:, 0])
        return torch.cat(made).double().cpu().numpy()


class DialogRPT:
    """The published ensemble of rankers, or some of them.

    They are loaded one by one when they are needed first. They read GPT-2's ids, which are DialoGPT's.

    Args:
        heads: which: of `updown` (would it be upvoted?), `depth` (how long a thread would follow?), `width` (how many
            direct answers?), `human_vs_rand` (does it belong here?), `human_vs_machine` (did a person write it?); or
            where each is, as a folder or a name.
        device: see `ChatModel.from_pretrained`.
        precision: see `ChatModel.from_pretrained`.

    Raises:
        ValueError: there is no such head, or none at all.
    """

    name = "DialogRPT"

    def __init__(
        self, heads: Iterable[str] | Mapping[str, str] = tuple(HEADS), *, device: str = "auto", precision: str = "auto"
    ) -> None:
        self.heads = dict(heads) if isinstance(heads, Mapping) else {head: HEADS.get(head, "") for head in heads}
        unknown = self.heads.keys() - HEADS.keys()
        if unknown or not self.heads:
            raise ValueError(f"heads are some of {', '.join(HEADS)}; got {', '.join(sorted(unknown)) or 'none'}.")
        self._device, self._precision = device, precision
        self._loading = threading.Lock()
        self._rankers: dict[str, _Ranker] = {}

    def score(self, context_turns: list[list[int]], replies: list[list[int]]) -> np.ndarray:
        """See `Scorer`; the ensemble of `values`."""
        return ensemble(self.values(context_turns, replies))

    def check(self, model: LanguageModel) -> None:
        """Refuses a model whose replies the rankers cannot read, before they are downloaded.

        Raises:
            ValueError: it has other ids than GPT-2.
        """
        if self.heads.items() <= HEADS.items() and model.vocabulary != VOCABULARY:
            raise ValueError(
                f"DialogRPT reads GPT-2's {VOCABULARY:,} ids, while {model.name} has {model.vocabulary:,}: it can rank "
                "replies of DialoGPT, not of this model."
            )

    def values(self, context_turns: list[list[int]], replies: list[list[int]]) -> dict[str, np.ndarray]:
        """Each head's probabilities `[replies]`."""
        found = {}
        for head in self.heads:
            ranker = self._ranker(head)
            shape = ranker.network.shape
            eos = shape.vocabulary - 1
            context = [token for turn in context_turns[-TURNS:] for token in (*turn, eos)]
            found[head] = ranker.values([[*context, *reply][-shape.positions :] for reply in replies])
        return found

    def _ranker(self, head: str) -> _Ranker:
        with self._loading:
            if head not in self._rankers:
                self._rankers[head] = _load(self.heads[head], self._device, self._precision)
            return self._rankers[head]


def ensemble(values: Mapping[str, np.ndarray]) -> np.ndarray:
    """The published ensemble: whether a reply is human and belongs here, times the feedback that it would get.

    With some of the heads only, the weights of those are scaled so that their sizes add up to 1.

    Args:
        values: of some heads, each `[replies]`.
    """
    made = np.array(1.0)
    for weights in (PRIOR, FEEDBACK):
        present = {head: weight for head, weight in weights.items() if head in values}
        whole = sum(weights.values()) if present.keys() == weights.keys() else sum(map(abs, present.values()))
        if present:
            made = made * sum(weight * values[head] for head, weight in present.items()) / whole
    return made


def _load(name: str, device: str, precision: str) -> _Ranker:
    torch_device = pick_device(device)
    dtype = pick_precision(precision, torch_device)
    checkpoint = find_local(name) or download(name, None, _quiet, _any_size)
    try:
        shape = read_shape(checkpoint.folder)
        if shape is None:
            raise ValueError("It is no GPT-2.")  # noqa: TRY301
        kept = None if torch_device.type == "cpu" else getattr(torch, dtype)
        weights = read_weights(checkpoint.weights, shape, kept, torch_device, _any_share)
        linear = read_weight(checkpoint.weights, "score.weight").to(torch_device)
        return _Ranker(GPT2(shape, weights, dtype), linear)
    except ModelError:
        raise
    except Exception as error:
        raise _damaged(checkpoint, first_line(error)) from error
    finally:
        release_memory(torch_device)


def _damaged(checkpoint: Checkpoint, reason: str) -> ModelError:
    return ModelError(
        "damaged",
        f"{checkpoint.name} is no ranker of DialogRPT.",
        f"Its files in {checkpoint.folder} are damaged or those of another model: {reason}",
    )


def _quiet(what: str, share: float | None) -> None:
    """Reports progress to nobody."""


def _any_size(size: int, *, mapped: bool) -> None:
    """Allows every download."""


def _any_share(share: float) -> None:
    """Reports progress to nobody."""
