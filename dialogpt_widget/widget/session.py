"""A chat at work in a notebook: messages queue, the worker answers them, the page is told."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import wait
from typing import TYPE_CHECKING, Any

from dialogpt_widget.chat import Chat
from dialogpt_widget.dialogue.conversation import UnknownTurnError
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.engine.errors import ModelError
from dialogpt_widget.engine.source import ModelSource
from dialogpt_widget.reply import Reply
from dialogpt_widget.widget import present, wire
from dialogpt_widget.widget.item import Item, View
from dialogpt_widget.widget.stage import Stage
from dialogpt_widget.widget.worker import WORKERS, Worker

if TYPE_CHECKING:
    from dialogpt_widget.engine.model import ChatModel

_log = logging.getLogger(__name__)
_PROGRESS_INTERVAL = 0.1  # seconds
_FORGOTTEN = "What this was to answer has been forgotten."

SELECTION = ("leaf", "next_id", "can_undo", "meter")  # what another selected path changes on the page


class Session(Stage):
    """The work behind one widget.

    Attributes:
        chat: the conversation and its model.
    """

    def __init__(self, chat: Chat, view: View) -> None:
        super().__init__(view)
        self.chat = chat
        self._queue: list[Item] = []
        self._active: Item | None = None
        self._failed: Item | None = None
        self._begun = False
        self._ahead = 0
        self._speed: float | None = None
        self._told = 0.0
        self._worker = self._find_worker()

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
        """
        try:
            while not wait([item.done], timeout=wire.FRAME_INTERVAL).done:
                self.frames.post_due()
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
        """Stops the running reply before the model's next step."""
        active = self._active
        if active is not None and active not in self._queue:
            active.stop.set()

    def withdraw(self, item_id: str) -> Item | None:
        """Takes back what has not begun; None if it has."""
        with self._lock:
            item = next((item for item in self._queue if item.id == item_id), None)
            if item is not None:
                self._queue.remove(item)
                item.done.set_exception(RuntimeError("The message was withdrawn before it was answered."))
                self.show("queue")
            return item

    def retry(self) -> None:
        """Tries again what failed: the loading, or the last reply."""
        with self._lock:
            if self._failed is not None:
                self._queue.insert(0, self._failed.again())
            self._failed = None
            self._go_on()

    def use(self, model: str | ChatModel) -> None:
        """Goes on with another model, which is loaded in the background; the conversation stays.

        Raises:
            RuntimeError: a reply is running.
        """
        with self._lock:
            if self._active is not None and self._active not in self._queue:
                raise RuntimeError("A reply is running: stop it first, then choose another model.")
            self.chat.use(model, device=self.chat.device, precision=self.chat.precision)
            self._worker = self._find_worker()
            self._go_on()
            self.show("info", "models", "settings", "settings_schema", "meter")

    def close(self) -> None:
        """Stops what runs, refuses what waits, lets go of the model."""
        with self._lock:
            self.closed = True
            for item in self._queue:
                item.done.set_exception(RuntimeError("The widget was closed before this was answered."))
            self._queue.clear()
            if self._active is not None:
                self._active.stop.set()
            self._worker = Worker(ModelSource(self.chat.model_name))
            self.chat.unload()

    def forget(self, turn: Turn | int) -> tuple[Turn, ...]:
        """Erases a turn and all that follows it, with what waits for one of those; returns what was erased."""
        with self._lock:
            gone = self.chat.forget(turn)
            for item in [item for item in self._queue if item.about(gone)]:
                self._queue.remove(item)
                item.done.set_exception(RuntimeError(_FORGOTTEN))
            if self._failed is not None and self._failed.about(gone):
                self._failed = None
            self.show(*map(key_of, gone), "queue", *SELECTION)
        return gone

    def _go_on(self) -> None:
        self._begun = False
        self.show(status=present.status("idle", ""), error=None)
        self._next()
        if self._active is None:
            self.begin()

    def _next(self) -> None:
        with self._lock:
            if self._active is not None or not self._queue or self.closed:
                return
            item = self._active = self._queue[0]
            worker = self._worker
            worker.submit(lambda: self._answer(item, worker), self._moved)

    # On the worker's thread

    def _prepare(self, worker: Worker) -> None:
        try:
            self._load(worker)
        except BaseException as error:
            self._fail(None, error)

    def _load(self, worker: Worker) -> None:
        if worker is self._worker and worker.source.model is None:
            self.show(status=present.status("loading", f"Loading {present.info(worker.source.name)['title']}"))
            worker.source.load(self._progress)
        if worker is not self._worker:
            return
        self.chat.load_model()
        self._ahead = 0
        self.show("info", "meter", "queue", status=self._ready())

    def _answer(self, item: Item, worker: Worker) -> None:
        reply: Reply | None = None
        try:
            self._load(worker)
            with self._lock:
                if item not in self._queue or worker is not self._worker:
                    return
                self._queue.remove(item)
            reply = item.reply(self.chat)
            self.chat.begin(reply)
            self.frames.begin(reply.id)
            busy = present.status("generating", "", turn=reply.id, parent=reply.parent.id, speed=self._speed)
            self.show(key_of(reply.parent), "queue", *SELECTION, status=busy)
            began = time.perf_counter()
            settled = self.chat.run(reply, lambda piece: self._piece(piece, item))
            self._speed = len(reply.tokens) / max(time.perf_counter() - began, 1e-6)
            self._settled(settled, status=self._ready())
            item.done.set_result(settled)
        except UnknownTurnError:  # it was forgotten in the moment in which its reply began
            self._settled(status=self._ready())
            item.done.set_exception(RuntimeError(_FORGOTTEN))
        except BaseException as error:
            self._settled(item.asked, reply.turn() if reply else None)
            self._fail(item, error)
        finally:
            with self._lock:
                self._active = None
                if self.error is None:
                    self._next()

    def _piece(self, piece: str, item: Item) -> None:
        self.frames.add(piece)
        if not item.paced:
            self.frames.post_due()

    def _settled(self, *turns: Turn | None, **status: Any) -> None:
        self.frames.end()
        kept = [turn for turn in turns if turn is not None and turn.id in self.chat.conversation]
        self.show(*map(key_of, kept), *SELECTION, **status)

    def _fail(self, item: Item | None, problem: BaseException) -> None:
        expected = isinstance(problem, ModelError)
        _log.log(logging.INFO if expected else logging.ERROR, "A reply failed.", exc_info=problem)
        with self._lock:
            if item is not None and item not in self._queue:
                self._failed = item
                item.done.set_exception(problem)
            for waiting in [waiting for waiting in self._queue if waiting.awaited]:
                self._queue.remove(waiting)
                waiting.done.set_exception(problem)
            self._ahead = 0
            self.show("queue", status=present.status("error", ""), error=present.error(problem))

    def _progress(self, what: str, share: float | None) -> None:
        now = time.monotonic()
        if share in (None, 0.0, 1.0) or now - self._told >= _PROGRESS_INTERVAL:
            self._told = now
            self.show(status=present.status("loading", what, progress=share))

    def _moved(self, ahead: int) -> None:
        if self._worker.source.model is None:
            return  # what is ahead is the loading of the model, which has a status of its own
        self._ahead = ahead
        others = "another reply" if ahead == 1 else f"{ahead} other replies"
        self.show("queue", status=present.status("waiting", f"Waiting for {others} on this model", ahead=ahead))

    def _ready(self) -> wire.Status:
        return present.status("ready", "", speed=self._speed)

    def _find_worker(self) -> Worker:
        chat = self.chat
        worker = WORKERS.of(ModelSource(chat.model_name, chat.device, chat.precision, chat.revision, chat.model))
        chat.source = worker.source.load
        return worker


def key_of(turn: Turn) -> str:
    """The key of the state under which the page finds a turn."""
    return f"{wire.TURN_KEY}{turn.id}"
