"""What the notebooks of these tests import in the kernel: models that keep a pace or say what they are told."""

from __future__ import annotations

import dataclasses
import gc
import re
import threading
import time
import weakref
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch

from dialogpt_widget import ChatModel, ChatWidget, Conversation, Settings, Turn
from dialogpt_widget.engine.generation.trace import Token
from dialogpt_widget.engine.loading.loader import load

LONG = Settings(min_new_tokens=40, max_new_tokens=40)  # a reply that a person has time to stop


class Watched(ChatWidget):
    """A chat that notes how many steps its model had made when each request arrived, before it is carried out."""

    def __init__(self, model: Any, **options: Any) -> None:
        self.arrived: list[tuple[str, int]] = []
        self._watched = weakref.ref(model)  # a closed chat may stay in the notebook's Out, its model not
        super().__init__(model, **options)

    @property
    def watched(self) -> Any:
        """The model."""
        return self._watched()

    def _handle_custom_msg(self, content: Any, buffers: Any) -> None:
        self.arrived.append((content["op"], self.watched.steps))
        super()._handle_custom_msg(content, buffers)


class Counted(ChatWidget):
    """A chat that notes what each request asked for."""

    def __init__(self, model: Any, **options: Any) -> None:
        self.ops: list[str] = []
        super().__init__(model, **options)

    def _handle_custom_msg(self, content: Any, buffers: Any) -> None:
        self.ops.append(content["op"])
        super()._handle_custom_msg(content, buffers)


class Slow(ChatModel):
    """The embedded model with a pause before each of its steps, which are counted."""

    def __init__(self, pause: float = 0.05) -> None:
        super().__init__(load("mini"))
        self.pause, self.steps = pause, 0
        self._network.advance, self._advance = self._step, self._network.advance  # type: ignore[method-assign]

    def _step(self, ids: Sequence[int]) -> Any:
        self.steps += 1
        time.sleep(self.pause)
        return self._advance(ids)


@dataclasses.dataclass
class _Stream:
    pieces: list[str]
    text: str = ""

    def add(self, token: int) -> str:
        self.text += self.pieces[token]
        return self.pieces[token]

    def finish(self) -> str:
        return ""


class Scripted:
    """Stands in for a `ChatModel`: replies with given pieces of text, one a token, at a given pace.

    Args:
        replies: each a list of pieces; the last one is repeated for ever.
        rate: tokens a second; the n-th token of a reply never comes before n / rate seconds.
    """

    name, revision, device, precision, exactness = "scripted", None, torch.device("cpu"), "float32", None
    eos, vocabulary, positions, parameters, reused, remark = 0, 60_000, None, 1, 0, None

    def __init__(self, replies: Iterable[Sequence[str]], rate: float = 1000.0) -> None:
        self.replies, self.rate = [list(reply) for reply in replies], rate
        self.pieces = ["<eos>"]
        self.ids: dict[str, int] = {}
        self.steps, self.seconds = 0, [0.0]
        self.given = 0

    def _id(self, piece: str) -> int:
        if piece not in self.ids:
            self.ids[piece] = len(self.pieces)
            self.pieces.append(piece)
        return self.ids[piece]

    def encode(self, text: str) -> list[int]:
        return [self._id(word) for word in re.findall(r"\s*\S+|\s+", text)]

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(self.pieces[token] for token in ids)

    def piece(self, token: int) -> bytes:
        return self.decode([token]).encode()

    def text_stream(self) -> _Stream:
        return _Stream(self.pieces)

    def generate(
        self,
        ids: Sequence[int],
        settings: Settings,
        stop: threading.Event,
        *,
        reply: int = 0,
        prefix: Sequence[int] = (),
        **_: object,
    ) -> Iterator[Token]:
        pieces = self.replies[min(self.given, len(self.replies) - 1)]
        self.given += 1
        began = time.monotonic()
        for place, piece in enumerate([*pieces, None][len(prefix) :], len(prefix)):
            early = began + (place - len(prefix)) / self.rate - time.monotonic()
            if early > 0:
                time.sleep(early)
            if stop.is_set():
                break
            self.steps += 1
            yield _token(self.eos if piece is None else self._id(piece), place, eos=piece is None)
        self.seconds.append(time.monotonic() - began)


def _token(number: int, place: int, *, eos: bool) -> Token:
    return Token(
        id=number,
        eos=eos,
        position=place,
        origin="sampled",
        logprob=-1.0,
        logprob_used=-1.0,
        rank=1,
        entropy=1.0,
        entropy_used=1.0,
        kept=1,
        cut_count=(0,) * 5,
        cut_mass=(0.0,) * 5,
        draw=0.5,
        ms=1.0,
        alt_id=(number,),
        alt_logprob=(-1.0,),
        alt_fate=(0,),
    )


def words(count: int) -> list[str]:
    """So many pieces of five characters, all different."""
    return [f"{place:04d} " for place in range(count)]


def talk(*texts: str) -> Conversation:
    """A conversation that has taken place already, you first."""
    conversation = Conversation()
    for place, text in enumerate(texts):
        new, leaf, answers = conversation.reserve(), conversation.leaf, bool(place % 2)
        turn = Turn(new, leaf, "assistant" if answers else "user", text, (), created=1.0)
        conversation.add(dataclasses.replace(turn, stop="eos", reply=place // 2) if answers else turn)
    return conversation


def living(kind: type) -> int:
    """How many objects of a class there are."""
    gc.collect()
    return sum(isinstance(one, kind) for one in gc.get_objects())


def reset() -> None:
    """Closes every widget and forgets the names that a test has given."""
    ChatWidget.close_all()
    for name in ("chat", "other", "model", "turn"):
        for names in (__import__("__main__").__dict__, globals()):
            names.pop(name, None)
