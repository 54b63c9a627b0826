"""From tokenised text to the text that is shown."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dialogpt_widget.dialogue.detokenize import clean, stable_prefix

PIECES = [
    " ",
    " ",
    "n",
    "'",
    "'s",
    "n't",
    "'ve",
    "'re",
    "'ll",
    ".",
    "?",
    "!",
    ",",
    "a",
    "It",
    "do",
    "\n",
    "é",
    "\u00a0",
]
texts = st.one_of(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.text(max_size=20))


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("It 's a comedy .", "It's a comedy."),
        ("I do n't know , do you ?", "I don't know, do you?"),
        ("We 've , they 're , I 'll , I 'm , he 'd !", "We've, they're, I'll, I'm, he'd!"),
        ("It's a comedy.", "It's a comedy."),
        ("  hello  ", "hello"),
        ("say 'sorry' now", "say 'sorry' now"),
        ("the 'dark' side", "the 'dark' side"),
        ("well ...", "well..."),
        ("", ""),
        (" .", "."),
        ("a: b ; c", "a: b ; c"),
    ],
)
def test_examples(raw: str, shown: str) -> None:
    assert clean(raw) == shown


@given(texts)
@example("I 'd , we 've , they 're , he 'll , I 'm , it 's , do n't")
@example("I 'd")
@example("a n't")
@example("I 'dx")
@example("a  .")
@example("x \u0301")
def test_what_has_been_shown_is_never_taken_back(text: str) -> None:
    whole = clean(text)
    for end in range(len(text) + 1):
        shown = stable_prefix(text[:end])
        assert whole.startswith(shown), (text[:end], shown, whole)


@given(texts)
def test_what_is_shown_grows(text: str) -> None:
    shown = [stable_prefix(text[:end]) for end in range(len(text) + 1)]
    assert all(after.startswith(before) for before, after in pairwise(shown))


@given(texts)
def test_little_is_withheld(text: str) -> None:
    assert len(clean(text)) - len(stable_prefix(text)) <= 4


@given(st.text(alphabet="abc xyz", max_size=30))
def test_plain_words_are_left_alone(text: str) -> None:
    assert clean(text) == text.strip()
