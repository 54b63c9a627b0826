"""A widget's reply in slow motion: the worker says it, the page sees how far it is."""

from __future__ import annotations

import weakref
from abc import abstractmethod
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.chat.events import CandidateDelta, Event, TokenRetracted, TokenRevealed
from dialogpt_widget.chat.pace import Pace, PaceCommand
from dialogpt_widget.chat.reply import NBestRun, Reply
from dialogpt_widget.chat.runner import PAUSED
from dialogpt_widget.widget import wire
from dialogpt_widget.widget.item import Item, View
from dialogpt_widget.widget.stage import Stage


class SessionLauncher:
    """Has slow replies run by a session, which is not kept alive by this."""

    def __init__(self, session: Pacing) -> None:
        self._session = weakref.ref(session)

    def begin_with(self, command: PaceCommand) -> Reply:
        """Begins a reply to the path's last message, paused, and blocks until its first command is carried out."""
        return self._own().begin_with(command)

    def wait_for(self, done: Future[Any]) -> None:
        """Blocks until a command is carried out, or a reply has settled; posts frames meanwhile."""
        self._own().wait_for(done)

    def _own(self) -> Pacing:
        session = self._session()
        assert session is not None
        return session


class Pacing(Stage):
    """What a session does when a reply is slow.

    Attributes:
        chat: the conversation and its model.
    """

    def __init__(self, chat: Chat, view: View) -> None:
        super().__init__(view)
        self.chat = chat
        self._queue: list[Item] = []
        self._active: Item | None = None
        self._shown = self.pace
        chat.slow_motion.launcher = SessionLauncher(self)
        chat.pace.on_change(self._pace_changed)

    @property
    def pace(self) -> wire.PaceState:
        """How the running reply is revealed, as the page needs it."""
        pace, running = self.chat.pace, self.chat.running
        return {
            "mode": pace.mode,
            "rate": pace.rate,
            "guessing": pace.guessing,
            "waiting": pace.waiting,
            "count": len(running.tokens) if running else 0,
        }

    def ask(self, command: PaceCommand) -> None:
        """Has the running reply carry out a command, or begins one with it; does not wait for it.

        Raises:
            ValueError: there is nothing to answer.
            RuntimeError: a reply is about to begin.
        """
        with self._lock:
            if self.chat.runner.ask(command) is not None:
                return
            if self._queue or self._active:
                raise RuntimeError("A reply is about to begin: try again in a moment.")
            self.put(Item("regenerate", turn=self.chat.conversation.question(), first=command))

    def begin_with(self, command: PaceCommand) -> Reply:
        """Begins a reply to the path's last message, paused, and blocks until its first command is carried out."""
        asked = self.chat.conversation.question()
        item = self.put(Item("regenerate", turn=asked, first=command, awaited=True, paced=True))
        self._wait(item, command.done, item.done)
        if item.made is None:
            item.done.result()
        assert isinstance(item.made, Reply)
        return item.made

    def wait_for(self, done: Future[Any]) -> None:
        """Blocks until a command is carried out, or a reply has settled; posts frames meanwhile."""
        self._wait(self._active, done)

    @abstractmethod
    def put(self, item: Item) -> Item:
        """Takes something to answer; it waits for what came before it."""

    @abstractmethod
    def withdraw(self, item_id: str) -> Item | None:
        """Takes back what has not begun; None if it has."""

    def _wait(self, item: Item | None, *done: Future[Any]) -> None:
        waited_for = item is not None and item.paced and item.first is None
        if item is not None:
            item.paced = True
        try:
            while not wait(done, wire.FRAME_INTERVAL, FIRST_COMPLETED).done:
                self.frames.post_due()
                if item is not None:
                    self._refuse_behind_pause(item)
        finally:
            if item is not None:
                item.paced = waited_for
            self.frames.flush()

    def _refuse_behind_pause(self, item: Item) -> None:
        if self.chat.pace.waiting and self.withdraw(item.id) is not None:
            raise RuntimeError(PAUSED)

    def _hear(self, event: Event, reply: Reply | NBestRun, item: Item) -> None:
        if isinstance(event, CandidateDelta):
            self.frames.add_to(event.place, event.piece)
        elif isinstance(event, TokenRevealed):
            self.frames.add(event.piece)
        elif isinstance(event, TokenRetracted) and isinstance(reply, Reply):
            self.frames.cut(reply.text, len(reply.prefix.ids) + len(reply.tokens))
        if not item.paced:
            self.frames.post_due()

    def _pace_changed(self, pace: Pace) -> None:
        item = self._active
        if item is not None and not item.paced and pace.waiting:
            self.frames.flush()
        with self._lock:
            state = self.pace
            if self.chat.running is not None and not state["waiting"]:
                state["count"] = self._shown["count"]  # that alone is news only where the reply waits or has ended
            if state != self._shown:
                self._shown = self.pace
                self.show("pace")
