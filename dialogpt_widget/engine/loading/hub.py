"""From a model's name to a folder with its files: the embedded one, a local folder, the hub's cache, or a download."""

from __future__ import annotations

import errno
import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from dialogpt_widget.engine.loading.names import (
    MINI,
    MINI_FOLDER,
    folder_of,
    full_name,
    is_hub_name,
    near_name,
    title_of,
)
from dialogpt_widget.errors import ModelError


class Check(Protocol):
    """Refuses weights that are too large, given their size in bytes and whether they are mapped."""

    def __call__(self, size: int, *, mapped: bool) -> None:
        """Raises ModelError where they are."""


_SMALL_FILES = ("*.json", "*.txt", "*.model", "*.jinja")
_WEIGHTS = ("model.safetensors", "model-*.safetensors", "pytorch_model.bin", "pytorch_model-*.bin")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model's files on this machine.

    Attributes:
        name: the model's full name, or the folder's path.
        folder: where its files are.
        revision: the hub's commit; None for a folder.
        weights: the weight files, safetensors where both formats are there.
    """

    name: str
    folder: Path
    revision: str | None
    weights: tuple[Path, ...]

    @property
    def size(self) -> int:
        """Bytes of the weight files."""
        return sum(file.stat().st_size for file in self.weights)

    @property
    def mapped(self) -> bool:
        """Whether the weights are safetensors, mapped and not read whole."""
        return all(file.suffix == ".safetensors" for file in self.weights)


def find_local(name: str, revision: str | None = None) -> Checkpoint | None:
    """A model that is already on this machine; None where it would have to be downloaded.

    Raises:
        ModelError: the name is a folder that holds no complete model, is misspelled, or is not a name at all.
    """
    name = full_name(name)
    if name == MINI:
        return _in_folder(MINI, MINI_FOLDER)
    folder = folder_of(name)
    if folder is not None:
        return _in_folder(name, folder)
    possible = is_hub_name(name)
    cached = _in_cache(name, revision) if possible else None
    near = None if cached else near_name(name)
    if near or not possible:
        meant = f"Did you mean {near!r}? " if near else ""
        raise ModelError(
            "not_found",
            f"{name[:80]!r} is neither a folder here nor a name on the hub.",
            f"{meant}Give a folder that holds config.json and weights, a name such as "
            '"microsoft/DialoGPT-small", or "mini".',
            (full_name(near or MINI),),
        )
    return cached


def download(name: str, revision: str | None, progress: Progress, check: Check) -> Checkpoint:
    """Fetches a model from the hub into its cache, weights last.

    Args:
        name: as on the hub.
        revision: a branch, tag or commit; None for the main branch.
        progress: told what is going on, and the share of the bytes that has arrived.
        check: called before the weights are fetched with their size in bytes and whether they are mapped; may raise.

    Raises:
        ModelError: no network, no such model, no room on the disk.
    """
    from huggingface_hub import HfApi, hf_hub_download

    name = full_name(name)
    progress(f"Looking up {title_of(name)}", None)
    with _explained(name):
        found = HfApi().model_info(name, revision=revision, files_metadata=True, timeout=15)
        sizes = {file.rfilename: file.size or 0 for file in found.siblings or []}
        weights = _choose_weights(name, list(sizes))
        check(sum(sizes[file] for file in weights), mapped=weights[0].endswith(".safetensors"))
        small = [
            file for file in sizes if "/" not in file and Path(file).suffix in {".json", ".txt", ".model", ".jinja"}
        ]
        count = _Count(progress, f"Downloading {title_of(name)}", sum(sizes[file] for file in (*small, *weights)))
        for file in (*small, *weights):
            hf_hub_download(name, file, revision=revision, **_counted(hf_hub_download, count))
            count.reach(sizes[file])
    checkpoint = _in_cache(name, revision)
    if checkpoint is None:
        raise _incomplete(name, "the download")
    return checkpoint


class _Count:
    """Adds up the bytes of several downloads; a file that was already there counts as well."""

    def __init__(self, progress: Progress, what: str, total: int) -> None:
        self.progress, self.what, self.total = progress, what, max(total, 1)
        self.finished = self.current = 0

    def add(self, size: float) -> None:
        self.current += int(size)
        done = min(self.finished + self.current, self.total)
        self.progress(f"{self.what}: {done / 1e6:.0f} of {self.total / 1e6:.0f} MB", done / self.total)

    def reach(self, size: int) -> None:
        self.finished, self.current = self.finished + size, 0
        self.add(0)


def _counted(function: Callable[..., Any], count: _Count) -> dict[str, Any]:
    """Arguments that make huggingface_hub report to `count`, where its version can."""
    if "tqdm_class" not in inspect.signature(function).parameters:
        return {}
    from tqdm import tqdm

    class Bar(tqdm):  # type: ignore[type-arg]
        def __init__(self, *args: Any, **options: Any) -> None:
            options.pop("name", None)
            super().__init__(*args, **options | {"disable": True})

        def update(self, n: float | None = 1) -> bool | None:
            count.add(n or 0)
            return None

    return {"tqdm_class": Bar}


def _in_cache(name: str, revision: str | None) -> Checkpoint | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        patterns = [*_SMALL_FILES, *_WEIGHTS]
        folder = Path(snapshot_download(name, revision=revision, allow_patterns=patterns, local_files_only=True))
    except (LocalEntryNotFoundError, ValueError):
        return None
    weights = _weights_in(folder)
    whole = weights and not _missing_shards(weights) and (folder / "config.json").exists()
    return Checkpoint(name, folder, folder.name, weights) if whole else None


def _in_folder(name: str, folder: Path) -> Checkpoint:
    if not (folder / "config.json").is_file():
        raise _incomplete(name, "config.json is missing", folder)
    weights = _weights_in(folder)
    if not weights:
        raise _incomplete(name, "there is neither model.safetensors nor pytorch_model.bin", folder)
    missing = _missing_shards(weights)
    if missing:
        raise _incomplete(name, f"{missing[0]} is missing", folder)
    return Checkpoint(name, folder, None, weights)


def _weights_in(folder: Path) -> tuple[Path, ...]:
    for pattern in _WEIGHTS:
        files = tuple(sorted(folder.glob(pattern)))
        if files:
            return files
    return ()


def _missing_shards(weights: tuple[Path, ...]) -> list[str]:
    """The shards that the names of the others speak of (`-00001-of-00003`) and that are not there."""
    there = {file.name for file in weights}
    numbered = re.fullmatch(r"(.+)-\d+-of-(\d+)(\.\w+)", weights[0].name)
    if numbered is None:
        return []
    stem, count, suffix = numbered.groups()
    wanted = [f"{stem}-{place + 1:0{len(count)}}-of-{count}{suffix}" for place in range(int(count))]
    return [name for name in wanted if name not in there]


def _choose_weights(name: str, files: list[str]) -> list[str]:
    for pattern in _WEIGHTS:
        chosen = [file for file in files if Path(file).match(pattern) and "/" not in file]
        if chosen:
            return chosen
    raise ModelError(
        "unsupported",
        f"{title_of(name)} has no weights that can be loaded.",
        "It has neither model.safetensors nor pytorch_model.bin. Choose another model.",
        (MINI,),
    )


def _incomplete(name: str, why: str, folder: Path | None = None) -> ModelError:
    if folder is not None and name != MINI:
        return ModelError(
            "damaged",
            f"{folder} is not a model folder: {why}.",
            "Give another folder or choose another model.",
            (MINI,),
        )
    return ModelError(
        "damaged",
        f"{title_of(name)} is not complete.",
        f"The reason: {why}. Fetch it again, or choose another model.",
        (MINI,) if name != MINI else (),
    )


@contextmanager
def _explained(name: str) -> Iterator[None]:
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        yield
    except ModelError:
        raise
    except (RepositoryNotFoundError, HFValidationError) as error:
        unknown = f"There is no model named {name!r} on the Hugging Face hub."
        if isinstance(error, GatedRepoError):
            unknown = f"{name!r} is not open to everyone."
        hint = (
            'Check the spelling, or log in if it is private. DialoGPT is "microsoft/DialoGPT-small", -medium or -large.'
        )
        raise ModelError("not_found", unknown, hint, (MINI,)) from error
    except RevisionNotFoundError as error:
        raise ModelError("not_found", f"{name} has no such revision.", "Check the revision.", (MINI,)) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise ModelError(
                "disk",
                f"The disk is full, {title_of(name)} could not be saved.",
                "Free some space and try again.",
                (MINI,),
            ) from error
        raise _offline(name, error) from error
    except (OfflineModeIsEnabled, HfHubHTTPError) as error:
        raise _offline(name, error) from error
    except Exception as error:  # the HTTP library under huggingface_hub has changed twice, its errors with it
        if type(error).__module__.partition(".")[0].rstrip("0123456789") in {"httpx", "httpcore", "requests", "urllib"}:
            raise _offline(name, error) from error
        raise


def _offline(name: str, error: Exception) -> ModelError:
    return ModelError(
        "offline",
        f"{title_of(name)} could not be downloaded.",
        f"It is not on this machine, nor is there a folder of that name here, and the Hugging Face hub did not answer "
        f'({type(error).__name__}). Check the network and try again, or chat with the embedded model: "mini".',
        (MINI,),
    )


Progress = Callable[[str, "float | None"], None]
