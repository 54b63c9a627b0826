"""Between text and token ids."""

from __future__ import annotations

import copy
import functools
from typing import Any

import pytest
from builders import EOS, byte_tokenizer, gpt2_tokenizer
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dialogpt_widget.engine.model import ChatModel
from dialogpt_widget.engine.tokenizer import ChatTokenizer, FastTokenizer, TransformersTokenizer

SPELLINGS = [EOS, f"{EOS}{EOS}", f"a {EOS} b", f"<|endof{EOS}text|>", f"\n{EOS}\n", f"{EOS}é"]
CODECS = ("tiny", "gpt2", "tiny alone", "gpt2 alone")


@functools.cache
def codec(name: str) -> ChatTokenizer:
    """A tokenizer through transformers, or alone."""
    tokenizer = gpt2_tokenizer() if name.startswith("gpt2") else byte_tokenizer()
    if not name.endswith("alone"):
        return TransformersTokenizer(tokenizer)
    return FastTokenizer(copy.deepcopy(tokenizer.backend_tokenizer), tokenizer.eos_token_id)


any_codec = st.sampled_from(CODECS).map(codec)


def byte_ids(some: ChatTokenizer, data: bytes) -> list[int]:
    """The ids of single bytes."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    tokenizer = gpt2_tokenizer() if some in (codec("gpt2"), codec("gpt2 alone")) else byte_tokenizer()
    return [tokenizer.convert_tokens_to_ids(bytes_to_unicode()[byte]) for byte in data]


@pytest.mark.parametrize("text", SPELLINGS)
@pytest.mark.parametrize("name", CODECS)
def test_a_typed_end_of_text_stays_text(name: str, text: str) -> None:
    ids = codec(name).encode(text)
    assert codec(name).eos not in ids
    assert codec(name).decode(ids) == text


@pytest.mark.parametrize("text", SPELLINGS)
def test_a_typed_end_of_text_stays_text_for_the_embedded_model(mini: ChatModel, text: str) -> None:
    ids = mini.encode(text)
    assert mini.eos not in ids
    assert mini.decode(ids) == text


@given(any_codec, st.text())
@example(codec("gpt2 alone"), "naïve 😀 👨‍👩‍👧\u0000\ufffd")
def test_any_text_comes_back_and_holds_no_special_token(some: ChatTokenizer, text: str) -> None:
    ids = some.encode(text)
    assert some.decode(ids) == text
    assert set(ids).isdisjoint(some.special.values())


@given(st.sampled_from(["tiny", "gpt2"]), st.text())
def test_a_tokenizer_alone_reads_as_it_does_in_transformers(name: str, text: str) -> None:
    assert codec(f"{name} alone").encode(text) == codec(name).encode(text)


def test_a_tokenizer_that_reads_special_tokens_everywhere_is_outwitted(gpt2: Any) -> None:
    class Stubborn:
        all_special_ids, all_special_tokens = gpt2.all_special_ids, gpt2.all_special_tokens
        eos_token_id = gpt2.eos_token_id

        def __call__(self, text: str, **options: Any) -> Any:
            return gpt2(text, **options | {"split_special_tokens": False})

    for text in SPELLINGS:
        ids = TransformersTokenizer(Stubborn()).encode(text)
        assert gpt2.eos_token_id not in ids
        assert codec("gpt2").decode(ids) == text


@pytest.mark.parametrize("name", ["gpt2", "gpt2 alone"])
def test_published_ids(name: str) -> None:
    assert codec(name).encode("Does money buy happiness?") == [13921, 1637, 2822, 12157, 30]
    assert codec(name).encode("how are you ?") == [4919, 389, 345, 5633]


@st.composite
def streams(draw: st.DrawFn) -> tuple[ChatTokenizer, list[int]]:
    """A codec and ids of it, bytes that are no text among them."""
    some = draw(any_codec)
    size = 50257 if some in (codec("gpt2"), codec("gpt2 alone")) else 300
    one_id = st.integers(0, size - 1).map(lambda token: [token])
    some_bytes = st.binary(max_size=6).map(lambda data: byte_ids(some, data))
    some_text = st.text(max_size=4).map(lambda text: byte_ids(some, text.encode()))
    parts = draw(st.lists(st.one_of(one_id, some_bytes, some_text), max_size=12))
    return some, [token for part in parts for token in part]


@settings(max_examples=400)
@given(streams())
@example((codec("gpt2"), byte_ids(codec("gpt2"), b"a\xef\xbf\xbdb")))
@example((codec("gpt2"), byte_ids(codec("gpt2"), b"\xff\xfe\xfd")))
@example((codec("gpt2"), byte_ids(codec("gpt2"), b"\xf0\x9f\x98a\xf0\x9f\x98\x80")))
def test_the_pieces_add_up_to_the_whole(case: tuple[ChatTokenizer, list[int]]) -> None:
    some, ids = case
    stream = some.stream()
    pieces = [stream.add(token) for token in ids]
    pieces.append(stream.finish())
    assert "".join(pieces) == some.decode(ids)
    assert stream.text == some.decode(ids)


@given(any_codec, st.text(max_size=10))
def test_no_piece_holds_half_a_glyph(some: ChatTokenizer, text: str) -> None:
    text = text.replace("\ufffd", "")
    stream = some.stream()
    shown = ""
    for token in byte_ids(some, text.encode()):
        shown += stream.add(token)
        assert "\ufffd" not in shown
        assert text.startswith(shown)
    assert shown == text
    assert stream.finish() == ""


def test_a_glyph_comes_with_its_last_byte() -> None:
    stream = codec("gpt2").stream()
    assert [stream.add(token) for token in byte_ids(codec("gpt2"), "é😀".encode())] == ["", "é", "", "", "", "😀"]


def test_a_glyph_that_never_ends_becomes_visible_at_the_end() -> None:
    stream = codec("gpt2").stream()
    assert [stream.add(token) for token in byte_ids(codec("gpt2"), b"a\xf0\x9f")] == ["a", "", ""]
    assert stream.finish() == "\ufffd"
    assert stream.text == "a\ufffd"


def test_a_tokenizer_without_a_rust_backend_streams_too(gpt2: Any) -> None:
    class Slow:
        all_special_ids, all_special_tokens = gpt2.all_special_ids, gpt2.all_special_tokens
        eos_token_id = gpt2.eos_token_id

        def decode(self, ids: list[int], **options: Any) -> str:
            return str(gpt2.decode(ids, **options))

    stream = TransformersTokenizer(Slow()).stream()
    ids = byte_ids(codec("gpt2"), "a 😀!".encode())
    assert "".join([*map(stream.add, ids), stream.finish()]) == "a 😀!"
