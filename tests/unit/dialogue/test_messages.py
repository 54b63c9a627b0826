"""What may be said."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogpt_widget.dialogue.turn import MAX_MESSAGE_BYTES, check_message, well_formed

any_text = st.text(st.characters(exclude_categories=()))


@given(any_text)
def test_well_formed_text_can_always_be_encoded(text: str) -> None:
    fixed = well_formed(text)
    fixed.encode()
    assert well_formed(fixed) == fixed
    if not any("\ud800" <= character <= "\udfff" for character in text):
        assert fixed == text


def test_a_lone_surrogate_becomes_visible_and_a_pair_its_character() -> None:
    assert well_formed("a\ud83db") == "a\ufffdb"
    assert well_formed("\ude00") == "\ufffd"
    assert well_formed("\ud83d\ude00") == "😀"
    assert check_message("hi \ud800") == "hi \ufffd"


@pytest.mark.parametrize("text", ["", " ", "\n\t\u00a0"])
def test_an_empty_message_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="empty"):
        check_message(text)


@pytest.mark.parametrize("text", [None, 3, b"hi", ["hi"]])
def test_what_is_no_string_is_refused(text: Any) -> None:
    with pytest.raises(TypeError, match=f"A message is a string, not {type(text).__name__}"):
        check_message(text)


@pytest.mark.parametrize(("letter", "size"), [("a", 1), ("é", 2), ("😀", 4)])
def test_the_limit_counts_bytes(letter: str, size: int) -> None:
    longest = letter * (MAX_MESSAGE_BYTES // size)
    assert check_message(longest) == longest
    with pytest.raises(ValueError, match="at most 64 kB"):
        check_message(longest + letter)


def test_a_megabyte_is_refused_with_its_size() -> None:
    with pytest.raises(ValueError, match="The message has 1,000 kB") as caught:
        check_message("a" * 1_000_000)
    assert "token" not in str(caught.value), "the window depends on model and settings"
