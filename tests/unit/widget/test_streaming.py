"""FrameStream are paced, numbered and complete."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogpt_widget.widget import streaming as module
from dialogpt_widget.widget.protocol import FRAME_INTERVAL, VERSION
from dialogpt_widget.widget.streaming import FrameStream


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def test_a_frame_brings_what_is_new(clock: Clock) -> None:
    posted: list[Any] = []
    frames = FrameStream(lambda frame, _: posted.append(frame))
    frames.begin(7)
    frames.add("He")
    frames.post_due()
    frames.add("l")
    frames.add("lo")
    clock.now += 1
    frames.post_due()
    assert posted == [
        {"v": VERSION, "seq": 1, "turn": 7, "text": "He"},
        {"v": VERSION, "seq": 2, "turn": 7, "text": "llo"},
    ]


def test_nothing_new_posts_nothing(clock: Clock) -> None:
    posted: list[Any] = []
    frames = FrameStream(lambda frame, _: posted.append(frame))
    frames.post_due()
    frames.begin(1)
    frames.post_due()
    frames.add("a")
    frames.end()
    frames.post_due()
    assert posted == []


def test_the_number_goes_on_over_replies(clock: Clock) -> None:
    posted: list[Any] = []
    frames = FrameStream(lambda frame, _: posted.append(frame))
    for turn in (1, 3):
        frames.begin(turn)
        frames.add("x")
        clock.now += 1
        frames.post_due()
        frames.end()
    assert [(frame["seq"], frame["turn"]) for frame in posted] == [(1, 1), (2, 3)]
    assert frames.snapshot() == (2, None, "", None, [])


@given(st.lists(st.tuples(st.text(max_size=3), st.integers(0, 30)), max_size=60))
def test_at_most_one_frame_an_interval_and_a_snapshot_fits_between_any_two(steps: list[tuple[str, int]]) -> None:
    clock = Clock()
    posted: list[tuple[float, Any]] = []
    before, module.time = module.time, clock  # type: ignore[assignment]
    try:
        frames = FrameStream(lambda frame, _: posted.append((clock.now, frame)))
        frames.begin(1)
        for piece, milliseconds in steps:
            frames.add(piece)
            clock.now += milliseconds / 1000
            frames.post_due()
            now = frames.snapshot()
            assert (now.seq, now.turn) == (len(posted), 1)
            assert now.text == "".join(frame["text"] for _, frame in posted)
    finally:
        module.time = before
    times = [when for when, _ in posted]
    assert all(later - earlier >= FRAME_INTERVAL - 1e-9 for earlier, later in pairwise(times))
    assert "".join(piece for piece, _ in steps).startswith("".join(frame["text"] for _, frame in posted))


@given(st.lists(st.tuples(st.integers(0, 2), st.text(max_size=3), st.integers(0, 60)), max_size=40))
def test_several_replies_grow_in_the_same_frames(steps: list[tuple[int, str, int]]) -> None:
    clock = Clock()
    seen = ["", "", ""]
    said = ["", "", ""]
    before, module.time = module.time, clock  # type: ignore[assignment]

    def take(frame: Any, _: object) -> None:
        assert (frame["turn"], frame["text"]) == (9, "")
        for place, piece in frame["more"]:
            assert piece
            seen[place] += piece

    try:
        frames = FrameStream(take)
        frames.begin_drafts(9, 3)
        for place, piece, milliseconds in steps:
            frames.add_to(place, piece)
            said[place] += piece
            clock.now += milliseconds / 1000
            frames.post_due()
            assert frames.snapshot().drafts == seen
        clock.now += 1
        frames.post_due()
        assert seen == said
        frames.begin(10)
        assert frames.snapshot().drafts == []
    finally:
        module.time = before


def test_a_page_that_asks_for_what_it_missed_gets_several_replies(clock: Clock) -> None:
    frames = FrameStream(lambda *_: None)
    frames.begin_drafts(9, 2)
    frames.add_to(1, "ab")
    assert frames.snapshot().drafts == ["", ""]
    frames.catch_up()
    assert frames.snapshot() == (1, 9, "", None, ["", "ab"])
