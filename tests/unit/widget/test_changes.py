"""Which keys of the state changed since a revision; none is ever missed."""

from __future__ import annotations

import threading

from dialogpt_widget.widget.changes import Changes


def test_keys_are_given_that_were_published_after_a_revision() -> None:
    changes = Changes()
    assert changes.since(0) == (0, [])
    changes.note(["leaf", "turn_0"])
    first, names = changes.since(0)
    assert names == ["leaf", "turn_0"]
    changes.note(["leaf"])
    assert changes.since(first) == (first + 1, ["leaf"])
    assert changes.since(first + 1) == (first + 1, [])
    assert changes.revision == first + 1


def test_who_asks_while_others_publish_misses_nothing() -> None:
    changes = Changes()

    def publish(start: int) -> None:
        for place in range(500):
            changes.note([f"turn_{start + place}"])

    threads = [threading.Thread(target=publish, args=[start]) for start in (0, 1000)]
    for thread in threads:
        thread.start()
    seen: list[str] = []
    reached = 0
    while len(seen) < 1000:
        reached, names = changes.since(reached)
        seen += names
    assert len(set(seen)) == len(seen) == reached
