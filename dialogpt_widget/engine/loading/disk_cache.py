"""What is worth keeping between kernels, beside the user's other caches. Where nothing can be kept, nothing is lost."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import platformdirs
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor


def place(name: str) -> Path:
    """Where something of that name is kept."""
    return Path(platformdirs.user_cache_dir("dialogpt-widget")) / name


def keep(file: Path, write: Callable[[Path], object]) -> bool:
    """Has a file written beside its place and moves it there, so that readers never see half of one.

    Returns:
        Whether it could be kept.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=file.parent) as folder:
            new = Path(folder, file.name)
            write(new)
            new.replace(file)
    except OSError:
        return False
    return True


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
