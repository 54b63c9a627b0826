"""From a name to a model in memory: device, precision, weights, progress, and errors that people understand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from transformers.utils import logging as transformers_logging

from dialogpt_widget.engine.errors import Kind, ModelError
from dialogpt_widget.engine.fitting import BYTES, check_fit, check_names, need
from dialogpt_widget.engine.hub import Checkpoint, download, find_local
from dialogpt_widget.engine.machine import processors
from dialogpt_widget.engine.names import KNOWN, MINI, full_name, title_of
from dialogpt_widget.engine.source import Progress

_bars = threading.Lock()
_TOKENIZERS = ("tokenizer.json", "vocab.json", "vocab.txt", "*.model")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model in memory and what is known of it."""

    model: Any
    tokenizer: Any
    name: str
    revision: str | None
    device: torch.device
    precision: str


def pick_device(device: str = "auto") -> torch.device:
    """The device to run on: the one asked for, else CUDA, else Apple's MPS, else the CPU.

    Raises:
        ModelError: the device that was asked for is not there.
        ValueError: that is not a device.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        wanted = torch.device(device)
    except RuntimeError:
        raise ValueError(f'device is "auto", "cpu", "cuda", "cuda:1" or "mps", not {device!r}.') from None
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(wanted.type, False) or (wanted.index or 0) >= max(1, torch.cuda.device_count()):
        raise ModelError("unsupported", f"There is no device {device!r} here.", 'Use device="auto" or device="cpu".')
    return wanted


def pick_precision(precision: str, device: torch.device) -> str:
    """The dtype to run in: the one asked for, else float32 on a CPU and the 16 bits that a GPU has natively.

    Raises:
        ValueError: that is not a precision.
    """
    check_names("auto", precision)
    if precision != "auto":
        return precision
    if device.type == "cpu":
        return "float32"
    if device.type == "cuda" and torch.cuda.get_device_capability(device)[0] >= 8:
        return "bfloat16"
    return "float16"


def load(
    name: str,
    *,
    device: str = "auto",
    precision: str = "auto",
    revision: str | None = None,
    progress: Progress | None = None,
) -> Loaded:
    """Loads a causal language model and its tokenizer.

    Code that comes with a model is never run, and `.bin` files are read with `weights_only`.

    Args:
        name: `mini`, `small`, `medium`, `large`, a name on the hub, or a folder.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        precision: "auto", "float32", "bfloat16" or "float16".
        revision: a branch, tag or commit on the hub.
        progress: called with a line for people and a share from 0 to 1, or None where that is unknown.

    Raises:
        ModelError: it could not be had, does not fit, or is no causal language model.
    """
    tell: Progress = progress or _quiet
    name = full_name(name)
    torch_device = pick_device(device)
    precision = pick_precision(precision, torch_device)
    free = torch.cuda.mem_get_info(torch_device)[0] if torch_device.type == "cuda" else None

    def check(size: int, *, mapped: bool) -> None:
        parameters = KNOWN[name].parameters if name in KNOWN else size // 2
        check_fit(name, need(parameters, precision, size, mapped=mapped), precision, on_gpu=free)

    if name in KNOWN and name != MINI:
        check(KNOWN[name].download, mapped=KNOWN[name].mapped)
    checkpoint = find_local(name, revision) or download(name, revision, tell, check)
    with _explained(checkpoint, precision):
        config, tokenizer = _describe(checkpoint)
        _check_checkpoint(checkpoint, config, precision, free)
        if torch_device.type == "cpu" and torch.get_num_threads() > processors():
            torch.set_num_threads(processors())
        tell(f"Loading {title_of(name)}", 0.0)
        model = _weights(checkpoint, config, getattr(torch, precision), tell).to(torch_device)
    return Loaded(model.eval(), tokenizer, checkpoint.name, checkpoint.revision, torch_device, precision)


def _describe(checkpoint: Checkpoint) -> tuple[Any, Any]:
    from transformers import AutoConfig, AutoTokenizer

    if not any(list(checkpoint.folder.glob(pattern)) for pattern in _TOKENIZERS):
        raise _damaged(checkpoint, f"there are no tokenizer files ({', '.join(_TOKENIZERS)}).")
    config = AutoConfig.from_pretrained(checkpoint.folder, local_files_only=True, trust_remote_code=False)
    tokenizer = AutoTokenizer.from_pretrained(checkpoint.folder, local_files_only=True, trust_remote_code=False)
    if tokenizer.eos_token_id is None:
        raise ModelError(
            "unsupported",
            f"{title_of(checkpoint.name)} cannot hold a conversation.",
            "Its tokenizer has no end-of-text token, which is what separates turns. Choose a causal language model.",
            (MINI,),
        )
    return config, tokenizer


def _check_checkpoint(checkpoint: Checkpoint, config: Any, precision: str, free: int | None) -> None:
    stored = str(getattr(config, "dtype", None) or "float32").rpartition(".")[-1]
    if checkpoint.name in KNOWN:
        parameters = KNOWN[checkpoint.name].parameters
    else:
        parameters = checkpoint.size // BYTES.get(stored, 4)
    check_fit(
        checkpoint.name, need(parameters, precision, checkpoint.size, mapped=checkpoint.mapped), precision, on_gpu=free
    )


def _weights(checkpoint: Checkpoint, config: Any, dtype: torch.dtype, tell: Progress) -> Any:
    from transformers import AutoModelForCausalLM

    def advance(share: float) -> None:
        tell(f"Loading {title_of(checkpoint.name)}", share)

    with _bars, _reporting(advance):
        model, report = AutoModelForCausalLM.from_pretrained(
            checkpoint.folder,
            config=config,
            dtype=dtype,
            local_files_only=True,
            trust_remote_code=False,
            weights_only=True,
            use_safetensors=checkpoint.mapped,
            output_loading_info=True,
        )
    lacking = sorted(map(str, [*report["missing_keys"], *report["mismatched_keys"]]))
    if lacking:  # transformers would make them up at random
        raise _damaged(
            checkpoint, f"{len(lacking)} of its weights are missing or of another shape, {lacking[0]} for one."
        )
    return model


def _quiet(what: str, share: float | None) -> None:
    """Reports progress to nobody."""


@contextmanager
def _reporting(advance: Callable[[float], None]) -> Iterator[None]:
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


@contextmanager
def _explained(checkpoint: Checkpoint, precision: str) -> Iterator[None]:
    try:
        yield
    except ModelError:
        raise
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise out_of_memory(checkpoint.name, precision) from error
    except Exception as error:
        if "not enough memory" in str(error) or "DefaultCPUAllocator" in str(error):
            raise out_of_memory(checkpoint.name, precision) from error
        reason = str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
        kind: Kind = "unsupported" if "trust_remote_code" in str(error) else "damaged"
        raise _damaged(checkpoint, reason, kind) from error


def _damaged(checkpoint: Checkpoint, reason: str, kind: Kind = "damaged") -> ModelError:
    return ModelError(
        kind,
        f"{title_of(checkpoint.name)} could not be loaded.",
        f"Its files in {checkpoint.folder} are damaged or not those of a causal language model: {reason} "
        "Fetch it again, or choose another model.",
        (MINI,) if checkpoint.name != MINI else (),
    )


def out_of_memory(name: str, precision: str) -> ModelError:
    """The error for memory that ran out all the same, on the GPU or off it."""
    smaller = tuple(
        known.name for known in KNOWN.values() if known.name != name and known.name in (MINI, full_name("small"))
    )
    return ModelError(
        "memory",
        f"Memory ran out with {title_of(name)} in {precision}.",
        "Close other notebooks that hold a model, use a smaller one, or a shorter max_context.",
        smaller,
    )
