"""Who may use a model: jobs of every chat on that model, one at a time, in order."""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque
from collections.abc import Callable

from dialogpt_widget.chat.model_handle import ModelSource
from dialogpt_widget.chat.pace import POLL_INTERVAL
from dialogpt_widget.chat.reply import ModelLease
from dialogpt_widget.engine.loading.machine import let_go

Moved = Callable[["Place"], object]


class Place:
    """A place in the line for a model: of a job that has not begun, or of one that goes on."""

    def __init__(self, worker: Worker, thread: threading.Thread, moved: Moved | None) -> None:
        self.worker, self.thread, self.moved = worker, thread, moved

    @property
    def ahead(self) -> int:
        """How many use the model before; 0 once it is this one's turn, or no longer."""
        return self.worker.ahead(self)

    def skip(self) -> None:
        """Has a job that waits begin without the model: it is not going to use it."""
        self.worker.skip(self)


class Worker:
    """Has jobs wait until it is their turn at the model. Each has a thread of its own, which lives as long as the job.

    A job may give the model up for a while and take it again; those that have come meanwhile go first.

    Attributes:
        source: gives the model, so that every chat on it shares one copy.
    """

    def __init__(self, source: ModelSource) -> None:
        self.source = source
        self._line: deque[Place] = deque()
        self._changed = threading.Condition()
        self._having: threading.Thread | None = None
        self._threads: set[threading.Thread] = set()

    def submit(self, job: Callable[[], object], moved: Moved | None = None) -> Place:
        """Queues a job.

        Args:
            job: what to run when it is its turn.
            moved: called with its place while others are ahead, whenever their number has changed.
        """
        name = f"dialogpt {self.source.name}"
        return self._join(threading.Thread(target=self._work, args=(job,), name=name, daemon=True), moved)

    @property
    def is_current_thread(self) -> bool:
        """Whether the caller is one of this worker's own jobs."""
        return threading.current_thread() in self._threads

    def ahead(self, place: Place) -> int:
        """See `Place.ahead`."""
        with self._changed:
            return self._line.index(place) + 1 if place in self._line else 0

    def skip(self, place: Place) -> None:
        """See `Place.skip`."""
        with self._changed:
            if place not in self._line or place.thread in self._threads:
                return
            self._line.remove(place)
            self._start(place.thread)
            behind = list(self._line)
        _tell(behind)

    def take(self, stop: threading.Event, moved: Moved | None = None) -> bool:
        """Has the job that calls it wait for the model, unless it has it; whether it has it then.

        Args:
            stop: ends the waiting.
            moved: as for `submit`.
        """
        own = threading.current_thread()
        if self._having is own:
            return True
        if stop.is_set():
            return False
        place = self._join(own, moved)
        with self._changed:
            while self._having is not own and not stop.is_set():
                self._changed.wait(POLL_INTERVAL)
            if self._having is own:
                return True
            self._line.remove(place)
            behind = list(self._line)
        _tell(behind)
        return False

    def leave(self) -> None:
        """Has the next in line use the model, if it is the caller who does."""
        with self._changed:
            if self._having is not threading.current_thread():
                return
            let_go()
            self._having = None
            behind = self._serve()
        _tell(behind)

    def _join(self, thread: threading.Thread, moved: Moved | None) -> Place:
        place = Place(self, thread, moved)
        with self._changed:
            self._line.append(place)
            self._serve()
            waits = place in self._line
        if waits:
            _tell([place])
        return place

    def _serve(self) -> list[Place]:
        """Gives the model to the first in line, if nobody has it; who has moved up thereby."""
        if self._having is not None or not self._line:
            return []
        self._having = self._line.popleft().thread
        if self._having in self._threads:
            self._changed.notify_all()
        else:
            self._start(self._having)
        return list(self._line)

    def _start(self, thread: threading.Thread) -> None:
        self._threads.add(thread)
        thread.start()

    def _work(self, job: Callable[[], object]) -> None:
        try:
            job()
        finally:
            self.leave()
            with self._changed:
                self._threads.discard(threading.current_thread())


class Shared(ModelLease):
    """Lease of a model that other chats use too, for a job's reply.

    Args:
        worker: of the model.
        shown: called with the reply's place in the line whenever it has moved there, and with None once it goes on.
    """

    def __init__(self, worker: Worker, shown: Callable[[Place | None], object]) -> None:
        self._worker, self._shown = worker, shown
        self._told = False

    def acquire(self, stop: threading.Event) -> bool:
        """Blocks until the model may be used; see `ModelLease.acquire`."""
        began = time.monotonic()
        taken = self._worker.take(stop, self._moved)
        if self._told:
            self._told = False
            self.waited += time.monotonic() - began
            self._shown(None)
        return taken

    def release(self) -> None:
        """Lets others use the model."""
        self._worker.leave()

    def _moved(self, place: Place) -> None:
        self._told = True
        self._shown(place)


def _tell(places: list[Place]) -> None:
    """Tells who waits; nothing is locked meanwhile, so what a place says of itself may be newer."""
    for place in places:
        if place.moved:
            place.moved(place)


class Workers:
    """Finds the worker of a model, so that chats on the same model share it. It lives as long as one of them."""

    def __init__(self) -> None:
        self._known: weakref.WeakValueDictionary[object, Worker] = weakref.WeakValueDictionary()
        self._lock = threading.Lock()

    def of(self, source: ModelSource) -> Worker:
        """The worker of a loaded model, or of a name with its device, precision and revision."""
        named = (source.name, source.device, source.precision, source.revision)
        key = named if source.model is None else id(source.model)
        with self._lock:
            worker = self._known.get(key)
            if worker is None:
                worker = self._known[key] = Worker(source)
            return worker


WORKERS = Workers()  # the one thing shared by all widgets of a kernel: without it each would load a model of its own
