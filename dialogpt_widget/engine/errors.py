"""What goes wrong between a model's name and a model that answers, in words for people."""

from __future__ import annotations

from typing import Literal

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
