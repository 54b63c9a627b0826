"""The line for a model: one at a time, in the order of coming, and nobody is left standing."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any

from page import GUARD

from dialogpt_widget.widget.model_queue import ModelQueue, Ticket


def worker() -> ModelQueue:
    source: Any = type("Source", (), {"name": "none", "model": None})()
    return ModelQueue(source)


def done(*events: threading.Event) -> None:
    for event in events:
        assert event.wait(GUARD)


def job(act: Callable[[], object]) -> tuple[Callable[[], None], threading.Event]:
    """A job, and what is set once it has ended."""
    ended = threading.Event()

    def run() -> None:
        try:
            act()
        finally:
            ended.set()

    return run, ended


def test_one_uses_the_model_at_a_time_however_often_it_is_given_up() -> None:
    own, using, most, steps = worker(), [0], [0], [0]

    def act(chance: random.Random, stop: threading.Event) -> None:
        for _ in range(50):
            if own.acquire(stop):
                using[0] += 1
                most[0] = max(most[0], using[0])
                time.sleep(0)
                using[0] -= 1
                steps[0] += 1
            if chance.random() < 0.5:
                own.release()

    made = [job(lambda n=n: act(random.Random(n), threading.Event())) for n in range(8)]  # type: ignore[misc]
    for run, _ in made:
        own.submit(run)
    done(*(ended for _, ended in made))
    assert (most[0], steps[0]) == (1, 400)


def test_who_has_given_the_model_up_goes_behind_those_who_have_come_meanwhile() -> None:
    own, order, told = worker(), [], []
    left, begun, come, moved = (threading.Event() for _ in range(4))

    def first() -> None:
        own.release()
        left.set()
        done(come)
        own.acquire(threading.Event(), lambda place: (told.append(place.ahead), moved.set()))
        order.append("first")

    def second() -> None:
        begun.set()
        done(moved)
        order.append("second")

    made = [job(first), job(second), job(lambda: order.append("third"))]
    own.submit(made[0][0])
    done(left)
    own.submit(made[1][0])
    done(begun)
    own.submit(made[2][0])
    come.set()
    done(*(ended for _, ended in made))
    assert order == ["second", "third", "first"]
    assert told[0] == 2, "what a place says of itself later may be newer than the telling"


def test_a_job_that_breaks_or_is_stopped_in_the_line_holds_up_nobody() -> None:
    own, begun, go, stop = worker(), threading.Event(), threading.Event(), threading.Event()
    taken: list[bool] = []

    def holds() -> None:
        begun.set()
        assert go.wait(GUARD)

    def waits() -> None:
        own.release()
        done(begun)
        taken.append(own.acquire(stop))

    places: list[Ticket] = []
    first, second, third = job(waits), job(holds), job(lambda: taken.append(own.acquire(threading.Event())))
    own.submit(first[0])
    own.submit(second[0])
    done(begun)
    own.submit(third[0], places.append)
    assert places[-1].ahead > 0
    stop.set()
    done(first[1])
    assert taken == [False]
    assert places[-1].ahead == 1
    go.set()
    done(second[1], third[1])
    assert taken == [False, True]
    assert places[-1].ahead == 0


def test_a_job_that_does_not_need_the_model_does_not_wait_for_it() -> None:
    own, begun, go = worker(), threading.Event(), threading.Event()

    def holds() -> None:
        begun.set()
        assert go.wait(GUARD)

    first, second, third = job(holds), job(lambda: None), job(lambda: None)
    own.submit(first[0])
    done(begun)
    place = own.submit(second[0])
    behind: list[int] = []
    own.submit(third[0], lambda own: behind.append(own.ahead))
    place.skip()
    place.skip()
    done(second[1])
    assert behind == [2, 1]
    go.set()
    done(first[1], third[1])
