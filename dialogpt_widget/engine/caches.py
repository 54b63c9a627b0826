"""What is worth keeping between kernels, beside the user's other caches. Where nothing can be kept, nothing is lost."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import platformdirs


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
