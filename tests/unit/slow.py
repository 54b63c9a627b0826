"""What the tests of slow motion share."""

from __future__ import annotations

import numpy as np
from builders import chat_model

from dialogpt_widget.chat import Chat
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.engine.model import ChatModel
from dialogpt_widget.settings import Settings

MODEL = chat_model()
SAMPLED = Settings(seed=1, max_new_tokens=12)
GREEDY = Settings(do_sample=False, max_new_tokens=12)


def plain(how: Settings, model: ChatModel = MODEL) -> Turn:
    """The reply of a chat that nobody slows down."""
    model.forget()  # a context that is read anew and one that was cached differ in their last digits
    return Chat(model, settings=how).send("Hello")


def asked(how: Settings, model: ChatModel = MODEL) -> Chat:
    model.forget()
    chat = Chat(model, settings=how)
    chat.say("Hello")
    return chat


class Rows:
    """A reply's rows but for the time. What was chosen is equal to the bit; sums are equal but for their last digits,
    which threads and the places of arrays in memory may change."""

    def __init__(self, rows: np.ndarray) -> None:
        self.rows = rows

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rows) and all(self._same(other, name) for name in self.rows.dtype.names or ())

    __hash__ = None  # type: ignore[assignment]

    def _same(self, other: Rows, name: str) -> bool:
        own, others = self.rows[name], other.rows[name]
        if name == "ms" or own.shape != others.shape:
            return name == "ms"
        if own.dtype.kind == "f":
            return np.allclose(own, others, rtol=0, atol=1e-4, equal_nan=True)
        return np.array_equal(own, others)


def but_for_time(turn: Turn) -> Rows:
    assert turn.rows is not None
    return Rows(turn.rows)
