"""What waits to be answered, and what a session needs of the widget that shows it."""

from __future__ import annotations

import dataclasses
import threading
import uuid
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from dialogpt_widget.chat.pace import PaceCommand
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.widget.wire import Kind, Queued

if TYPE_CHECKING:
    from dialogpt_widget.chat.candidates import Side
    from dialogpt_widget.chat.chat import Chat
    from dialogpt_widget.chat.reply import NBestRun, Reply


class View(Protocol):
    """The widget, as its session sees it."""

    status: Any
    error: Any

    def publish(self, keys: Iterable[str]) -> None:
        """Sends some keys of the state in one message."""

    def post(self, content: Any, buffers: list[bytes] | None = None) -> None:
        """Sends a frame."""


@dataclass(eq=False, slots=True)
class Item:
    """Something to answer.

    Attributes:
        kind: a message, or another version of a turn.
        text: the message, or what a message is edited to.
        turn: the turn that gets another version; None for a new message.
        sides: what is to be compared.
        index, token: where a reply is forked, and the id that is put there.
        awaited: whether code waits for the outcome; else the page shows it.
        paced: whether the waiting thread posts the frames: while a cell runs, some hosts show only what its own
            thread sends.
        first: the command with which the reply begins, paused; None where it begins as others do.
        asked: the user's turn that was said for it, once it is.
        made: the reply, once there is one.
        stop: set, it ends the reply before the model's next step.
        done: the reply, or why there is none.
    """

    kind: Kind
    text: str = ""
    turn: Turn | None = None
    index: int = 0
    token: int = 0
    sides: Sequence[Side] = ()
    awaited: bool = False
    paced: bool = False
    first: PaceCommand | None = None
    asked: Turn | None = None
    made: Reply | NBestRun | None = None
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    stop: threading.Event = field(default_factory=threading.Event)
    done: Future[Turn] = field(default_factory=Future)

    def reply(self, chat: Chat) -> Reply | NBestRun:
        """Says what is to be said and makes the reply, or several, which have not begun.

        Raises:
            UnknownTurnError: the turn was forgotten meanwhile.
            ValueError: it cannot be answered or continued.
        """
        planner, runner = chat.planner, chat.runner
        if self.turn is None or self.kind == "edit":
            if self.asked is None:
                self.asked = runner.say(self.text) if self.turn is None else runner.rewrite(self.turn, self.text)
            make = planner.reply if self.first else planner.answer
            return make(self.asked, self.stop, said=True)
        if self.kind == "fork":
            return planner.fork(self.turn, self.index, self.token, self.stop)
        if self.kind == "compare":
            return planner.comparison(self.sides, self.turn, self.stop)
        if self.kind == "continue":
            return planner.continuation(self.turn, self.stop)
        return planner.reply(self.turn, self.stop) if self.first else planner.answer(self.turn, self.stop)

    def settle(self, outcome: Turn | BaseException) -> None:
        """Tells who waits the reply, or why there is none. The first word counts."""
        if self.done.done():
            return
        if isinstance(outcome, BaseException):
            self.done.set_exception(outcome)
        else:
            self.done.set_result(outcome)

    def about(self, turns: Sequence[Turn]) -> bool:
        """Whether it is about one of these turns."""
        return self.turn in turns or self.asked in turns

    def again(self) -> Item:
        """The same once more, for the page."""
        return dataclasses.replace(
            self, awaited=False, paced=False, first=None, made=None, stop=threading.Event(), done=Future()
        )

    def shown(self) -> Queued:
        """What the page shows while it waits."""
        text = self.text or (self.turn.text if self.turn else "")
        return {"id": self.id, "kind": self.kind, "text": text, "turn": self.turn.id if self.turn else None}
