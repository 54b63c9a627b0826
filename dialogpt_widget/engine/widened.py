"""Small models in float32 as files of their own, so that kernels on one machine share the pages of their weights.

A process that converts weights has them for itself. Files in float32 are mapped, and what is mapped is in memory once,
however many processes read it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from dialogpt_widget.engine.caches import keep, place

LARGEST = 16_000_000  # parameters: 64 MB of the user's disk; larger ones stay as they are stored


def widened(weights: Mapping[str, Tensor], files: Iterable[Path]) -> dict[str, Tensor] | None:
    """The same weights in float32, mapped from a file that is written the first time; None where it cannot be.

    Args:
        weights: by name, in any dtype.
        files: that they come from, which name the copy by what is in them.
    """
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    copy = place(f"{digest.hexdigest()[:32]}.safetensors")
    try:
        return _fitting(weights, load_file(copy))
    except (OSError, SafetensorError, ValueError):  # not there yet, or damaged
        wide = {name: weight.float().contiguous() for name, weight in weights.items()}
        return load_file(copy) if keep(copy, lambda new: save_file(wide, new)) else None


def _fitting(weights: Mapping[str, Tensor], found: dict[str, Tensor]) -> dict[str, Tensor]:
    if {name: weight.shape for name, weight in weights.items()} != {name: kept.shape for name, kept in found.items()}:
        raise ValueError("It is a copy of something else.")
    return found
