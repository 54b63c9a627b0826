"""Between text and token ids: nothing a person types becomes a control token, bytes stay the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def encode(tokenizer: Any, text: str) -> list[int]:
    """The ids of a text; what is spelled like a special token, `<|endoftext|>` say, stays text.

    Args:
        tokenizer: of transformers.
        text: well-formed Unicode.
    """
    special = set(tokenizer.all_special_ids)
    ids = _plain(tokenizer, text)
    if special.isdisjoint(ids):
        return ids
    return [token for piece in _broken_up(tokenizer, text) for token in _plain(tokenizer, piece)]


def decode(tokenizer: Any, ids: Sequence[int]) -> str:
    """The text of ids; bytes that are not valid UTF-8 become U+FFFD."""
    return str(tokenizer.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False))


class TextStream:
    """Decodes a reply token by token and withholds a glyph until its last byte is there.

    Attributes:
        text: all that has been decoded so far.
    """

    def __init__(self, tokenizer: Any) -> None:
        from tokenizers.decoders import DecodeStream

        self._tokenizer = tokenizer
        self._backend: Any = getattr(tokenizer, "backend_tokenizer", None)
        self._stream = DecodeStream(skip_special_tokens=False) if self._backend is not None else None
        self._ids: list[int] = []
        self.text = ""

    def add(self, token: int) -> str:
        """Takes one more id and returns what it adds to the text, which may be nothing yet."""
        self._ids.append(token)
        if self._stream is None:
            whole = decode(self._tokenizer, self._ids).rstrip("\ufffd")
            piece = whole[len(self.text) :] if whole.startswith(self.text) else ""
        else:
            piece = self._stream.step(self._backend, token) or ""
        self.text += piece
        return piece

    def finish(self) -> str:
        """What is still withheld at the end of the reply: an unfinished glyph becomes U+FFFD."""
        whole = decode(self._tokenizer, self._ids)
        piece = whole[len(self.text) :] if whole.startswith(self.text) else ""
        self.text += piece
        return piece


def _plain(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False, split_special_tokens=True, verbose=False)["input_ids"])


def _broken_up(tokenizer: Any, text: str) -> list[str]:
    """Cuts every special token's spelling in two, for tokenizers that cannot be told to read it as text."""
    pieces = [text]
    for spelling in sorted(map(str, tokenizer.all_special_tokens), key=len, reverse=True):
        middle = max(1, len(spelling) // 2)
        halves: list[str] = []
        for piece in pieces:
            first, *rest = piece.split(spelling)
            halves.append(first)
            for part in rest:
                halves[-1] += spelling[:middle]
                halves.append(spelling[middle:] + part)
        pieces = halves
    return [piece for piece in pieces if piece]
