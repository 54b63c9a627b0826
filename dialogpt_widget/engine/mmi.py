"""Maximum mutual information: a reply is good if what it answers can be guessed from it.

Zhang et al., 2020, "DialoGPT", section 3.2, after Li et al., 2016, "A Diversity-Promoting Objective Function for Neural
Conversation Models": of sampled hypotheses that one is chosen after which a backward model, trained on dialogues turned
round, finds the source most probable. Bland replies fit every source and so tell of none.
"""

from __future__ import annotations

import threading

import numpy as np

from dialogpt_widget.engine.backward import load_backward
from dialogpt_widget.engine.readout import Readout


class MMI:
    """The mean log-probability of the user's last turn, and of the EOS that ends it, after a reply.

    The backward model reads `reply EOS source EOS`, and only the source counts. It is loaded when it is needed first.

    Args:
        path: the backward model: a folder, a name, or the file of a state dict, such as DialoGPT's own
            `small_reverse.pkl` and `medium_reverse.pkl`.
        device: see `ChatModel.from_pretrained`.
        precision: see `ChatModel.from_pretrained`.
    """

    name = "MMI"

    def __init__(self, path: str, *, device: str = "auto", precision: str = "auto") -> None:
        self.path, self._device, self._precision = path, device, precision
        self._loading = threading.Lock()
        self._model: Readout | None = None

    @property
    def model(self) -> Readout:
        """The backward model.

        Raises:
            ModelError: it could not be had, does not fit, or is no GPT-2.
        """
        with self._loading:
            if self._model is None:
                self._model = load_backward(self.path, device=self._device, precision=self._precision)
            return self._model

    def score(self, context_turns: list[list[int]], replies: list[list[int]]) -> np.ndarray:
        """See `Scorer`; minus the loss of the paper, in nat a token."""
        if not context_turns:
            raise ValueError("There is no turn that the replies could answer.")
        pairs = [self.pair(context_turns[-1], reply) for reply in replies]
        return np.array([logs.mean() for logs in self.model.log_likelihoods(pairs)])

    def check(self, model: Readout) -> None:
        """Refuses a model whose replies the backward model cannot read.

        Raises:
            ValueError: they have other ids.
            ModelError: as for `model`.
        """
        own = self.model
        if (own.vocabulary, own.eos) != (model.vocabulary, model.eos):
            raise ValueError(
                f"The backward model {self.path} reads {own.vocabulary:,} ids, while {model.name} has "
                f"{model.vocabulary:,}: MMI needs two models with the same tokens."
            )

    def pair(self, source: list[int], reply: list[int]) -> tuple[list[int], list[int]]:
        """What is given to the backward model, and what it is asked for.

        Of what is longer than half of what it can read, the beginning is left out.
        """
        model = self.model
        most = None if model.positions is None else model.positions // 2
        return _ended(reply, model.eos, most), _ended(source, model.eos, most)


def _ended(turn: list[int], eos: int, most: int | None) -> list[int]:
    ended = [*turn, eos]
    return ended if most is None else ended[-most:]
