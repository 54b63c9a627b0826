"""What a person leaves in the conversation: a message, or a reply written by hand."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from dialogpt_widget.dialogue.turn import Turn

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
