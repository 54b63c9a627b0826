"""Whose turn it is at a model."""

from __future__ import annotations

import threading


class Floor:
    """What a reply asks before each step of its model; this one, of a model that nobody shares, never has it wait.

    Attributes:
        waited: seconds that it had to.
    """

    waited = 0.0

    def take(self, stop: threading.Event) -> bool:
        """Waits until the model may be used, which it then may until `leave`.

        Args:
            stop: ends the waiting.

        Returns:
            Whether it may.
        """
        del stop
        return True

    def leave(self) -> None:
        """Lets others use the model; does nothing where it may not be used anyway."""
