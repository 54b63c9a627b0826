"""A page that is reloaded at any moment of a reply ends up showing what the kernel holds."""

from __future__ import annotations

import random

import pytest

from .jupyter import InLab

RELOADS = 20
LENGTHS = (
    40,
    160,
)  # words at 30 a second: a short reply is over when the page is back, a long one still runs


@pytest.mark.timeout(600)
@pytest.mark.parametrize("running", ["lab7"], indirect=True)
def test_a_chat_survives_twenty_reloads_at_random_moments(host: InLab) -> None:
    moments = random.Random(7)
    replies = [LENGTHS[number % len(LENGTHS)] for number in range(RELOADS)]
    view = host.chat(f"ChatWidget(Scripted([words(count) for count in {replies}], rate=30))")
    host.command("docmanager:save")
    for number, words in enumerate(replies):
        view.send(f"Number {number}, please.")
        host.page.wait_for_timeout(moments.uniform(0, 1000 * words / 30))
        host.open()
        view.wait_for_replies(number + 1)
        assert view.texts() == host.said()
        assert len(view.texts()) == 2 * (number + 1)
