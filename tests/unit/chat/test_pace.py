"""The pace of a reply: who is asked before a token is revealed, and how long that takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogpt_widget.chat.pace import Pace, PaceCommand

GUARD = 60  # seconds after which a test that waits in vain is ended
TOKEN: Any = object()


class Held:
    """Another thread in which a reply asks what becomes of one token."""

    def __init__(self, pace: Pace) -> None:
        self.stop = threading.Event()
        self.moves: list[str] = []
        self._thread = threading.Thread(target=lambda: self.moves.append(pace.next(TOKEN, self.stop).kind))
        self._thread.start()

    def outcome(self) -> str:
        self._thread.join(GUARD)
        return self.moves[0]


@pytest.fixture
def pace() -> Pace:
    pace = Pace()
    pace.begin(vocabulary=10)
    return pace


def held(pace: Pace) -> Held:
    """A token that is held until somebody wants it revealed."""
    held = Held(pace)
    while not pace.waiting:
        time.sleep(0.001)
    return held


def test_a_reply_that_runs_never_waits_and_costs_next_to_nothing(pace: Pace) -> None:
    stop = threading.Event()
    began = time.perf_counter()
    for _ in range(100_000):
        pace.next(TOKEN, stop)
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        (lambda pace: pace.step(), "reveal"),
        (lambda pace: pace.back(), "back"),
        (lambda pace: pace.force(3), "force"),
        (lambda pace: pace.run(), "reveal"),
        (lambda pace: pace.play(50), "reveal"),
        (lambda pace: pace.finish(), "reveal"),
    ],
)
def test_a_paused_reply_waits_for_a_move(pace: Pace, act: Callable[[Pace], object], kind: str) -> None:
    pace.pause()
    waiting = held(pace)
    assert waiting.moves == []
    act(pace)
    assert waiting.outcome() == kind
    assert not pace.waiting


def test_a_move_is_done_when_the_next_token_is_held_or_the_reply_has_ended(pace: Pace) -> None:
    pace.pause()
    waiting = held(pace)
    first, second, third = pace.step(), pace.step(), pace.back()
    assert waiting.outcome() == "reveal"
    assert not first.done.done()
    assert Held(pace).outcome() == "reveal"
    assert first.done.result() is TOKEN
    pace.end()
    assert (second.done.result(), third.done.result()) == (TOKEN, None)


def test_stop_ends_the_waiting(pace: Pace) -> None:
    pace.pause()
    waiting = held(pace)
    waiting.stop.set()
    assert not pace.waiting
    assert waiting.outcome() == "end"


def test_playing_keeps_its_rate_and_follows_a_new_one(pace: Pace) -> None:
    stop = threading.Event()
    pace.play(50)
    began = time.perf_counter()
    for _ in range(6):
        pace.next(TOKEN, stop)
    assert 5 / 50 <= time.perf_counter() - began < 2
    pace.play(0.1)
    waiting = Held(pace)
    assert not pace.waiting
    pace.play(50)
    assert waiting.outcome() == "reveal"


@pytest.mark.parametrize("rate", [0, -1, 0.09, 50.1, float("nan"), float("inf"), True, "4", None])
def test_a_rate_out_of_bounds_is_refused_and_changes_nothing(pace: Pace, rate: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="tokens a second"):
        pace.play(rate)
    assert (pace.mode, pace.rate) == ("run", 4.0)


@pytest.mark.parametrize("token", [-1, 10, 2.0, True, None])
def test_an_id_that_does_not_exist_is_refused(pace: Pace, token: Any) -> None:
    with pytest.raises(ValueError, match="0 to 9"):
        pace.force(token)
    assert pace.mode == "run"


def test_a_token_is_guessed_before_it_is_revealed_however_fast_the_reply_is(pace: Pace) -> None:
    pace.guessing = True
    for choose in (pace.run, pace.pause, lambda: pace.play(50)):
        choose()
        waiting = held(pace)
        with pytest.raises(RuntimeError, match="guessed first"):
            pace.step()
        made, move = pace.guess(lambda: "judged")
        assert made == "judged"
        assert waiting.outcome() == "reveal"
        assert move.said is TOKEN


def test_a_guess_needs_a_token_that_is_held(pace: Pace) -> None:
    with pytest.raises(RuntimeError, match="no token to guess"):
        pace.guess(lambda: None)


def test_what_is_asked_of_no_reply_is_not_done() -> None:
    pace = Pace()
    assert pace.step().done.result(0) is None
    pace.back()
    pace.finish()
    assert pace.mode == "run"
    pace.begin(10)
    assert pace.next(TOKEN, threading.Event()).kind == "reveal"


def test_a_step_pauses_its_reply_alone(pace: Pace) -> None:
    pace.play(2)
    pace.step()
    assert pace.mode == "step"
    pace.end()
    assert (pace.mode, pace.rate) == ("play", 2)
    pace.begin(10, PaceCommand("hold"))
    assert pace.mode == "step"


@given(st.lists(st.sampled_from(["run", "pause", "play", "step", "back", "finish", "guess"]), max_size=12))
def test_listeners_hear_of_each_change_and_no_change_blocks(names: list[str]) -> None:
    pace = Pace()
    seen: list[tuple[str, bool]] = []
    pace.on_change(lambda changed: seen.append((changed.mode, changed.guessing)))
    pace.begin(10)
    for name in names:
        if name == "guess":
            pace.guessing = not pace.guessing
        elif name != "step" or not pace.guessing:
            getattr(pace, name)(*([3.5] if name == "play" else []))
        assert seen[-1] == (pace.mode, pace.guessing)
    pace.end()
