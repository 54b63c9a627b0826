"""What each reply saw, as its page knows it."""

from __future__ import annotations

import itertools

from page import Page

from dialogpt_widget import ChatWidget, Settings
from dialogpt_widget.engine.model import ChatModel


def test_the_page_knows_of_each_reply_what_it_saw_and_what_had_fallen_out(model: ChatModel) -> None:
    widget = ChatWidget(model, settings=Settings(seed=1, max_new_tokens=8, max_context=48))
    page = Page(widget)
    for text in ("Hello", "How are you?", "And the soup?", "Where?", "When?", "I like long messages, " * 5):
        widget.send(text)
    widget.fork(widget.path[-1], 1, 65)
    path = page.turns()
    lost, cut = 0, 0
    for place, turn in enumerate(path):
        if turn["role"] == "user":
            assert turn["made"] is None
            continue
        own, first = widget.conversation[turn["id"]], turn["made"]["first"]
        seen = list(itertools.dropwhile(lambda one, first=first: one["id"] != first, path[:place]))  # type: ignore[misc]
        assert [one["id"] for one in seen] == list(own.context)
        assert turn["made"]["seen"] == len(widget._session.chat.state.seen(own))
        lost += len(seen) < place
        cut += sum(one["tokens"] + 1 for one in seen) > turn["made"]["seen"]
    assert lost > 1
    assert cut == 1
    widget.close()
