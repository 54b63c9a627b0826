"""The one thread that owns a model: jobs of every chat on that model, one at a time, in order."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from dialogpt_widget.engine.source import ModelSource

Moved = Callable[[int], object]


class Worker:
    """Runs jobs in the order in which they come, on a thread that lives only while there are any.

    Attributes:
        source: gives the model, so that every chat on it shares one copy.
    """

    def __init__(self, source: ModelSource) -> None:
        self.source = source
        self._jobs: deque[tuple[Callable[[], Any], Future[Any], Moved | None]] = deque()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def submit(self, job: Callable[[], Any], moved: Moved | None = None) -> Future[Any]:
        """Queues a job.

        Args:
            job: what to run on the worker's thread.
            moved: called with the number of jobs that are still ahead, whenever it changes.
        """
        done: Future[Any] = Future()
        with self._lock:
            self._jobs.append((job, done, moved))
            ahead = len(self._jobs) - 1 + (self._thread is not None)
            if self._thread is None:
                ahead = 0
                self._thread = threading.Thread(target=self._work, name=f"dialogpt {self.source.name}", daemon=True)
                self._thread.start()
        if ahead and moved:
            moved(ahead)
        return done

    @property
    def is_current_thread(self) -> bool:
        """Whether the caller is one of this worker's own jobs."""
        return threading.current_thread() is self._thread

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._jobs:
                    self._thread = None
                    return
                job, done, _ = self._jobs.popleft()
                waiting = list(self._jobs)
            for place, (_, _, moved) in enumerate(waiting):
                if moved:
                    moved(place + 1)
            try:
                done.set_result(job())
            except BaseException as error:
                done.set_exception(error)
            del job, done, waiting  # an idle worker keeps no chat alive


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
