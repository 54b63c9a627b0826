"""The models known by name: what they are called, what is said of them, how large they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dialogpt_widget.settings import Settings

MINI = "mini"
MINI_FOLDER = Path(__file__).resolve().parent.parent / "mini"
MEDIUM = "microsoft/DialoGPT-medium"


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
_SHORT = {name.rsplit("-", 1)[-1]: name for name in KNOWN if name != MINI}


def full_name(name: str) -> str:
    """`small`, `medium` and `large` are DialoGPT's; every other name stays as it is."""
    return _SHORT.get(name, name)


def recommended(name: str) -> Settings:
    """The settings that a chat begins with: the defaults, but for what suits a model better.

    mini was trained on sequences of at most 256 tokens, and is sharper at a lower temperature.
    """
    return Settings(temperature=0.6, max_context=256) if name == MINI else Settings()


def title_of(name: str) -> str:
    """A model's name for people."""
    return KNOWN[name].title if name in KNOWN else name.rstrip("/\\").replace("\\", "/").rsplit("/", 1)[-1]


def about(name: str) -> str:
    """What a model is, in a line."""
    return KNOWN[name].about if name in KNOWN else "Completes text; not a person."
