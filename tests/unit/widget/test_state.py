"""The state of a page: which keys of it changed since a revision; none is ever missed."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import pytest
from builders import chat_model

from dialogpt_widget import Chat
from dialogpt_widget.widget.state import PageState


class Shown:
    """A view that keeps what it was told."""

    status: Any = None
    error: Any = None
    height: Any = None

    def __init__(self) -> None:
        self.published: list[set[str]] = []

    def publish(self, keys: Iterable[str]) -> None:
        self.published.append(set(keys))

    def post(self, content: Any, buffers: list[bytes] | None = None) -> None:
        """Gets no frames here."""


@pytest.fixture
def view() -> Shown:
    return Shown()


@pytest.fixture
def state(view: Shown) -> PageState:
    return PageState(Chat(chat_model()), view, {})


def test_keys_are_given_that_were_published_after_a_revision(state: PageState, view: Shown) -> None:
    assert state.changed_since(0) == {"rev": 0, "state": {}}
    state.show("leaf", "turn_0")
    assert view.published == [{"leaf", "turn_0", "tokens_0", "rev"}]
    assert state.changed_since(0) == {"rev": 1, "state": {"leaf": None, "turn_0": None}}
    state.show("leaf")
    assert state.changed_since(1) == {"rev": 2, "state": {"leaf": None}}
    assert state.changed_since(2) == {"rev": state.revision, "state": {}}


def test_who_asks_while_others_publish_misses_nothing(state: PageState) -> None:
    def publish(start: int) -> None:
        for place in range(500):
            state.show(f"turn_{start + place}")

    threads = [threading.Thread(target=publish, args=[start]) for start in (0, 1000)]
    for thread in threads:
        thread.start()
    seen: list[str] = []
    reached = 0
    while len(seen) < 1000:
        changed = state.changed_since(reached)
        reached = changed["rev"]
        seen += changed["state"]
    assert len(set(seen)) == len(seen) == reached


def test_traits_that_stay_as_they_are_are_not_published(state: PageState, view: Shown) -> None:
    state.show(status={"phase": "ready"})
    state.show(status={"phase": "ready"})
    assert view.published == [{"status", "rev"}]


def test_a_closed_state_shows_nothing(state: PageState, view: Shown) -> None:
    state.closed = True
    state.show("leaf", error={"kind": "failed"})
    assert (view.published, view.error) == ([], None)
