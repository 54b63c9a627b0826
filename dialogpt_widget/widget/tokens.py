"""The tokens of each turn as the page needs them, made once and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialogpt_widget.widget.rows import tokens_state
from dialogpt_widget.widget.wire import TokensState

if TYPE_CHECKING:
    from dialogpt_widget.chat.chat import Chat


class TokenStates:
    """What the page gets of each turn's tokens, from when the model is loaded that it is in the ids of."""

    def __init__(self) -> None:
        self._made: dict[int, TokensState] = {}

    def of(self, turn_id: int, chat: Chat) -> TokensState | None:
        """A turn's tokens; None before its model is loaded, and once it is forgotten."""
        if turn_id not in chat.conversation:
            self._made.pop(turn_id, None)
            return None
        turn, model = chat.conversation[turn_id], chat.model
        if turn_id not in self._made and model is not None and turn.model == model.name:
            self._made[turn_id] = tokens_state(turn, model, chat.differences.get(turn_id))
        return self._made.get(turn_id)
