"""A chat at work in a notebook: messages queue, the worker answers them, the page is told."""

from __future__ import annotations

import asyncio
from concurrent.futures import wait
from typing import TYPE_CHECKING

from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.chat.model_handle import ModelSource
from dialogpt_widget.dialogue.nbest import NBest
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.widget import present, wire
from dialogpt_widget.widget.item import Item, View
from dialogpt_widget.widget.keys import SELECTION, key_of, nbest_key_of
from dialogpt_widget.widget.worker import Worker
from dialogpt_widget.widget.working import FORGOTTEN, Working

if TYPE_CHECKING:
    from dialogpt_widget.engine.model import ChatModel


class Session(Working):
    """The work behind one widget: what is asked for, queued, answered or taken back."""

    def __init__(self, chat: Chat, view: View, *, inspect: bool = True) -> None:
        super().__init__(chat, view, inspect=inspect)
        self._begun = False

    @property
    def reused(self) -> int | None:
        """Tokens before the reply at the end of the path that were in the cache; None if it is not the newest one."""
        newest, reused = self._reused
        return reused if newest == self.chat.conversation.leaf else None

    def waiting(self) -> list[wire.Queued]:
        """What the page shows as queued; what is about to begin is not."""
        starts = self._active if self.chat.model is not None and not self._ahead else None
        return [item.shown() for item in self._queue if item is not starts]

    def begin(self) -> None:
        """Loads the model in the background, once."""
        with self._lock:
            if self._begun or self.closed:
                return
            self._begun = True
            worker = self._worker
            if worker.source.model is None:
                self.show(status=present.status("loading", f"Loading {present.info(worker.source.name)['title']}"))
            worker.submit(lambda: self._prepare(worker))

    def put(self, item: Item) -> Item:
        """Takes something to answer; it waits for what came before it.

        Raises:
            RuntimeError: the widget is closed, or the caller is a callback of the running reply.
        """
        with self._lock:
            if self.closed:
                raise RuntimeError("This widget is closed. Make a new one to go on.")
            if item.paced and self._worker.is_current_thread:
                raise RuntimeError("A callback of a reply cannot wait for another reply; use a thread, or asend.")
            self._queue.append(item)
            self._begun, self._failed = True, None
            self.show(error=None)
            self._next()
            self.show("queue")
        return item

    def wait(self, item: Item) -> Turn:
        """Waits for a reply and posts its frames meanwhile. Ctrl-C stops it.

        Raises:
            KeyboardInterrupt: after the reply has been stopped and kept.
            RuntimeError: the one before it is paused.
        """
        try:
            while not wait([item.done], timeout=wire.FRAME_INTERVAL).done:
                self.frames.post_due()
                self._refuse_behind_pause(item)
        except KeyboardInterrupt:
            if self.withdraw(item.id) is None:
                item.stop.set()
                wait([item.done])
            raise
        return item.done.result()

    async def wait_async(self, item: Item) -> Turn:
        """Waits for a reply without blocking the event loop; cancelling stops it."""
        try:
            return await asyncio.shield(asyncio.wrap_future(item.done))
        except asyncio.CancelledError:
            if self.withdraw(item.id) is None:
                item.stop.set()
            raise

    def stop(self) -> None:
        """Stops the running reply before the model's next step, also one that waits for other chats on the model."""
        active = self._active
        if active is not None and (active not in self._queue or self._ahead):
            active.stop.set()
            self.chat.pace.wake()
            self._skip(stopped=True)

    def withdraw(self, item_id: str) -> Item | None:
        """Takes back what has not begun; None if it has."""
        with self._lock:
            item = next((item for item in self._queue if item.id == item_id), None)
            if item is not None:
                self._queue.remove(item)
                item.done.set_exception(RuntimeError("The message was withdrawn before it was answered."))
                self.show("queue")
        self._skip()
        return item

    def retry(self) -> None:
        """Tries again what failed: the loading, or the last reply."""
        with self._lock:
            if self._failed is not None:
                self._queue.insert(0, self._failed.again())
            self._failed = None
            self._go_on()

    def use(self, model: str | ChatModel, precision: str | None = None) -> None:
        """Goes on with another model or precision, loaded in the background; the conversation stays.

        Raises:
            RuntimeError: a reply is running.
            ValueError: that is not a precision.
        """
        with self._lock:
            if self._active is not None and self._active not in self._queue:
                raise RuntimeError("A reply is running: stop it first, then choose another model.")
            chat = self.chat
            revision = chat.revision if precision else None
            chat.use(model, device=chat.device, precision=precision or chat.precision, revision=revision)
            self._worker = self._find_worker()
            self._go_on()
            self.show("info", "models", "precisions", "settings", "settings_schema", "meter", "rerank")
        self._skip()

    def close(self) -> None:
        """Stops what runs, refuses what waits, lets go of the model."""
        with self._lock:
            self.closed = True
            for item in self._queue:
                item.done.set_exception(RuntimeError("The widget was closed before this was answered."))
            self._queue.clear()
            if self._active is not None:
                self._active.stop.set()
                self.chat.pace.wake()
            self._worker = Worker(ModelSource(self.chat.model_name))
            self.chat.unload()
        self._skip()

    def pick(self, made: NBest | int, place: int) -> Turn:
        """Makes one of several replies a version in the tree, if it is none yet, and selects it."""
        with self._lock:
            turn = self.chat.pick(made, place)
            self.show(key_of(turn), *SELECTION)
        return turn

    def rank(self, made: NBest | int | None = None) -> NBest:
        """Ranks several replies anew by what chooses now."""
        ranked = self.chat.rank(made)
        self.show(nbest_key_of(ranked))
        return ranked

    def forget(self, turn: Turn | int) -> tuple[Turn, ...]:
        """Erases a turn and all that follows it, with what waits for one of those; returns what was erased."""
        with self._lock:
            before = {made.id for made in self.chat.conversation.nbests}
            gone = self.chat.forget(turn)
            for item in [item for item in self._queue if item.about(gone)]:
                self._queue.remove(item)
                item.done.set_exception(RuntimeError(FORGOTTEN))
            if self._failed is not None and self._failed.about(gone):
                self._failed = None
            lists = [f"{wire.NBEST_KEY}{list_id}" for list_id in before]
            self.show(*map(key_of, gone), *lists, "queue", *SELECTION)
        self._skip()
        return gone

    def _go_on(self) -> None:
        self._begun = False
        self.show(status=present.status("idle", ""), error=None)
        self._next()
        if self._active is None:
            self.begin()
