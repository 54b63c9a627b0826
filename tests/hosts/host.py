"""What the behaviour suite needs of a host, and the hosts by name."""

from __future__ import annotations

from typing import Any, Protocol

from browser.notebook import View
from playwright.sync_api import Page

HOSTS = ("lab7", "lab6", "notebook7", "marimo", "colab")


class Host(Protocol):
    """A notebook open in a host, with one kernel that has imported `kernel_side`.

    Attributes:
        page: that shows it.
        waits: whether what the page says waits for the running cell.
        loses: whether the host loses what the kernel says of its own accord.
    """

    page: Page
    waits: bool
    loses: bool

    def chat(self, source: str = 'ChatWidget("mini")') -> View:
        """Shows a chat, kept as `chat` in the kernel, once its model is there."""

    def run(self, source: str, *, wait: bool = True) -> Any:
        """Runs a cell; with `wait`, to its end."""

    def ask(self, value: str) -> Any:
        """The value of a Python expression in the kernel, by way of JSON, after the running cell."""

    def said(self) -> list[str]:
        """The texts of `chat.messages` in the kernel."""

    def reload(self) -> None:
        """Loads the page again; the kernel goes on. A view found before finds the chat again."""

    def clear(self) -> None:
        """Takes away all that a test has left."""

    def close(self) -> None:
        """Ends what only this host needs."""
