"""What the tests of slow motion share."""

from __future__ import annotations

from builders import chat_model

from dialogpt_widget.chat.chat import Chat
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


def but_for_time(turn: Turn) -> bytes:
    assert turn.rows is not None
    rows = turn.rows.copy()
    rows["ms"] = 0
    return rows.tobytes()
