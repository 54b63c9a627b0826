"""Does a model fit? What loading it takes, against what the machine has left."""

from __future__ import annotations

import ctypes
import functools
import sys
from dataclasses import dataclass

import torch

from dialogpt_widget.engine.loading.machine import available_memory
from dialogpt_widget.engine.loading.names import BYTES, KNOWN, title_of
from dialogpt_widget.errors import ModelError

EMBEDDINGS = 0.3  # bytes a parameter more where the token embeddings are kept apart from the packed output layer
CACHE = 0.15  # keys and values of 1000 tokens, as a share of as many weights: 12 to 15 % for DialoGPT's shapes
WORKSPACE = 500_000_000  # torch and transformers; measured at 410 MB on a CPU


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes that a model takes once loaded, and at most while it is loaded."""

    resident: int
    peak: int


def need(
    parameters: int, precision: str, checkpoint: int, *, mapped: bool, on_gpu: bool = False, widened: bool = False
) -> Need:
    """What a model takes.

    Args:
        parameters: how many.
        precision: that it runs in.
        checkpoint: bytes of its weights on disk.
        mapped: whether they are mapped (safetensors) instead of read whole (`.bin`) before they are converted.
        on_gpu: whether keys and values have the precision of the weights; on a CPU they are float32.
        widened: whether weights that are stored in 16 bits take 32 in float32.
    """
    width, packed = BYTES[precision], not on_gpu and precision != "float32"
    if precision == "float32" and not on_gpu and not widened and checkpoint < 3 * parameters:
        width, packed = 2.0, True
    weights = parameters * (width + (EMBEDDINGS if packed else 0))
    resident = weights + CACHE * parameters * (width if on_gpu else 4)
    return Need(round(resident), round(max(resident, weights + (0 if mapped else checkpoint))))


def check_fit(name: str, wanted: Need, precision: str, left: int | None = None, on_gpu: int | None = None) -> None:
    """Refuses a model that the machine cannot hold, before it is loaded.

    Args:
        name: the model's name.
        wanted: what it takes.
        precision: dtype it would run in.
        left: bytes of memory that may be used; measured if not given.
        on_gpu: bytes free on the GPU that it would run on; None on a CPU.

    Raises:
        ModelError: of kind "memory", offering known models that fit.
    """
    left = available_memory() if left is None else left
    if on_gpu is not None and wanted.resident + WORKSPACE > on_gpu:
        raise _too_large(name, wanted.resident, on_gpu, precision, "the GPU", left, on_gpu)
    if wanted.peak + WORKSPACE > left:
        raise _too_large(name, wanted.peak, left, precision, "this machine", left, on_gpu)


def _too_large(
    name: str, size: int, room: int, precision: str, where: str, left: int, on_gpu: int | None
) -> ModelError:
    offers = tuple(known for known in _smaller(name, size) if _fits(known, precision, left, on_gpu))
    others = " or ".join(title_of(offer).split(":")[0] for offer in offers)
    way_out = f"Choose {others}, free some memory, or use a larger machine." if others else "Free some memory first."
    return ModelError(
        "memory",
        f"{title_of(name)} does not fit into the memory of {where}.",
        f"Loading it in {precision} takes about {_gigabytes(size + WORKSPACE)}; {_gigabytes(room)} can be used. "
        f"{way_out}",
        offers,
    )


def _smaller(name: str, size: int) -> list[str]:
    order = sorted(KNOWN.values(), key=lambda known: -known.parameters)
    return [known.name for known in order if known.name != name and known.parameters * 2 < size]


def _fits(name: str, precision: str, left: int, on_gpu: int | None) -> bool:
    known = KNOWN[name]
    wanted = need(known.parameters, precision, known.download, mapped=known.mapped, on_gpu=on_gpu is not None)
    return wanted.peak + WORKSPACE <= left and (on_gpu is None or wanted.resident + WORKSPACE <= on_gpu)


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB"


def release_memory(device: torch.device) -> None:
    """Gives the system what the C library keeps of freed memory, and other processes what PyTorch keeps of a GPU's.

    Once a model of 355 million parameters was let go, 1 GB of what it had taken was kept for no use.
    """
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
    library = _gnu()
    if library:
        library.malloc_trim(0)


@functools.cache
def _gnu() -> ctypes.CDLL | None:
    """GNU's C library; None where it is another, which keeps less or cannot be told."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    return library if hasattr(library, "malloc_trim") else None
