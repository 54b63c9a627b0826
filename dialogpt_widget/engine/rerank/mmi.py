"""Maximum mutual information: a reply is good if what it answers can be guessed from it.

Zhang et al., 2020, "DialoGPT", section 3.2, after Li et al., 2016, "A Diversity-Promoting Objective Function for Neural
Conversation Models": of sampled hypotheses that one is chosen after which a backward model, trained on dialogues turned
round, finds the source most probable. Bland replies fit every source and so tell of none.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch

from dialogpt_widget.engine.language_model import LanguageModel
from dialogpt_widget.engine.loading.checkpoint import read_state_dict
from dialogpt_widget.engine.loading.loader import Loaded, load
from dialogpt_widget.engine.loading.precision import pick_device, pick_precision
from dialogpt_widget.engine.models.base import GPT2Shape
from dialogpt_widget.engine.models.gpt2 import GPT2
from dialogpt_widget.errors import ModelError, first_line


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
        self._model: LanguageModel | None = None

    @property
    def model(self) -> LanguageModel:
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

    def check(self, model: LanguageModel) -> None:
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


FILES = (".pkl", ".bin", ".pt", ".pth")  # endings of what is no name and no folder
HEAD = 64  # width of a head of attention in every GPT-2 that was released


def load_backward(path: str, *, device: str = "auto", precision: str = "auto") -> LanguageModel:
    """Loads a backward model.

    Args:
        path: a folder or a name, as of any model; or a file with a state dict, read with `weights_only`, whose EOS is
            the last id, as GPT-2's is.
        device: see `load`.
        precision: see `load`.

    Raises:
        ModelError: it could not be had, does not fit, or is no GPT-2.
    """
    file = Path(path).expanduser()
    if not file.is_file() and file.suffix in FILES:
        raise ModelError("not_found", f"There is no file {path}.", "Give the path of a backward model's state dict.")
    if not file.is_file():
        return LanguageModel(load(path, device=device, precision=precision))
    torch_device = pick_device(device)
    dtype = pick_precision(precision, torch_device)
    try:
        weights = read_state_dict(file)
        shape = shape_of(weights)
    except Exception as error:
        raise ModelError(
            "damaged",
            f"{file.name} could not be loaded.",
            f"It is no state dict of a GPT-2, or damaged: {first_line(error)}",
        ) from error
    if torch_device.type != "cpu":
        weights = {name: weight.to(torch_device, getattr(torch, dtype)) for name, weight in weights.items()}
    tokenizer = SimpleNamespace(eos=shape.vocabulary - 1)
    network = GPT2(shape, weights, dtype)
    return LanguageModel(Loaded(network, tokenizer, str(file), None, torch_device, dtype))  # type: ignore[arg-type]


def shape_of(weights: Mapping[str, torch.Tensor]) -> GPT2Shape:
    """The shape of a GPT-2, told from its weights; its heads are 64 wide.

    Args:
        weights: by the names of `GPT2Shape.weights`.

    Raises:
        ValueError: weights are missing or of another shape.
    """
    lacking = [name for name in ("wte.weight", "wpe.weight", "h.0.mlp.c_fc.weight") if name not in weights]
    if lacking:
        raise ValueError(f"There is no {lacking[0]} in it.")
    (vocabulary, width), positions = weights["wte.weight"].shape, len(weights["wpe.weight"])
    shape = GPT2Shape(
        layers=1 + max(int(name.split(".")[1]) for name in weights if name.startswith("h.")),
        width=width,
        heads=max(1, width // HEAD),
        inner=weights["h.0.mlp.c_fc.weight"].shape[1],
        positions=positions,
        vocabulary=vocabulary,
        tied="lm_head.weight" not in weights or torch.equal(weights["lm_head.weight"], weights["wte.weight"]),
    )
    for name, size in shape.weights().items():
        if name not in weights or tuple(weights[name].shape) != size:
            raise ValueError(f"Its {name} is missing or of another shape than {size}.")
    return shape
