"""Between text and token ids: nothing a person types becomes a control token, bytes stay the truth."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel, DecodeStream


class ChatTokenizer(ABC):
    """A model's tokenizer as the chat needs it.

    Attributes:
        eos: id that ends a turn.
        special: spelling and id of every special token.
    """

    def __init__(self, eos: int, special: Mapping[str, int]) -> None:
        self.eos, self.special = eos, dict(special)

    def encode(self, text: str) -> list[int]:
        """The ids of a text; what is spelled like a special token, `<|endoftext|>` say, stays text.

        Args:
            text: well-formed Unicode.
        """
        ids = self._plain(text)
        if set(self.special.values()).isdisjoint(ids):
            return ids
        return [token for piece in _broken_up(self.special, text) for token in self._plain(piece)]

    @abstractmethod
    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids; bytes that are not valid UTF-8 become U+FFFD."""

    @abstractmethod
    def stream(self) -> StreamingDetokenizer:
        """A decoder for ids that come one by one."""

    @abstractmethod
    def piece(self, token: int) -> bytes:
        """The bytes that a token stands for, which alone may be no valid UTF-8."""

    @abstractmethod
    def _plain(self, text: str) -> list[int]:
        """The ids of a text, special tokens as text where the tokenizer can be told so."""


class FastTokenizer(ChatTokenizer):
    """A tokenizer of the tokenizers library.

    Args:
        tokenizer: reads no special tokens in text from now on.
        eos: id that ends a turn.
    """

    def __init__(self, tokenizer: Tokenizer, eos: int) -> None:
        added = tokenizer.get_added_tokens_decoder()
        super().__init__(eos, {token.content: own_id for own_id, token in added.items() if token.special})
        tokenizer.encode_special_tokens = True
        self._tokenizer = tokenizer

    def decode(self, ids: Sequence[int]) -> str:
        """See `ChatTokenizer`."""
        return self._tokenizer.decode(list(ids), skip_special_tokens=False)

    def stream(self) -> StreamingDetokenizer:
        """See `ChatTokenizer`."""
        return StreamingDetokenizer(self, self._tokenizer)

    def piece(self, token: int) -> bytes:
        """See `ChatTokenizer`."""
        return _piece(self._tokenizer, token) or self.decode([token]).encode()

    def _plain(self, text: str) -> list[int]:
        return self._tokenizer.encode(text, add_special_tokens=False).ids


class TransformersTokenizer(ChatTokenizer):
    """A tokenizer of transformers, whatever is beneath it."""

    def __init__(self, tokenizer: Any) -> None:
        special = zip(map(str, tokenizer.all_special_tokens), tokenizer.all_special_ids, strict=True)
        super().__init__(int(tokenizer.eos_token_id), dict(special))
        self._tokenizer = tokenizer

    def decode(self, ids: Sequence[int]) -> str:
        """See `ChatTokenizer`."""
        options = {"skip_special_tokens": False, "clean_up_tokenization_spaces": False}
        return str(self._tokenizer.decode(list(ids), **options))

    def stream(self) -> StreamingDetokenizer:
        """See `ChatTokenizer`."""
        return StreamingDetokenizer(self, getattr(self._tokenizer, "backend_tokenizer", None))

    def piece(self, token: int) -> bytes:
        """See `ChatTokenizer`."""
        return _piece(getattr(self._tokenizer, "backend_tokenizer", None), token) or self.decode([token]).encode()

    def _plain(self, text: str) -> list[int]:
        options = {"add_special_tokens": False, "split_special_tokens": True, "verbose": False}
        return list(self._tokenizer(text, **options)["input_ids"])


class StreamingDetokenizer:
    """Decodes a reply token by token and withholds a glyph until its last byte is there.

    Args:
        tokenizer: decodes the whole.
        backend: decodes step by step; None where there is no such thing.

    Attributes:
        text: all that has been decoded so far.
    """

    def __init__(self, tokenizer: ChatTokenizer, backend: Tokenizer | None) -> None:
        self._tokenizer, self._backend = tokenizer, backend
        self._steps = DecodeStream(skip_special_tokens=False)
        self._ids: list[int] = []
        self.text = ""

    def add(self, token: int) -> str:
        """Takes one more id and returns what it adds to the text, which may be nothing yet."""
        self._ids.append(token)
        if self._backend is None:
            whole = self._tokenizer.decode(self._ids).rstrip("\ufffd")
            piece = whole[len(self.text) :] if whole.startswith(self.text) else ""
        else:
            piece = self._steps.step(self._backend, token) or ""
        self.text += piece
        return piece

    def finish(self) -> str:
        """What is still withheld at the end of the reply: an unfinished glyph becomes U+FFFD."""
        whole = self._tokenizer.decode(self._ids)
        piece = whole[len(self.text) :] if whole.startswith(self.text) else ""
        self.text += piece
        return piece


@functools.cache
def _byte_of() -> dict[str, int]:
    """The byte that each character of a byte-level vocabulary stands for.

    As in GPT-2 (Radford et al., 2019): printable bytes stand for themselves, the others, in order, for the characters
    from U+0100 on.
    """
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + place): byte for place, byte in enumerate(others)}


def _piece(tokenizer: Tokenizer | None, token: int) -> bytes | None:
    """The bytes of a token of a byte-level vocabulary; None for special tokens and other vocabularies."""
    if tokenizer is None or not isinstance(tokenizer.decoder, ByteLevel):
        return None
    if token in tokenizer.get_added_tokens_decoder():
        return None
    spelling, known = tokenizer.id_to_token(token), _byte_of()
    if spelling is None or not all(char in known for char in spelling):
        return None
    return bytes(known[char] for char in spelling)


def _broken_up(special: Mapping[str, int], text: str) -> list[str]:
    """Cuts every special token's spelling in two, for tokenizers that cannot be told to read it as text."""
    pieces = [text]
    for spelling in sorted(special, key=len, reverse=True):
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
