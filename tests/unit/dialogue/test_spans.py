"""Each token's part of the shown text."""

from __future__ import annotations

import pytest
from builders import byte_tokenizer
from hypothesis import given
from hypothesis import strategies as st

from dialogpt_widget.dialogue.detokenize import clean, clean_places, token_lengths
from dialogpt_widget.engine.tokenizer import TransformersTokenizer

spaced = st.text(st.sampled_from("ab 😀é.?!,n't'sreve\n")) | st.lists(
    st.sampled_from(["I", " 'm", " n't", " ,", " .", "  ", "😀", " ok", "\n"])
).map("".join)


@given(spaced)
def test_every_place_of_a_text_has_one_in_the_cleaned_text(text: str) -> None:
    places, cleaned = clean_places(text), clean(text)
    assert len(places) == len(text) + 1
    assert places == sorted(places)
    assert (places[0], places[-1]) == (0, len(cleaned))
    kept = [text[place] for place in range(len(text)) if places[place + 1] > places[place]]
    assert "".join(kept) == cleaned


@given(spaced)
def test_lengths_add_up_to_the_text_in_utf_16(text: str) -> None:
    codec = TransformersTokenizer(byte_tokenizer())
    stream = codec.stream()
    pieces = [stream.add(token) for token in codec.encode(text)]
    assert "".join(pieces) == text
    for shown in (text, clean(text)):
        lengths = token_lengths(pieces, shown)
        assert lengths is not None
        assert len(lengths) == len(pieces)
        assert sum(lengths) == len(shown.encode("utf-16-le")) // 2


@pytest.mark.parametrize(
    ("pieces", "text", "lengths"),
    [
        (["It", " 's", " fine", " ."], "It's fine.", [2, 2, 5, 1]),
        ([" Hi", "", "", "", "😀"], "Hi😀", [2, 0, 0, 0, 2]),
        (["Hi", " "], "Hi", [2, 0]),
        (["Hi"], "Something else", None),
        ([], "", []),
    ],
)
def test_what_belongs_to_whom(pieces: list[str], text: str, lengths: list[int] | None) -> None:
    assert token_lengths(pieces, text) == lengths
