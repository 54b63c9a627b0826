"""Whatever happens to a file, it is refused with a ValueError or gives a conversation that everything works on."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from samples import contents, saved_text

from dialogpt_widget.dialogue import exports, files
from dialogpt_widget.dialogue.tokens import TokenTable

json_values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=()), max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
far_numbers = st.sampled_from([-1, 0, 1, 2, 5, 10, 2**31, 2**32, 2**63, 2**64, 10**30, 1e300, 0.5, True])


def outcome(text: str) -> str:
    """What became of a text; fails on anything that is neither refused nor sound."""
    try:
        saved = files.parse(text)
    except ValueError as error:
        return "refused" if len(str(error).encode()) < 1000 else "refused at too great length"
    conversation = saved.conversation
    ids = {turn.id for turn in conversation.turns}
    for turn in conversation.turns:
        assert turn.parent is None or turn.parent in ids
        assert set(turn.context) <= {seen.id for seen in conversation.path_to(turn)}
        assert turn in conversation.siblings(turn)
        assert turn in conversation.select(turn)
    again = files.parse(files.dump(saved))
    assert contents(again.conversation) == contents(conversation)
    for write in (exports.to_markdown, exports.to_messages, exports.to_dataset):
        write(conversation, branches=True).encode()
    TokenTable.of_turns(conversation.turns, 0, 300, path=False).to_pandas()
    return "sound"


@functools.cache
def content() -> Any:
    return json.loads(saved_text())


@functools.cache
def places() -> list[tuple[Any, ...]]:
    """The way to every value in the file, of a turn's ids to the first alone."""

    def ways(value: Any, way: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for step, inner in items:
            yield (*way, step)
            yield from ways(inner, (*way, step))

    return [way for way in ways(content(), ()) if way[2:3] != ("ids",) or way[3:] in ((), (0,))]


def test_the_file_itself_is_sound() -> None:
    assert outcome(saved_text()) == "sound"


@settings(max_examples=250)
@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 255)), min_size=1, max_size=3))
def test_a_file_with_changed_bytes(changes: list[tuple[int, int]]) -> None:
    data = bytearray(saved_text().encode())
    for place, byte in changes:
        data[place % len(data)] ^= byte
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return
    assert outcome(text) in ("refused", "sound")


@settings(max_examples=60)
@given(st.integers(0, 10**7), st.integers(1, 2000))
def test_a_file_that_was_cut_off_or_lost_a_piece(place: int, length: int) -> None:
    text = saved_text()
    place %= len(text)
    assert outcome(text[:place]) == "refused"
    outcome(text[:place] + text[place + length :])


edits = st.tuples(
    st.sampled_from(range(len(places()))),
    st.sampled_from(["delete", "set", "swap", "repeat"]),
    json_values | far_numbers,
)


@settings(max_examples=400)
@given(st.lists(edits, min_size=1, max_size=3))
def test_a_file_with_changed_values(changes: list[tuple[int, str, Any]]) -> None:
    changed = json.loads(saved_text())
    for place, how, value in changes:
        *way, last = places()[place]
        try:
            at = functools.reduce(lambda inner, step: inner[step], way, changed)
            if how == "delete":
                del at[last]
            elif how == "set":
                at[last] = value
            elif how == "swap":
                at[last] = functools.reduce(lambda inner, step: inner[step], places()[place // 2], content())
            elif isinstance(at, list):
                at.insert(last, at[last])
        except (LookupError, TypeError):
            continue  # an earlier change took it away
    assert outcome(json.dumps(changed)) in ("refused", "sound")
