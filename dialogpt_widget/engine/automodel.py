"""Any causal language model of transformers, from a folder. Code that comes with a model is never run."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers.utils import logging as transformers_logging

from dialogpt_widget.engine.source import Advance
from dialogpt_widget.engine.text import TransformersCodec

_bars = threading.Lock()


def read_config(folder: Path) -> Any:
    """The model's configuration.

    Raises:
        Exception: what transformers raises for damaged and unknown ones.
    """
    from transformers import AutoConfig

    return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def read_tokenizer(folder: Path) -> Any:
    """The tokenizer of transformers.

    Raises:
        Exception: what transformers raises for damaged and unknown ones.
    """
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def codec_of(tokenizer: Any) -> TransformersCodec | None:
    """The codec of a tokenizer; None where nothing ends a text, so that it cannot hold a conversation."""
    return None if tokenizer.eos_token_id is None else TransformersCodec(tokenizer)


def read_model(folder: Path, config: Any, dtype: torch.dtype, *, safetensors: bool, advance: Advance) -> Any:
    """The model on the CPU, in evaluation mode.

    Args:
        folder: holds its weights; pickles are read with `weights_only`.
        config: from `read_config`.
        dtype: to convert to.
        safetensors: whether its weights are safetensors.
        advance: called with the share of the weights that is loaded.

    Raises:
        ValueError: weights are missing or of another shape, which transformers would make up at random.
        Exception: what transformers raises for damaged files.
    """
    from transformers import AutoModelForCausalLM

    with _bars, _reporting(advance):
        model, report = AutoModelForCausalLM.from_pretrained(
            folder,
            config=config,
            dtype=dtype,
            local_files_only=True,
            trust_remote_code=False,
            weights_only=True,
            use_safetensors=safetensors,
            output_loading_info=True,
        )
    lacking = sorted(map(str, [*report["missing_keys"], *report["mismatched_keys"]]))
    if lacking:
        raise ValueError(f"{len(lacking)} of its weights are missing or of another shape, {lacking[0]} for one.")
    return model.eval()


@contextmanager
def _reporting(advance: Advance) -> Iterator[None]:
    """Turns transformers' progress bar into calls of `advance`, for as long as weights are loaded."""
    hook = getattr(transformers_logging, "set_tqdm_hook", None)
    shown = transformers_logging.is_progress_bar_enabled()

    def make(factory: Any, args: Any, options: Any) -> Any:
        items = list(args[0]) if args and args[0] is not None else []

        def walk() -> Iterator[Any]:
            for done, item in enumerate(items):
                yield item
                advance((done + 1) / len(items))

        return walk() if items else factory(*args, **options)

    transformers_logging.disable_progress_bar()
    before = hook(make) if hook else None
    try:
        yield
    finally:
        if hook:
            hook(before)
        if shown:
            transformers_logging.enable_progress_bar()
