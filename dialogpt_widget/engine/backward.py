"""Backward models, which read a reply and then what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import torch

from dialogpt_widget.engine.errors import ModelError, first_line
from dialogpt_widget.engine.gpt2 import GPT2, Shape
from dialogpt_widget.engine.gpt2_files import read_state_dict
from dialogpt_widget.engine.loading import Loaded, load, pick_device, pick_precision
from dialogpt_widget.engine.readout import Readout

FILES = (".pkl", ".bin", ".pt", ".pth")  # endings of what is no name and no folder
HEAD = 64  # width of a head of attention in every GPT-2 that was released


def load_backward(path: str, *, device: str = "auto", precision: str = "auto") -> Readout:
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
        return Readout(load(path, device=device, precision=precision))
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
    codec = SimpleNamespace(eos=shape.vocabulary - 1)
    network = GPT2(shape, weights, dtype)
    return Readout(Loaded(network, codec, str(file), None, torch_device, dtype))  # type: ignore[arg-type]


def shape_of(weights: Mapping[str, torch.Tensor]) -> Shape:
    """The shape of a GPT-2, told from its weights; its heads are 64 wide.

    Args:
        weights: by the names of `Shape.weights`.

    Raises:
        ValueError: weights are missing or of another shape.
    """
    lacking = [name for name in ("wte.weight", "wpe.weight", "h.0.mlp.c_fc.weight") if name not in weights]
    if lacking:
        raise ValueError(f"There is no {lacking[0]} in it.")
    (vocabulary, width), positions = weights["wte.weight"].shape, len(weights["wpe.weight"])
    shape = Shape(
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
