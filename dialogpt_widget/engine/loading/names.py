"""The models known by name: how they may be spelled, what is said of them, how large they are."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

from dialogpt_widget.settings import Settings

MINI = "mini"
MINI_FOLDER = Path(__file__).resolve().parents[2] / "mini"
MEDIUM = "microsoft/DialoGPT-medium"
BACKWARD = {MINI: MINI_FOLDER / "backward"}
"""Folders of the backward models that come with models; they read the same ids."""


@dataclass(frozen=True, slots=True)
class Known:
    """A model known before it is loaded.

    Attributes:
        name: as on the hub, or `mini`.
        title: its name for people.
        about: what it is, in a line.
        parameters: how many.
        download: bytes of the weights on the hub (fp16), 0 for what is embedded.
        mapped: whether its weights are safetensors, which are mapped instead of read into memory.
    """

    name: str
    title: str
    about: str
    parameters: int
    download: int
    mapped: bool


_ABOUT = "Completes text the way Reddit did until 2017; not a person."
KNOWN = {
    known.name: known
    for known in (
        Known(
            MINI,
            "mini: 6 M parameters, not DialoGPT",
            "A tiny model; not a person.",
            5_900_000,
            0,
            True,
        ),
        Known("microsoft/DialoGPT-small", "DialoGPT-small", _ABOUT, 124_439_808, 351_000_000, True),
        Known(MEDIUM, "DialoGPT-medium", _ABOUT, 354_823_168, 863_000_000, False),
        Known("microsoft/DialoGPT-large", "DialoGPT-large", _ABOUT, 774_030_080, 1_750_000_000, False),
    )
}
_SHORT = {name.rsplit("-", 1)[-1]: name for name in KNOWN}
_SPELLINGS = _SHORT | {part.lower(): name for name in KNOWN for part in (name, name.rsplit("/", 1)[-1])}
_CLOSE = 0.8  # difflib's ratio; "gpt2-medium" and "t5-small", which are on the hub, come to 0.77
_HUB_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")
_ADDRESS = re.compile(r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)/(\w[\w.-]*/\w[\w.-]*)")
_LONGEST_HUB_NAME = 96  # characters


def full_name(name: str) -> str:
    """The full name of DialoGPT in its sizes and of `mini`; every other name stays as it is.

    `medium`, `Medium` and `DialoGPT-medium` are "microsoft/DialoGPT-medium". A folder that is called so comes first,
    but for `mini`, `small`, `medium` and `large` in small letters.
    """
    if name in _SHORT:
        return _SHORT[name]
    known = _SPELLINGS.get(name.lower())
    return known if known and folder_of(name) is None else name


def near_name(name: str) -> str | None:
    """The name that is probably meant by an address on the hub or a name that looks misspelled, else None.

    A name with an owner does not look so.
    """
    address = _ADDRESS.match(name)
    if address:
        return address[1]
    if "/" in name:
        return None
    meant = _SPELLINGS | {"dialogpt": MEDIUM}
    near = difflib.get_close_matches(name[:_LONGEST_HUB_NAME].lower(), meant, n=1, cutoff=_CLOSE)
    return meant[near[0]].rsplit("-", 1)[-1] if near else None


def folder_of(name: str) -> Path | None:
    """The folder of that name on this machine, if there is one."""
    try:
        folder = Path(name).expanduser()
        return folder if name and folder.is_dir() else None
    except (OSError, RuntimeError, ValueError):  # longer than a path may be, an unknown user's home, a NUL
        return None


def is_hub_name(name: str) -> bool:
    """Whether a model on the hub can have this name."""
    return len(name) <= _LONGEST_HUB_NAME and _HUB_NAME.fullmatch(name) is not None


def recommended(name: str) -> Settings:
    """The settings that a chat begins with: the defaults, but for what suits a model better.

    mini was trained on sequences of at most 256 tokens, and is sharper at a lower temperature.
    """
    return Settings(temperature=0.6, max_context=256) if name == MINI else Settings()


def title_of(name: str) -> str:
    """A model's name for people: of a folder its last part, of an unknown model on the hub all of its name."""
    if name in KNOWN:
        return KNOWN[name].title
    if is_hub_name(name) and folder_of(name) is None:
        return name
    return name.rstrip("/\\").replace("\\", "/").rsplit("/", 1)[-1]


def about(name: str) -> str:
    """What a model is, in a line."""
    return KNOWN[name].about if name in KNOWN else "Completes text; not a person."


BYTES = {"float32": 4.0, "bfloat16": 2.0, "float16": 2.0, "int8": 1.0}


def check_names(device: str, precision: str) -> None:
    """Checks how a device and a precision are spelled, before anything is loaded.

    Raises:
        ValueError: one of them is unknown.
    """
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", str(device)):
        raise ValueError(f'device is "auto", "cpu", "cuda", "cuda:1" or "mps", not {device!r}.')
    if precision != "auto" and precision not in BYTES:
        raise ValueError(f"precision is 'auto' or one of {', '.join(BYTES)}, not {precision!r}.")
