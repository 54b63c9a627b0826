"""Between text and token ids."""

from __future__ import annotations

from typing import Any

import pytest
from builders import EOS, byte_tokenizer, gpt2_tokenizer
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dialogpt_widget.engine import text as texts
from dialogpt_widget.engine.model import ChatModel

TOKENIZERS = {"tiny": byte_tokenizer, "gpt2": gpt2_tokenizer}
any_tokenizer = st.sampled_from(sorted(TOKENIZERS)).map(lambda name: TOKENIZERS[name]())
SPELLINGS = [EOS, f"{EOS}{EOS}", f"a {EOS} b", f"<|endof{EOS}text|>", f"\n{EOS}\n", f"{EOS}é"]


def byte_ids(tokenizer: Any, data: bytes) -> list[int]:
    """The ids of single bytes."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    return [tokenizer.convert_tokens_to_ids(bytes_to_unicode()[byte]) for byte in data]


@pytest.mark.parametrize("text", SPELLINGS)
@pytest.mark.parametrize("name", TOKENIZERS)
def test_a_typed_end_of_text_stays_text(name: str, text: str) -> None:
    tokenizer = TOKENIZERS[name]()
    ids = texts.encode(tokenizer, text)
    assert tokenizer.eos_token_id not in ids
    assert texts.decode(tokenizer, ids) == text


@pytest.mark.parametrize("text", SPELLINGS)
def test_a_typed_end_of_text_stays_text_for_the_embedded_model(mini: ChatModel, text: str) -> None:
    ids = mini.encode(text)
    assert mini.eos not in ids
    assert mini.decode(ids) == text


@given(any_tokenizer, st.text())
@example(gpt2_tokenizer(), "naïve 😀 👨‍👩‍👧\u0000\ufffd")
def test_any_text_comes_back_and_holds_no_special_token(tokenizer: Any, text: str) -> None:
    ids = texts.encode(tokenizer, text)
    assert texts.decode(tokenizer, ids) == text
    assert set(ids).isdisjoint(tokenizer.all_special_ids)


def test_a_tokenizer_that_reads_special_tokens_everywhere_is_outwitted(gpt2: Any) -> None:
    class Stubborn:
        all_special_ids, all_special_tokens = gpt2.all_special_ids, gpt2.all_special_tokens

        def __call__(self, text: str, **options: Any) -> Any:
            return gpt2(text, **options | {"split_special_tokens": False})

    for text in SPELLINGS:
        ids = texts.encode(Stubborn(), text)
        assert gpt2.eos_token_id not in ids
        assert texts.decode(gpt2, ids) == text


def test_published_ids(gpt2: Any) -> None:
    assert texts.encode(gpt2, "Does money buy happiness?") == [13921, 1637, 2822, 12157, 30]
    assert texts.encode(gpt2, "how are you ?") == [4919, 389, 345, 5633]


@st.composite
def streams(draw: st.DrawFn) -> tuple[Any, list[int]]:
    """A tokenizer and ids of it, bytes that are no text among them."""
    tokenizer = draw(any_tokenizer)
    one_id = st.integers(0, len(tokenizer) - 1).map(lambda token: [token])
    some_bytes = st.binary(max_size=6).map(lambda data: byte_ids(tokenizer, data))
    some_text = st.text(max_size=4).map(lambda text: byte_ids(tokenizer, text.encode()))
    parts = draw(st.lists(st.one_of(one_id, some_bytes, some_text), max_size=12))
    return tokenizer, [token for part in parts for token in part]


@settings(max_examples=400)
@given(streams())
@example((gpt2_tokenizer(), byte_ids(gpt2_tokenizer(), b"a\xef\xbf\xbdb")))
@example((gpt2_tokenizer(), byte_ids(gpt2_tokenizer(), b"\xff\xfe\xfd")))
@example((gpt2_tokenizer(), byte_ids(gpt2_tokenizer(), b"\xf0\x9f\x98a\xf0\x9f\x98\x80")))
def test_the_pieces_add_up_to_the_whole(case: tuple[Any, list[int]]) -> None:
    tokenizer, ids = case
    stream = texts.TextStream(tokenizer)
    pieces = [stream.add(token) for token in ids]
    pieces.append(stream.finish())
    assert "".join(pieces) == texts.decode(tokenizer, ids)
    assert stream.text == texts.decode(tokenizer, ids)


@given(any_tokenizer, st.text(max_size=10))
def test_no_piece_holds_half_a_glyph(tokenizer: Any, text: str) -> None:
    text = text.replace("\ufffd", "")
    stream = texts.TextStream(tokenizer)
    shown = ""
    for token in byte_ids(tokenizer, text.encode()):
        shown += stream.add(token)
        assert "\ufffd" not in shown
        assert text.startswith(shown)
    assert shown == text
    assert stream.finish() == ""


def test_a_glyph_comes_with_its_last_byte(gpt2: Any) -> None:
    stream = texts.TextStream(gpt2)
    assert [stream.add(token) for token in byte_ids(gpt2, "é😀".encode())] == ["", "é", "", "", "", "😀"]


def test_a_glyph_that_never_ends_becomes_visible_at_the_end(gpt2: Any) -> None:
    stream = texts.TextStream(gpt2)
    assert [stream.add(token) for token in byte_ids(gpt2, b"a\xf0\x9f")] == ["a", "", ""]
    assert stream.finish() == "\ufffd"
    assert stream.text == "a\ufffd"


def test_a_tokenizer_without_a_rust_backend_streams_too(gpt2: Any) -> None:
    class Slow:
        def decode(self, ids: list[int], **options: Any) -> str:
            return str(gpt2.decode(ids, **options))

    stream = texts.TextStream(Slow())
    ids = byte_ids(gpt2, "a 😀!".encode())
    assert "".join([*map(stream.add, ids), stream.finish()]) == "a 😀!"
