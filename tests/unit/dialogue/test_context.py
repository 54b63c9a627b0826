"""From a path to the ids that the model sees."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from builders import path_of, turn
from hypothesis import given
from hypothesis import strategies as st

from dialogpt_widget.dialogue.context import build_context, window_size
from dialogpt_widget.settings import Settings

EOS = 0
lengths = st.lists(st.integers(1, 60), min_size=1, max_size=40)
windows = st.builds(lambda size, reply: Settings(max_context=size, max_new_tokens=reply), *[st.integers(8, 400)] * 2)


def settings_of(max_context: int = 1000, max_new_tokens: int = 128) -> Settings:
    return Settings(max_context=max_context, max_new_tokens=max_new_tokens)


def flat(path: list[Any]) -> list[int]:
    return [token for turn in path for token in (*turn.ids, EOS)]


def test_every_turn_is_followed_by_eos() -> None:
    path = [turn(0, (5, 6)), turn(1, (7,), 0, "assistant"), turn(2, (8, 9, 10), 1)]
    context = build_context(path, EOS, Settings())
    assert context.ids == (5, 6, EOS, 7, EOS, 8, 9, 10, EOS)
    assert context.turns == (0, 1, 2)
    assert (context.dropped, context.cut, context.reason) == ((), 0, None)


def test_the_published_prompt_ids(gpt2: Any) -> None:
    texts = ("hello", "Hi there!", "how are you ?")
    path = [turn(place, tuple(gpt2(text)["input_ids"])) for place, text in enumerate(texts)]
    ids = build_context(path, gpt2.eos_token_id, Settings()).ids
    assert ids == (31373, 50256, 17250, 612, 0, 50256, 4919, 389, 345, 5633, 50256)


def test_nothing_has_been_said() -> None:
    context = build_context([], EOS, Settings())
    assert (context.ids, context.turns) == ((), ())


@pytest.mark.parametrize(
    ("max_context", "max_new_tokens", "positions", "window", "room"),
    [(1000, 128, 1024, 1000, 128), (1000, 500, 1024, 1000, 128), (5000, 20, 1024, 1024, 20), (100, 128, None, 100, 50)],
)
def test_the_window_keeps_room_for_a_reply(
    max_context: int, max_new_tokens: int, positions: int | None, window: int, room: int
) -> None:
    settings = settings_of(max_context, max_new_tokens)
    context = build_context(path_of([3]), EOS, settings, positions)
    assert (context.window, context.room) == (window, room)
    assert window_size(settings, positions) == window


def test_whole_oldest_turns_leave_until_three_quarters_are_full() -> None:
    path = path_of([9] * 9)  # ten ids each with EOS
    settings = settings_of(100, 10)
    assert build_context(path, EOS, settings).dropped == ()  # 90 of the 90 that room leaves
    longer = build_context([*path, turn(9, (1,) * 9, 8, "assistant"), turn(10, (2,) * 9)], EOS, settings)
    assert longer.dropped == (0, 1, 2, 3)
    assert longer.turns == (4, 5, 6, 7, 8, 9, 10)
    assert longer.ids == tuple(flat(path[4:])) + (1,) * 9 + (EOS,) + (2,) * 9 + (EOS,)
    assert longer.reason is not None
    assert "4 earlier turns" in longer.reason


def test_a_message_longer_than_the_window_keeps_its_tail() -> None:
    path = [*path_of([3, 3]), turn(2, tuple(range(500, 600)), 1)]
    context = build_context(path, EOS, settings_of(40, 10))
    assert context.ids == (*range(571, 600), EOS)
    assert context.turns == (2,)
    assert context.dropped == (0, 1)
    assert context.cut == 71
    assert context.reason is not None
    assert "71" in context.reason


@given(lengths, windows, st.sampled_from([None, 8, 64, 1024]))
def test_history_and_room_never_exceed_the_window(sizes: list[int], settings: Settings, positions: int | None) -> None:
    context = build_context(path_of(sizes), EOS, settings, positions)
    assert len(context.ids) + context.room <= context.window
    assert context.window <= min(settings.max_context, positions or settings.max_context)
    assert 1 <= context.room <= min(128, settings.max_new_tokens)


@given(lengths, windows)
def test_the_context_is_the_end_of_the_whole_history(sizes: list[int], settings: Settings) -> None:
    path = path_of(sizes)
    context = build_context(path, EOS, settings)
    whole = flat(path)
    assert list(context.ids) == whole[len(whole) - len(context.ids) :]
    assert (*context.dropped, *context.turns) == tuple(range(len(path)))
    kept = flat(path[len(context.dropped) :])
    assert context.cut == len(kept) - len(context.ids)
    assert context.cut == 0 or len(context.turns) == 1


@given(lengths, windows)
def test_turns_leave_only_when_the_window_overflows_and_then_far_enough(sizes: list[int], settings: Settings) -> None:
    path = path_of(sizes)
    dropped = 0
    for end in range(1, len(path) + 1):
        if path[end - 1].role != "user":
            continue  # only what is answered overflows the window
        context = build_context(path[:end], EOS, settings)
        held = len(flat(path[dropped:end]))
        limit = context.window - context.room
        if held <= limit:
            assert len(context.dropped) == dropped
        else:
            goal = min(limit, context.window * 3 // 4)
            assert len(context.ids) <= goal or len(context.turns) == 1
            assert len(flat(path[len(context.dropped) - 1 : end])) > goal or len(context.dropped) == dropped
        dropped = len(context.dropped)


@given(lengths, windows)
def test_the_start_of_the_context_moves_forward_only(sizes: list[int], settings: Settings) -> None:
    path = path_of(sizes)
    asked = [end for end in range(1, len(path) + 1) if path[end - 1].role == "user"]
    contexts = [build_context(path[:end], EOS, settings) for end in asked]
    for before, after in pairwise(contexts):
        assert after.dropped[: len(before.dropped)] == before.dropped
        if after.dropped == before.dropped and not before.cut and not after.cut:
            assert after.ids[: len(before.ids)] == before.ids


def test_over_300_turns_the_start_moves_once_in_a_while() -> None:
    path = path_of([10] * 300)
    settings = settings_of(1000, 128)
    starts = [len(build_context(path[:end], EOS, settings).dropped) for end in range(1, 301, 2)]
    assert starts == sorted(starts)
    assert starts[-1] > 200
    assert len(set(starts)) < 30
    assert len({build_context(path[:299], EOS, settings) for _ in range(2)}) == 1


@given(st.integers(1, 30), st.integers(8, 12), st.integers(1, 4096))
def test_the_tiniest_windows_still_hold_something(length: int, size: int, reply: int) -> None:
    context = build_context(path_of([length, 2, length]), EOS, settings_of(size, reply))
    assert context.ids
    assert context.ids[-1] == EOS
    assert len(context.ids) <= size - context.room
