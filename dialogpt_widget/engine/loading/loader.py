"""From a name to a model in memory: device, precision, weights, progress, and errors that people understand."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from dialogpt_widget.engine.loading.checkpoint import (
    Advance,
    read_config,
    read_fast_tokenizer,
    read_model,
    read_shape,
    read_tokenizer,
    read_weights,
    wrap_tokenizer,
)
from dialogpt_widget.engine.loading.hub import Checkpoint, Progress, download, find_local
from dialogpt_widget.engine.loading.machine import threads
from dialogpt_widget.engine.loading.memory import check_fit, need, release_memory
from dialogpt_widget.engine.loading.names import BYTES, KNOWN, MINI, full_name, title_of
from dialogpt_widget.engine.loading.precision import LARGEST, Exactness, measured, pick_device, pick_precision, widened
from dialogpt_widget.engine.models.base import CausalLM, GPT2Shape
from dialogpt_widget.engine.models.cuda_graph import GraphedGPT2
from dialogpt_widget.engine.models.gpt2 import GPT2
from dialogpt_widget.engine.models.linear import keeps_half
from dialogpt_widget.engine.models.transformers_network import TransformersCausalLM
from dialogpt_widget.engine.tokenizer import ChatTokenizer
from dialogpt_widget.errors import Kind, ModelError, first_line

Check = Callable[..., None]
_TOKENIZERS = ("tokenizer.json", "vocab.json", "vocab.txt", "*.model")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model in memory and what is known of it.

    Attributes:
        exactness: what another precision than float32 costs, where that was measured.
        checkpoint: the files that it came from.
    """

    network: CausalLM
    tokenizer: ChatTokenizer
    name: str
    revision: str | None
    device: torch.device
    precision: str
    exactness: Exactness | None = None
    checkpoint: Checkpoint | None = None


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
        precision: "auto", "float32", "bfloat16", "float16" or, on a CPU, "int8".
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
    on_gpu = torch_device.type != "cpu"

    def check(parameters: int, size: int, *, mapped: bool, widened: bool = not keeps_half()) -> None:
        wanted = need(parameters, precision, size, mapped=mapped, on_gpu=on_gpu, widened=widened)
        check_fit(name, wanted, precision, on_gpu=free)

    def check_download(size: int, *, mapped: bool) -> None:
        check(KNOWN[name].parameters if name in KNOWN else size // 2, size, mapped=mapped)

    if name in KNOWN and name != MINI:
        check_download(KNOWN[name].download, mapped=KNOWN[name].mapped)
    checkpoint = find_local(name, revision) or download(name, revision, tell, check_download)
    with explained(checkpoint, precision):
        _check_tokenizer(checkpoint)
        if torch_device.type == "cpu":
            torch.set_num_threads(threads(torch.get_num_threads()))
        network, tokenizer, exactness = _read(checkpoint, precision, torch_device, check, tell)
    gc.collect()  # TorchScript's compiler leaves circles that hold the weights
    release_memory(torch_device)
    return Loaded(
        network, tokenizer, checkpoint.name, checkpoint.revision, torch_device, precision, exactness, checkpoint
    )


def _read(
    checkpoint: Checkpoint, precision: str, device: torch.device, check: Check, tell: Progress
) -> tuple[CausalLM, ChatTokenizer, Exactness | None]:
    folder = checkpoint.folder

    def advance(share: float) -> None:
        tell(f"Loading {title_of(checkpoint.name)}", share)

    def fits(parameters: int, **how: bool) -> None:
        check(parameters, checkpoint.size, mapped=checkpoint.mapped, **how)
        advance(0.0)

    shape = read_shape(folder)
    fast: ChatTokenizer | None = read_fast_tokenizer(folder, shape.vocabulary) if shape else None
    if shape and fast:
        fits(shape.parameters)
        return _gpt2(checkpoint, shape, fast, precision, device, advance)

    config, stored_tokenizer = read_config(folder), read_tokenizer(folder)
    tokenizer = wrap_tokenizer(stored_tokenizer)
    if tokenizer is None:
        raise _endless(checkpoint)
    if shape:
        fits(shape.parameters)
        return _gpt2(checkpoint, shape, tokenizer, precision, device, advance)
    if precision == "int8":
        raise _unquantized(checkpoint)
    stored = str(getattr(config, "dtype", None) or "float32").rpartition(".")[-1]
    fits(checkpoint.size // int(BYTES.get(stored, 4)), widened=True)
    model = read_model(folder, config, getattr(torch, precision), safetensors=checkpoint.mapped, advance=advance)
    return TransformersCausalLM(model.to(device), stored_tokenizer), tokenizer, None


def _gpt2(
    checkpoint: Checkpoint,
    shape: GPT2Shape,
    tokenizer: ChatTokenizer,
    precision: str,
    device: torch.device,
    advance: Advance,
) -> tuple[CausalLM, ChatTokenizer, Exactness | None]:
    on_cpu = device.type == "cpu"
    weights = read_weights(checkpoint.weights, shape, None if on_cpu else getattr(torch, precision), device, advance)
    mapped = weights["wte.weight"].dtype is torch.float32
    if on_cpu and precision == "float32" and not mapped and shape.parameters <= LARGEST:
        shared = widened(weights, checkpoint.weights)
        weights, mapped = shared or weights, shared is not None
    if on_cpu and not (precision == "float32" and mapped):
        weights = {name: weight if _converted(name) else weight.clone() for name, weight in weights.items()}
    if device.type == "cuda":
        return GraphedGPT2(shape, weights), tokenizer, None
    if precision == "float32" or not on_cpu:
        return GPT2(shape, weights), tokenizer, None
    network, exactness = measured(shape, weights, tokenizer, precision)
    return network, tokenizer, exactness


def _converted(name: str) -> bool:
    """Whether a weight is packed; what stays as it was read would keep its whole file in memory."""
    return name == "lm_head.weight" or (name.startswith("h.") and name.endswith(".weight") and ".ln_" not in name)


def _check_tokenizer(checkpoint: Checkpoint) -> None:
    if not any(list(checkpoint.folder.glob(pattern)) for pattern in _TOKENIZERS):
        raise _damaged(checkpoint, f"there are no tokenizer files ({', '.join(_TOKENIZERS)}).")


def _endless(checkpoint: Checkpoint) -> ModelError:
    return ModelError(
        "unsupported",
        f"{title_of(checkpoint.name)} cannot hold a conversation.",
        "Its tokenizer has no end-of-text token, which is what separates turns. Choose a causal language model.",
        (MINI,),
    )


def _unquantized(checkpoint: Checkpoint) -> ModelError:
    return ModelError(
        "unsupported",
        f"{title_of(checkpoint.name)} cannot be run in int8.",
        "That is for GPT-2, which DialoGPT is; other architectures run in float32, bfloat16 or float16.",
    )


def _quiet(what: str, share: float | None) -> None:
    """Reports progress to nobody."""


@contextmanager
def explained(checkpoint: Checkpoint, precision: str) -> Iterator[None]:
    """Turns what goes wrong while a model's files are read into a `ModelError`."""
    try:
        yield
    except ModelError:
        raise
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise out_of_memory(checkpoint.name, precision) from error
    except Exception as error:
        if "not enough memory" in str(error) or "DefaultCPUAllocator" in str(error):
            raise out_of_memory(checkpoint.name, precision) from error
        kind: Kind = "unsupported" if "trust_remote_code" in str(error) else "damaged"
        raise _damaged(checkpoint, first_line(error), kind) from error


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
