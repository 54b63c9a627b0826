"""What waits to be answered, and what a session needs of the widget that shows it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

from dialogpt_widget.dialogue.conversation import Turn


class View(Protocol):
    """The widget, as its session sees it."""

    status: Any
    error: Any

    def publish(self, keys: Iterable[str]) -> None:
        """Sends some keys of the state in one message."""

    def post(self, content: Any) -> None:
        """Sends a frame."""


@dataclass(eq=False, slots=True)
class Item:
    """Something to answer: a message that is not said yet, or a turn that is there already.

    Attributes:
        text: the message; None where `turn` is answered again.
        turn: the user's turn, once there is one.
        awaited: whether code waits for the outcome; else the page shows it.
        paced: whether the waiting thread posts the frames: while a cell runs, some hosts show only what its own
            thread sends.
        stop: set, it ends the reply before the model's next step.
        done: the reply, or why there is none.
    """

    text: str | None
    turn: Turn | None = None
    awaited: bool = False
    paced: bool = False
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    stop: threading.Event = field(default_factory=threading.Event)
    done: Future[Turn] = field(default_factory=Future)
