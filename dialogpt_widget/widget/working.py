"""What a session does on the thread of its model: loads it, says replies, tells what went wrong."""

from __future__ import annotations

import logging
import time
from typing import Any

from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.chat.events import Event, RankingStarted
from dialogpt_widget.chat.reply import NBestRun, Reply
from dialogpt_widget.dialogue.conversation import UnknownTurnError
from dialogpt_widget.dialogue.nbest import NBest
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.errors import ModelError
from dialogpt_widget.widget import present, wire
from dialogpt_widget.widget.item import Item, View
from dialogpt_widget.widget.keys import SELECTION, key_of, nbest_key_of, tokens_key_of
from dialogpt_widget.widget.pacing import Pacing
from dialogpt_widget.widget.rows import rows_of
from dialogpt_widget.widget.worker import WORKERS, Place, Shared, Worker

_log = logging.getLogger(__name__)
_PROGRESS_INTERVAL = 0.1  # seconds
FORGOTTEN = "What this was to answer has been forgotten."


class Working(Pacing):
    """A session at work.

    Attributes:
        inspect: whether the page gets what is known of tokens.
    """

    def __init__(self, chat: Chat, view: View, *, inspect: bool) -> None:
        super().__init__(chat, view)
        self.inspect = inspect
        self._failed: Item | None = None
        self._ahead = 0
        self._place: Place | None = None  # of the active one
        self._speed: float | None = None
        self._reused: tuple[int | None, int | None] = (None, None)  # the newest reply, and what it reused
        self._told = 0.0
        self._ran: present.Ran | None = None  # loaded last, by name
        self._worker = self._find_worker()

    def _next(self) -> None:
        """Begins what waits, if nothing runs."""
        with self._lock:
            if self._active is not None or not self._queue or self.closed:
                return
            item = self._active = self._queue[0]
            worker = self._worker
            self._place = worker.submit(lambda: self._answer(item, worker), self._moved)

    def _prepare(self, worker: Worker) -> None:
        try:
            self._load(worker)
        except BaseException as error:
            for refused in self._fail(None, error, worker):
                refused.settle(error)

    def _load(self, worker: Worker) -> None:
        if worker is self._worker and worker.source.model is None:
            self.show(status=present.status("loading", f"Loading {present.info(worker.source.name)['title']}"))
            worker.source.load(self._progress)
        if worker is not self._worker:
            return
        known = [] if self.chat.model is not None else [tokens_key_of(turn) for turn in self.chat.turns]
        named = self.chat.model is None
        loaded = self.chat.load_model()
        if named:
            self._ran = present.Ran(self.chat.model_name, self.chat.precision, loaded.precision)
        self.chat.replayer.verify()
        with self._lock:
            self._ahead = 0
            self.show("info", "precisions", "meter", "queue", *known, status=self._ready())

    def _answer(self, item: Item, worker: Worker) -> None:
        outcome: Turn | BaseException | None = None
        concerned = [item]
        try:
            outcome = self._said(item, worker)
        except UnknownTurnError:  # it was forgotten in the moment in which its reply began
            outcome = RuntimeError(FORGOTTEN)
            self._settled(status=self._ready())
        except BaseException as error:
            outcome = error
            made = item.made
            self._settled(item.asked, made.turn() if made else None, made=made.made if made else None)
            concerned = self._fail(item, error, worker)
        finally:
            with self._lock:
                if self._active is item:
                    self._active = self._place = None
                    if self.error is None:
                        self._next()
            if outcome is not None:
                for one in concerned:
                    one.settle(outcome)  # only now, so that who has waited finds the session idle

    def _said(self, item: Item, worker: Worker) -> Turn | None:
        """Says the reply; None if it is not to be said, or not by this worker."""
        if item not in self._queue:
            if worker.source.model is not None:
                self._load(worker)  # which also shows that nothing waits any more
            return None
        self._load(worker)
        with self._lock:
            if item not in self._queue or worker is not self._worker:
                return None
            self._queue.remove(item)
        reply = item.made = item.reply(self.chat)
        self.chat.runner.select_question(reply)
        if isinstance(reply, NBestRun):
            self.frames.begin_drafts(reply.id, len(reply.drafts))
        else:
            self.frames.begin(reply.id, rows_of(reply) if self.inspect else None)
        reply.lease = Shared(worker, lambda place: self._held_up(reply, place))
        self.show(key_of(reply.parent), "queue", *SELECTION, status=self._busy(reply))
        began = time.perf_counter()
        settled = self.chat.runner.run(reply, hear=lambda event: self._hear(event, reply, item), first=item.first)
        took = time.perf_counter() - began - self.chat.pace.waited - reply.lease.waited
        self._speed = len(reply.tokens) / max(took, 1e-6)
        self._reused = settled.id, reply.reused
        if reply.model.remark:
            self.show("info")
        self._settled(settled, made=reply.made, status=self._ready())
        return settled

    def _settled(self, *turns: Turn | None, made: NBest | None = None, **status: Any) -> None:
        self.frames.end()
        conversation = self.chat.conversation
        kept = [key_of(turn) for turn in turns if turn is not None and turn.id in conversation]
        lists = [nbest_key_of(made)] if made is not None and made.id in conversation.nbests else []
        self.show(*kept, *lists, *SELECTION, **status)

    def _fail(self, item: Item | None, problem: BaseException, worker: Worker) -> list[Item]:
        """Shows what went wrong; returns whom it concerns, who are yet to be told."""
        expected = isinstance(problem, ModelError)
        _log.log(logging.INFO if expected else logging.ERROR, "A reply failed.", exc_info=problem)
        with self._lock:
            begun = item is not None and item not in self._queue
            if worker is not self._worker and not begun:
                return []  # another model has been chosen, with which they are answered
            refused = [waiting for waiting in self._queue if waiting.awaited]
            for waiting in refused:
                self._queue.remove(waiting)
            if self._active in refused:
                self._active = None
            if item is not None and begun:
                self._failed = item
                refused.append(item)
            self._ahead = 0
            self.show(
                "queue",
                status=present.status("error", ""),
                error=present.error(problem, present.way_back(self._ran, self.chat)),
            )
        return refused

    def _progress(self, what: str, share: float | None) -> None:
        now = time.monotonic()
        if share in (None, 0.0, 1.0) or now - self._told >= _PROGRESS_INTERVAL:
            self._told = now
            self.show(status=present.status("loading", what, progress=share))

    def _moved(self, place: Place) -> None:
        with self._lock:
            ahead = place.ahead
            if ahead and self._worker.source.model is not None:  # else the model is loaded, with a status of its own
                self._ahead = ahead
                self.show("queue", status=present.waiting(ahead))

    def _hear(self, event: Event, reply: Reply | NBestRun, item: Item) -> None:
        super()._hear(event, reply, item)
        if isinstance(event, RankingStarted):
            if not item.paced:
                self.frames.flush()
            detail = f"Ranking {len(reply.drafts)} candidates by {self.chat.reranking.title_for(reply.model.name)}"
            self.show(status=self._busy(reply) | {"detail": detail})

    def _held_up(self, reply: Reply | NBestRun, place: Place | None) -> None:
        """Shows how a reply that has begun, and was slow, waits for other chats to go on."""
        with self._lock:
            ahead = place.ahead if place is not None else 0
            if ahead or place is None:
                waiting = present.waiting(ahead, reply.id, reply.parent.id)
                self.show(status=waiting if ahead else self._busy(reply))

    def _skip(self, *, stopped: bool = False) -> None:
        """Has what is active not wait for the model that it is not going to use; not to be called under the lock."""
        with self._lock:
            place = self._place
            if place is None or not (stopped or self._active not in self._queue or place.worker is not self._worker):
                return
        place.skip()

    def _busy(self, reply: Reply | NBestRun) -> wire.Status:
        drafts = len(reply.drafts) if isinstance(reply, NBestRun) else 0
        turn, parent = reply.id, reply.parent.id
        return present.status("generating", "", turn=turn, parent=parent, speed=self._speed, drafts=drafts)

    def _ready(self) -> wire.Status:
        return present.status("ready", "", speed=self._speed)

    def _find_worker(self) -> Worker:
        chat = self.chat
        worker = WORKERS.of(chat.state.model.source)
        chat.state.model.source = worker.source
        return worker
