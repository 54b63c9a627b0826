"""Builds turns from what a person typed or imported: a message, a reply written by hand, a list of both."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from dialogpt_widget.dialogue.conversation import Conversation
from dialogpt_widget.dialogue.exports import Messages, check_messages
from dialogpt_widget.dialogue.turn import Turn, check_message, well_formed

if TYPE_CHECKING:
    from dialogpt_widget.engine.model import ChatModel


def user_turn(turn_id: int, parent: int | None, text: str, model: ChatModel) -> Turn:
    """The turn of a message, in the ids of the model that will answer it."""
    return Turn(
        id=turn_id,
        parent=parent,
        role="user",
        text=text,
        ids=tuple(model.encode(text)),
        created=time.time(),
        model=model.name,
        revision=model.revision,
        precision=model.precision,
    )


def written_turn(turn_id: int, parent: int | None, text: str, model: ChatModel) -> Turn:
    """A reply that a person wrote."""
    return replace(user_turn(turn_id, parent, text, model), role="assistant")


def conversation_of(messages: Messages, model: ChatModel) -> Conversation:
    """Makes a conversation of messages, in the ids of a model.

    Raises:
        TypeError, ValueError: these are no messages, or one of the user's is empty.
    """
    conversation = Conversation()
    for place, message in enumerate(check_messages(messages)):
        if message["role"] == "user":
            if not message["content"].strip():
                raise ValueError(f"Message {place} is empty: what is said to the model has words.")
            make, text = user_turn, check_message(message["content"])
        else:
            make, text = written_turn, well_formed(message["content"])
        conversation.add(make(conversation.reserve(), conversation.leaf, text, model))
    return conversation
