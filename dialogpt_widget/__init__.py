"""Chat with DialoGPT in a notebook, and look into every token of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.dialogue.conversation import Conversation
from dialogpt_widget.dialogue.tokens import TokenTable
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.errors import ModelError
from dialogpt_widget.settings import Settings
from dialogpt_widget.widget.widget import ChatWidget

if TYPE_CHECKING:
    from dialogpt_widget.engine.model import ChatModel

__all__ = ["Chat", "ChatModel", "ChatWidget", "Conversation", "ModelError", "Settings", "TokenTable", "Turn"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "ChatModel":  # brings torch with it, which importing the package must not
        from dialogpt_widget.engine.model import ChatModel

        return ChatModel
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
