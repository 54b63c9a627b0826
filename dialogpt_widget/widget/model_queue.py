"""Who may use a model: jobs of every chat on that model, one at a time, in order."""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque
from collections.abc import Callable

from dialogpt_widget.chat.chat_state import ModelSource
from dialogpt_widget.chat.pace import POLL_INTERVAL
from dialogpt_widget.chat.reply import ModelLease
from dialogpt_widget.engine.loading.machine import release_helpers

Moved = Callable[["Ticket"], object]


class Ticket:
    """A place in the line for a model: of a job that has not begun, or of one that goes on."""

    def __init__(self, queue: ModelQueue, thread: threading.Thread, moved: Moved | None) -> None:
        self.queue, self.thread, self.moved = queue, thread, moved

    @property
    def ahead(self) -> int:
        """Number of jobs that come first; 0 once the ticket is served or withdrawn."""
        return self.queue.ahead(self)

    def skip(self) -> None:
        """Lets a waiting job begin without the model, which it is not going to use."""
        self.queue.skip(self)


class ModelQueue:
    """Gives a model to one job after the other. Each has a thread of its own, which lives as long as the job.

    A job may release the model for a while and acquire it again; those that have come meanwhile go first.

    Attributes:
        source: gives the model, so that every chat on it shares one copy.
    """

    def __init__(self, source: ModelSource) -> None:
        self.source = source
        self._line: deque[Ticket] = deque()
        self._changed = threading.Condition()
        self._holder: threading.Thread | None = None
        self._threads: set[threading.Thread] = set()

    def submit(self, job: Callable[[], object], moved: Moved | None = None) -> Ticket:
        """Queues a job.

        Args:
            job: what to run when it is its turn.
            moved: called with its ticket while others are ahead, whenever their number has changed.
        """
        name = f"dialogpt {self.source.name}"
        return self._join(threading.Thread(target=self._work, args=(job,), name=name, daemon=True), moved)

    @property
    def is_current_thread(self) -> bool:
        """Whether the caller is one of this queue's own jobs."""
        return threading.current_thread() in self._threads

    def ahead(self, ticket: Ticket) -> int:
        """See `Ticket.ahead`."""
        with self._changed:
            return self._line.index(ticket) + 1 if ticket in self._line else 0

    def skip(self, ticket: Ticket) -> None:
        """See `Ticket.skip`."""
        with self._changed:
            if ticket not in self._line or ticket.thread in self._threads:
                return
            self._line.remove(ticket)
            self._start(ticket.thread)
            behind = list(self._line)
        _tell(behind)

    def acquire(self, stop: threading.Event, moved: Moved | None = None) -> bool:
        """Blocks until the calling job holds the model. Returns False if stopped first.

        Args:
            stop: ends the waiting.
            moved: as for `submit`.
        """
        own = threading.current_thread()
        if self._holder is own:
            return True
        if stop.is_set():
            return False
        ticket = self._join(own, moved)
        with self._changed:
            while self._holder is not own and not stop.is_set():
                self._changed.wait(POLL_INTERVAL)
            if self._holder is own:
                return True
            self._line.remove(ticket)
            behind = list(self._line)
        _tell(behind)
        return False

    def release(self) -> None:
        """Gives the model to the next in line; does nothing where the caller does not hold it."""
        with self._changed:
            if self._holder is not threading.current_thread():
                return
            release_helpers()
            self._holder = None
            behind = self._serve()
        _tell(behind)

    def _join(self, thread: threading.Thread, moved: Moved | None) -> Ticket:
        ticket = Ticket(self, thread, moved)
        with self._changed:
            self._line.append(ticket)
            self._serve()
            waits = ticket in self._line
        if waits:
            _tell([ticket])
        return ticket

    def _serve(self) -> list[Ticket]:
        """Gives the model to the first in line, if nobody holds it; returns who has moved up thereby."""
        if self._holder is not None or not self._line:
            return []
        self._holder = self._line.popleft().thread
        if self._holder in self._threads:
            self._changed.notify_all()
        else:
            self._start(self._holder)
        return list(self._line)

    def _start(self, thread: threading.Thread) -> None:
        self._threads.add(thread)
        thread.start()

    def _work(self, job: Callable[[], object]) -> None:
        try:
            job()
        finally:
            self.release()
            with self._changed:
                self._threads.discard(threading.current_thread())


class QueuedLease(ModelLease):
    """Lease of a model that other chats use too, for the reply of a job.

    Args:
        queue: of the model.
        moved: called with the reply's ticket whenever that has moved up, and with None once the reply goes on.
    """

    def __init__(self, queue: ModelQueue, moved: Callable[[Ticket | None], object]) -> None:
        self._queue, self._moved = queue, moved
        self._told = False

    def acquire(self, stop: threading.Event) -> bool:
        """Blocks until the model may be used; see `ModelLease.acquire`."""
        began = time.monotonic()
        acquired = self._queue.acquire(stop, self._wait_on)
        if self._told:
            self._told = False
            self.waited += time.monotonic() - began
            self._moved(None)
        return acquired

    def release(self) -> None:
        """Lets others use the model."""
        self._queue.release()

    def _wait_on(self, ticket: Ticket) -> None:
        self._told = True
        self._moved(ticket)


def _tell(tickets: list[Ticket]) -> None:
    """Tells who waits; nothing is locked meanwhile, so what a ticket says of itself may be newer."""
    for ticket in tickets:
        if ticket.moved:
            ticket.moved(ticket)


class ModelQueues:
    """Finds the queue of a model, so that chats on the same model share it. It lives as long as one of them."""

    def __init__(self) -> None:
        self._known: weakref.WeakValueDictionary[object, ModelQueue] = weakref.WeakValueDictionary()
        self._lock = threading.Lock()

    def of(self, source: ModelSource) -> ModelQueue:
        """The queue of a loaded model, or of a name with its device, precision and revision."""
        named = (source.name, source.device, source.precision, source.revision)
        key = named if source.model is None else id(source.model)
        with self._lock:
            queue = self._known.get(key)
            if queue is None:
                queue = self._known[key] = ModelQueue(source)
            return queue


MODEL_QUEUES = ModelQueues()  # the one thing shared by all widgets of a kernel: each would load a model of its own
