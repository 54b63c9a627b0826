"""Updates are numbered, so that a page knows when it has missed one."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from builders import chat_model
from page import Page

from dialogpt_widget import ChatWidget, Settings


@pytest.fixture
def widget() -> Iterator[ChatWidget]:
    made = ChatWidget(chat_model(), settings=Settings(seed=1, max_new_tokens=6))
    yield made
    made.close()


def test_the_state_begins_with_the_number_of_the_last_update(widget: ChatWidget) -> None:
    widget.send("Hello")
    late = Page(widget)
    assert late.state["rev"] == late.ask("sync")["rev"] > 0


def test_each_update_has_the_next_number_whichever_thread_sends_it(widget: ChatWidget) -> None:
    page = Page(widget)
    before = page.state["rev"]

    def resize() -> None:
        for height in range(100, 150):
            widget.height = height

    threads = [threading.Thread(target=resize) for _ in range(3)]
    for thread in threads:
        thread.start()
    widget.send("one")
    widget.send("two")
    for thread in threads:
        thread.join()
    numbers = [state["rev"] for method, state in page.messages if method == "update"]
    assert numbers == list(range(before + 1, before + 1 + len(numbers)))


def test_an_answer_tells_the_number_of_what_it_has_brought_about(widget: ChatWidget) -> None:
    page = Page(widget)
    widget.send("one")
    before = page.state["rev"]
    assert page.ask("clear")["rev"] == page.state["rev"] == before + 1
    assert page.ask("select", turn=99)["rev"] == before + 1


def test_the_whole_state_holds_all_that_its_number_tells_of(widget: ChatWidget) -> None:
    page, whole = Page(widget), []
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            whole.append(widget.get_state())

    reader = threading.Thread(target=read)
    reader.start()
    for text in ("one", "two", "three"):
        widget.send(text)
    ended.set()
    reader.join()
    told = [state for method, state in page.messages if method == "update"]
    for state in whole:
        before = [update for update in told if update["rev"] <= state["rev"]]
        assert {key for update in before for key in update} <= set(state)
        assert state["leaf"] is None or state["leaf"] >= max((update.get("leaf") or 0 for update in before), default=0)
