"""The weights that beam search loads beside a chat's."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from dialogpt_widget.engine import automodel
from dialogpt_widget.engine.errors import ModelError
from dialogpt_widget.engine.fitting import check_fit, need
from dialogpt_widget.engine.hub import Checkpoint
from dialogpt_widget.engine.loading import explained
from dialogpt_widget.engine.memory import give_back
from dialogpt_widget.engine.names import title_of


def load_copy(checkpoint: Checkpoint | None, parameters: int, dtype: str, device: torch.device) -> Any:
    """The model as transformers runs it, in evaluation mode, from the files that the chat's came from.

    Raises:
        ModelError: there are no such files, the weights do not fit beside those of the chat, or cannot be read.
    """
    if checkpoint is None:
        raise ModelError(
            "unsupported", "Beam search loads a model's weights again.", "This model came from no files. Load one."
        )
    with explained(checkpoint, dtype), _without_report():
        _check_room(checkpoint, parameters, dtype, device)
        config = automodel.read_config(checkpoint.folder)
        model = automodel.read_model(
            checkpoint.folder, config, getattr(torch, dtype), safetensors=checkpoint.mapped, advance=_any_share
        ).to(device)
    gc.collect()
    give_back(device)
    return model


@contextmanager
def _without_report() -> Iterator[None]:
    """Keeps transformers from listing what DialoGPT's files hold beside weights; what is lacking is an error anyway."""
    logger = logging.getLogger("transformers.modeling_utils")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _check_room(checkpoint: Checkpoint, parameters: int, dtype: str, device: torch.device) -> None:
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else None
    on_gpu = device.type != "cpu"
    wanted = need(parameters, dtype, checkpoint.size, mapped=checkpoint.mapped, on_gpu=on_gpu, widened=True)
    try:
        check_fit(checkpoint.name, wanted, dtype, on_gpu=free)
    except ModelError as error:
        title = f"There is no room for beam search with {title_of(checkpoint.name)}."
        raise ModelError(error.kind, title, f"It loads its own copy of the weights. {error}", error.offers) from error


def note_of(model: Any, dtype: str, precision: str) -> str:
    """What was loaded, in a line for people."""
    size = sum(weight.numel() * weight.element_size() for weight in model.parameters())
    told = f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.3g} MB"
    beside = "" if dtype == precision else f", while the chat runs in {precision}"
    return f"Beam search is transformers' generate: it loaded its own copy of the weights, {told} in {dtype}{beside}."


def _any_share(share: float) -> None:
    """Reports progress to nobody."""
