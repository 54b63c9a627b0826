"""A variant in a process of its own.

Threads of several libraries in one process slow each other down: GNU's OpenMP has its threads sleep between two pieces
of work as soon as they are more than there are processors.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.variants import Timed, Variant


class SequentialBatch(Variant):
    """Stands for a variant that another process makes and runs; times are taken there.

    Args:
        make: makes it, of `arguments`.
    """

    def __init__(self, make: Callable[..., Variant], *arguments: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        context.Process(target=_serve, args=(theirs, make, arguments), daemon=True).start()
        theirs.close()
        self.name, self.exact = self._heard()

    def prepare(self, ids: Sequence[int]) -> None:
        self._ask("prepare", list(ids))

    def reply(self, ids: Sequence[int], count: int) -> Timed:
        made: Timed = self._ask("reply", list(ids), count)
        return made

    def _ask(self, method: str, *arguments: Any) -> Any:
        self._pipe.send((method, arguments))
        return self._heard()

    def _heard(self) -> Any:
        answer = self._pipe.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer


def _serve(pipe: Connection, make: Callable[..., Variant], arguments: Sequence[Any]) -> None:
    try:
        variant = make(*arguments)
        pipe.send((variant.name, variant.exact))
        while True:
            method, given = pipe.recv()
            pipe.send(getattr(variant, method)(*given))
    except EOFError:
        return
    except Exception as error:
        pipe.send(error)
