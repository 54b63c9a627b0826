"""Errors in words for people, and the checks of arguments that raise them."""

from __future__ import annotations

import difflib
import functools
import inspect
import reprlib
from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any, Literal, ParamSpec

from dialogpt_widget.settings import Settings

Kind = Literal["offline", "not_found", "damaged", "memory", "unsupported", "disk", "failed"]


class ModelError(RuntimeError):
    """A model could not be loaded or run.

    Attributes:
        kind: what it is, for code.
        title: what happened, in a sentence.
        message: why, and what to do next.
        offers: names of models that would work instead.
    """

    def __init__(self, kind: Kind, title: str, message: str, offers: tuple[str, ...] = ()) -> None:
        super().__init__(f"{title} {message}")
        self.kind = kind
        self.title = title
        self.message = message
        self.offers = offers

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a traceback; `__cause__` keeps what came before it."""
        return [f"{type(self).__name__}: {self}"]


def first_line(error: BaseException) -> str:
    """What an exception says, in a line for people; its type where it says nothing."""
    said = str(error).strip()
    return said.splitlines()[0][:300] if said else type(error).__name__


P = ParamSpec("P")


def explain_keywords(init: Callable[P, None]) -> Callable[P, None]:
    """Makes a constructor say of an unknown keyword where it belongs: into `settings`, or what it may have meant."""
    known = list(inspect.signature(init).parameters)[1:]
    name = init.__qualname__.partition(".")[0]

    @functools.wraps(init)
    def explained(*args: P.args, **keywords: P.kwargs) -> None:
        unknown = [keyword for keyword in keywords if keyword not in known]
        if unknown:
            raise TypeError(_where_it_belongs(name, unknown, keywords, known))
        init(*args, **keywords)

    return explained


def check_settings(settings: object) -> Settings:
    """The settings, if they are.

    Raises:
        TypeError: they are something else.
    """
    if not isinstance(settings, Settings):
        given = type(settings).__name__
        raise TypeError(f"settings is a Settings, not {given}: Settings(temperature=0.7), say, or Settings(**a_dict).")
    return settings


def check_text(text: object) -> str:
    """The text, if it is one.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(text, str):
        raise TypeError(f"A text is a string, not {type(text).__name__}.")
    return text


def check_ids(ids: object) -> None:
    """Refuses what is no list of token ids.

    Raises:
        TypeError: text, an array, or something in it that is no whole number.
    """
    whole = isinstance(ids, Sequence) and all(isinstance(token, (int, Integral)) for token in ids)
    if not whole or isinstance(ids, (str, bytes)):
        raise TypeError(
            f"ids are a list of whole numbers, not {reprlib.repr(ids)}: write model.encode(text) + [model.eos] for a "
            "text, array.tolist() for an array."
        )


def check_show(show: object) -> None:
    """Refuses to show text with what is neither None nor a function.

    Raises:
        TypeError: it is something else.
    """
    if show is not None and not callable(show):
        raise TypeError(f"show is a function that is given each piece of text, such as print, not {show!r}.")


def _where_it_belongs(owner: str, unknown: list[str], keywords: dict[str, Any], known: list[str]) -> str:
    settings = [keyword for keyword in unknown if keyword in Settings.__dataclass_fields__]
    if settings:
        values = ", ".join(f"{keyword}={keywords[keyword]!r}" for keyword in settings)
        return f"{owner} takes how replies are decoded as settings: write settings=Settings({values})."
    near = difflib.get_close_matches(unknown[0], known, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"{owner} takes no {unknown[0]!r}.{hint} It takes {', '.join(known)}."


def check_token(token: object, vocabulary: int) -> int:
    """Returns a token's id, checked.

    Args:
        token: what may be an id.
        vocabulary: how many ids there are.

    Raises:
        ValueError: it is no id.
    """
    if type(token) is not int or not 0 <= token < vocabulary:
        raise ValueError(f"Ids are from 0 to {vocabulary - 1}, not {token!r}.")
    return token
