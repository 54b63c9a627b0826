"""What a chat costs on the way from the kernel to the page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from .lab import Lab
from .notebook import Notebook, View
from .wiretap import Wiretap

RATE = 200  # tokens a second, which is 5 ms a token
RUNS = 3
FRAMES = 25  # a second, at the most: what a reply costs is counted at this pace, for a busy machine sends fewer or more


class Tapped:
    """A notebook whose connection is listened to."""

    def __init__(self, lab: Lab, page: Page) -> None:
        self.tap = Wiretap(page)
        self.notebook = Notebook(lab, page, "shared.ipynb")

    def chat(self, tokens: int, rate: float, *, history: int = 0, runs: int = RUNS) -> View:
        """A chat that replies with so many tokens, after so many turns."""
        self.notebook.clear()
        talk = f"talk(*['Some words that were said.'] * {history})"
        settings = "Settings(max_context=100_000, max_new_tokens=4096)"
        self.notebook.run(f"model = Scripted([words({tokens})] * {runs}, rate={rate})")
        return self.notebook.chat(f"ChatWidget(model, settings={settings}, conversation={talk})")

    def cost(self, tokens: int, *, history: int = 0) -> int:
        """Bytes that a reply takes, from the message to the settled turn, at `FRAMES` frames a second."""
        view = self.chat(tokens, RATE, history=history)
        costs = []
        for run in range(RUNS):
            self.tap.clear()
            view.send("Count, please.")
            view.wait_for_replies(history // 2 + run + 1)
            self.notebook.ask("1")  # what the kernel sent before has arrived
            heard = [message for message in self.tap.heard if message.kind in ("comm_msg", "status")]
            text = [len(frame["text"]) for message in self.tap.frames if (frame := message.frame)]
            frames = sum(message.size for message in self.tap.frames)
            envelope = (frames - sum(text)) / len(text)
            rest = sum(message.size for message in heard) - frames
            costs.append(round(rest + sum(text) + envelope * FRAMES * tokens / RATE))
        return min(costs)


@pytest.fixture
def tapped(shared: Notebook, lab: Lab, open_page: Callable[..., Page]) -> Tapped:
    return Tapped(lab, open_page())


def test_a_reply_twice_as_long_costs_about_twice_as_much_whatever_was_said_before(
    tapped: Tapped, record_property: Callable[[str, object], None]
) -> None:
    short, long, late = tapped.cost(128), tapped.cost(256), tapped.cost(256, history=100)
    for name, value in (("bytes for 128 tokens", short), ("for 256", long), ("for 256 after 100 turns", late)):
        record_property(name, value)
        print(name, value)
    assert long <= 2.1 * short
    assert late <= 1.05 * long


def test_a_reply_takes_at_most_25_frames_a_second(tapped: Tapped) -> None:
    view = tapped.chat(400, RATE)
    tapped.tap.clear()
    view.send("Count, please.")
    view.wait_for_replies(1)
    times = [heard.sent for heard in tapped.tap.frames]
    assert len(times) >= 10
    assert len(times) - 1 <= 25 * (times[-1] - times[0]).total_seconds()


def test_no_frame_is_lost_at_6000_tokens_a_second(
    tapped: Tapped, record_property: Callable[[str, object], None]
) -> None:
    view = tapped.chat(6000, 6000)
    tapped.tap.clear()
    view.send("Count, please.")
    view.wait_for_replies(1)
    frames = [heard.frame for heard in tapped.tap.frames]
    numbers = [frame["seq"] for frame in frames if frame]
    seconds = tapped.notebook.ask("model.seconds[-1]")
    record_property("tokens a second", round(6001 / seconds))
    print("tokens a second", round(6001 / seconds), "frames", len(frames))
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    said = tapped.notebook.said()
    assert len(said[1]) == 6000 * 5 - 1
    assert said[1].startswith("".join(frame["text"] for frame in frames if frame))
    assert view.texts() == said


def test_a_view_that_missed_frames_asks_for_the_whole_reply(tapped: Tapped) -> None:
    view = tapped.chat(150, 50)
    tapped.notebook.run(
        "post, dropped = chat.post, []\n"
        "def forgetful(content, buffers=None):\n"
        "    lost = content.get('seq') in (5, 6, 7) and 'turn' in content\n"
        "    dropped.append(content) if lost else post(content, buffers)\n"
        "chat.post = forgetful"
    )
    view.send("Count, please.")
    view.wait_for_text(longer_than=300)
    assert view.texts()[1].startswith("".join(f"{place:04d} " for place in range(60)))
    view.wait_for_replies(1)
    assert tapped.notebook.ask("len(dropped)") >= 3
    assert view.texts() == tapped.notebook.said()
