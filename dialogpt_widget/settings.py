"""What may be set, with bounds and help: the one source for the panel, the docs and validation."""

from __future__ import annotations

import dataclasses
import difflib
import math
from dataclasses import dataclass, field
from typing import Any, NoReturn

__all__ = ["PRESETS", "Preset", "Settings"]


def _setting(default: Any, low: float | None, high: float | None, group: str, help: str) -> Any:  # noqa: A002
    return field(default=default, metadata={"min": low, "max": high, "group": group, "help": help})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the next reply is decoded. Immutable: a turn keeps the settings it was made with.

    The names are those of transformers' `GenerationConfig`. Penalties and n-grams look at the reply alone, never at
    the history.

    Raises:
        TypeError: a name that is not a setting, or a value of the wrong type.
        ValueError: a value out of bounds; the message says what is allowed.
    """

    max_new_tokens: int = _setting(128, 1, 4096, "length", "Longest reply, in tokens.")
    min_new_tokens: int = _setting(
        1, 0, 4096, "length", "Shortest reply, in tokens: the end of the turn is barred until then."
    )
    do_sample: bool = _setting(
        True, None, None, "sampling", "Draw each token at random. Off: always the most probable one (greedy)."
    )
    temperature: float = _setting(
        1.0, 0.01, 10.0, "sampling", "Divides the logits: below 1 sharpens the distribution, above 1 flattens it."
    )
    top_k: int = _setting(40, 0, 1_000_000, "sampling", "Keep only the k most probable tokens. 0: keep all.")
    top_p: float = _setting(
        0.9, 0.0, 1.0, "sampling", "Keep the fewest tokens whose probabilities add up to p (nucleus). 1: keep all."
    )
    min_p: float = _setting(
        0.0, 0.0, 1.0, "sampling", "Drop tokens less probable than this share of the most probable one. 0: drop none."
    )
    repetition_penalty: float = _setting(
        1.0, 0.1, 10.0, "repetition", "Above 1, makes tokens that the reply already holds less likely. 1: off."
    )
    no_repeat_ngram_size: int = _setting(
        0, 0, 100, "repetition", "No run of this many tokens comes twice in a reply. 0: off."
    )
    seed: int | None = _setting(
        None, 0, 2**53 - 1, "sampling", "Fixes the dice, so that a chat can be repeated. Without: a new seed is drawn."
    )
    max_context: int = _setting(
        1000, 8, 1_000_000, "length", "Window in tokens for history and reply; the model's own limit also holds."
    )
    candidates: int = _setting(
        1,
        1,
        64,
        "candidates",
        "How many replies are sampled for each turn; one of them is chosen, the others are kept.",
    )
    num_beams: int = _setting(
        1, 1, 16, "candidates", "Beam search: how many hypotheses are followed side by side; nothing is drawn. 1: off."
    )
    length_penalty: float = _setting(
        1.0, -3.0, 5.0, "candidates", "Of beam search: above 0 favours long replies, below 0 short ones."
    )

    def __post_init__(self) -> None:
        for spec in dataclasses.fields(self):
            object.__setattr__(self, spec.name, _checked(spec, getattr(self, spec.name)))
        if self.min_new_tokens > self.max_new_tokens:
            raise ValueError(
                f"min_new_tokens={self.min_new_tokens} is more than max_new_tokens={self.max_new_tokens}: "
                "lower the one or raise the other."
            )
        if self.candidates > 1 and self.num_beams > 1:
            raise ValueError(
                f"candidates={self.candidates} are sampled, while num_beams={self.num_beams} draws nothing: "
                "set one of them to 1."
            )

    def replace(self, **changes: Any) -> Settings:
        """A copy with some values changed.

        Raises:
            TypeError: a name that is not a setting.
            ValueError: a value out of bounds.
        """
        return Settings.from_dict(self.to_dict() | changes)

    def to_dict(self) -> dict[str, Any]:
        """The values by name, ready for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Settings:
        """Settings from values by name; what is not named keeps its default.

        Raises:
            TypeError: a name that is not a setting, or a value of the wrong type.
            ValueError: a value out of bounds.
        """
        names = [spec.name for spec in dataclasses.fields(cls)]
        for name in values:
            if name not in names:
                near = difflib.get_close_matches(str(name), names, n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise TypeError(f"{name!r} is not a setting.{hint} Settings are: {', '.join(names)}.")
        return cls(**values)

    @classmethod
    def bounds(cls, name: str) -> tuple[Any, Any]:
        """The least and the greatest value of a setting."""
        limits = cls.__dataclass_fields__[name].metadata
        return limits["min"], limits["max"]

    @classmethod
    def schema(cls) -> list[dict[str, Any]]:
        """One row a setting: `name, type, default, min, max, group, help`; what the panel and the docs are made of."""
        return [
            {"name": spec.name, "type": _type_name(spec), "default": spec.default, **spec.metadata}
            for spec in dataclasses.fields(cls)
        ]


_STAY = ("length", "candidates")  # groups that no preset changes


@dataclass(frozen=True)
class Preset:
    """Settings known by a name.

    Those that it does not name are the defaults; but lengths, the seed and what makes several replies stay as they are.
    """

    name: str
    help: str
    values: dict[str, Any]

    def applied(self, settings: Settings) -> Settings:
        """The settings with this preset chosen."""
        kept = {row["name"]: getattr(settings, row["name"]) for row in Settings.schema() if row["group"] in _STAY}
        return Settings.from_dict(kept | {"seed": settings.seed} | self.values)


PRESETS = (
    Preset("Greedy", "Always the most probable token, as in DialoGPT's model card.", {"do_sample": False}),
    Preset(
        "Nucleus",
        "The most probable tokens that add up to 90 %, however many.",
        {"temperature": 1.0, "top_k": 0, "top_p": 0.9},
    ),
    Preset(
        "gpt2bot",
        "As in the project of that name: top-k 40 and top-p 0.9.",
        {"temperature": 1.0, "top_k": 40, "top_p": 0.9},
    ),
    Preset("Dull", "Temperature 0.3: says what most would say.", {"temperature": 0.3, "top_k": 0, "top_p": 1.0}),
    Preset(
        "Lively", "Temperature 0.8: varied, and mostly to the point.", {"temperature": 0.8, "top_k": 0, "top_p": 1.0}
    ),
    Preset("Wild", "Temperature 1.5: words that nobody expected.", {"temperature": 1.5, "top_k": 0, "top_p": 1.0}),
)


def _refuse(_: Settings, name: str, value: object) -> NoReturn:
    raise AttributeError(
        f"Settings do not change once made. Write chat.settings = chat.settings.replace({name}={value!r})."
    )


Settings.__setattr__ = _refuse  # type: ignore[method-assign,assignment]  # dataclasses' own message names no way out


def _type_name(spec: dataclasses.Field[Any]) -> str:
    return "bool" if isinstance(spec.default, bool) else "float" if isinstance(spec.default, float) else "int"


def _checked(spec: dataclasses.Field[Any], value: Any) -> Any:
    kind = _type_name(spec)
    if spec.default is None and value is None:
        return None
    if kind == "bool":
        if not isinstance(value, bool):
            raise TypeError(f"{spec.name} is True or False, not {value!r}.")
        return value
    value = _number(spec.name, kind, value)
    low, high = spec.metadata["min"], spec.metadata["max"]
    if not low <= value <= high:  # also catches NaN, which compares false with everything
        none = " (or None)" if spec.default is None else ""
        raise ValueError(f"{spec.name} is from {low} to {high}{none}, not {value!r}.")
    return value


def _number(name: str, kind: str, value: Any) -> int | float:
    wrong = TypeError(f"{name} is {'a whole number' if kind == 'int' else 'a number'}, not {value!r}.")
    if type(value).__name__ in ("bool", "bool_") or not hasattr(value, "__float__"):
        raise wrong
    try:
        number = float(value) if kind == "float" else int(value)
    except OverflowError:
        return math.inf  # out of every bound, and the bounds have a message
    except ValueError:
        raise wrong from None
    if kind == "int" and number != value:
        raise wrong
    return number
