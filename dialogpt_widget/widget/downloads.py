"""The formats in which a chat can be downloaded from its page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Protocol

from dialogpt_widget.dialogue import exports, files
from dialogpt_widget.dialogue.tokens import TokenTable
from dialogpt_widget.widget import protocol


class Page(Protocol):
    """A widget that can be written in every format."""

    @property
    def saved(self) -> files.Saved:
        """What a file of the widget holds."""

    @property
    def tokens(self) -> TokenTable:
        """One row a token."""

    def page(self, *, branches: bool = False) -> str:
        """One web page."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format.

    Attributes:
        title: for people.
        help: what it is good for, in a line.
        ending: of the file's name.
        type: its media type.
        make: the file's content, from the chat and whether all branches are wanted.
        needs: a package without which it cannot be made.
    """

    title: str
    help: str
    ending: str
    type: str
    make: Callable[[Page, bool], str | bytes]
    needs: str | None = None


FORMATS = {
    "conversation": Format(
        "Conversation",
        "With ids, settings and tokens, to open again here",
        "json",
        "application/json",
        lambda chat, branches: files.dump(chat.saved, branches=branches),
    ),
    "html": Format(
        "Web page",
        "Reads offline, in any browser",
        "html",
        "text/html",
        lambda chat, branches: chat.page(branches=branches),
    ),
    "markdown": Format(
        "Markdown",
        "Text to paste",
        "md",
        "text/markdown",
        lambda chat, branches: exports.to_markdown(chat.saved.conversation, branches=branches),
    ),
    "messages": Format(
        "Messages",
        "JSON with role and content",
        "messages.json",
        "application/json",
        lambda chat, branches: exports.to_messages(chat.saved.conversation, branches=branches),
    ),
    "dataset": Format(
        "Dataset rows",
        "JSON lines for Hugging Face datasets",
        "jsonl",
        "application/jsonl",
        lambda chat, branches: exports.to_dataset(chat.saved.conversation, branches=branches),
    ),
    "csv": Format(
        "Tokens, CSV",
        "One row a token of this path",
        "csv",
        "text/csv",
        lambda chat, _: chat.tokens.to_csv(),
        needs="pandas",
    ),
    "parquet": Format(
        "Tokens, Parquet",
        "One row a token of this path, typed",
        "parquet",
        "application/vnd.apache.parquet",
        lambda chat, _: chat.tokens.to_parquet(),
        needs="pyarrow",
    ),
}


def choices() -> list[protocol.Choice]:
    """The formats that can be made here."""
    return [
        {"name": name, "title": some.title, "help": some.help}
        for name, some in FORMATS.items()
        if some.needs is None or find_spec(some.needs)
    ]


def make(chat: Page, name: str, *, branches: bool) -> tuple[Format, bytes]:
    """Makes a file in a format; returns the format and the content.

    Raises:
        RequestError: no such format.
        ImportError: a package for it is not installed.
    """
    if name not in FORMATS:
        raise protocol.RequestError(f"There is no format {name!r}; there are {', '.join(FORMATS)}.")
    content = FORMATS[name].make(chat, branches)
    return FORMATS[name], content.encode() if isinstance(content, str) else content
