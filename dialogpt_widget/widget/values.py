"""What a page gets of a chat: the value of each key of the state."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dialogpt_widget.widget import candidates, downloads, present, wire
from dialogpt_widget.widget.changes import Changes
from dialogpt_widget.widget.keys import key_of, nbest_key_of, tokens_key_of
from dialogpt_widget.widget.session import Session
from dialogpt_widget.widget.tokens import TokenStates

STATIC = Path(__file__).resolve().parent.parent / "static"


def packed(name: str) -> str:
    """A part of the page, deflated, in base64."""
    return base64.b64encode(zlib.compress((STATIC / name).read_bytes(), 9)).decode("ascii")


class Values:
    """The state of a session, key by key; a key of what is no longer there has the value None.

    Args:
        session: of the chat.
        mark: names the view.
        starters: first messages to click on.
        parts: the parts of the page that come later, by key.

    Attributes:
        changes: what has been published.
        pinned: the turn and the place that the page begins with, if any.
    """

    def __init__(self, session: Session, mark: str, starters: Sequence[str], parts: Mapping[str, str]) -> None:
        self.changes = Changes()
        self.pinned: list[int | None] | None = None
        self._session = session
        self._tokens = TokenStates()
        self._numbered: dict[str, Callable[[int], Any]] = {
            wire.TURN_KEY: self._turn,
            wire.TOKENS_KEY: self._turn_tokens,
            wire.NBEST_KEY: self._nbest,
        }
        chat = session.chat
        self._found: dict[str, Callable[[], Any]] = {
            "info": lambda: present.info(chat.model_name, chat.model),
            "queue": session.waiting,
            "meter": lambda: present.meter(chat.context, session.reused) if chat.model else None,
            "leaf": lambda: chat.conversation.leaf,
            "next_id": lambda: chat.conversation.next_id,
            "starters": lambda: list(starters),
            "settings": lambda: chat.settings.to_dict(),  # noqa: PLW0108  # those of the moment
            "settings_schema": lambda: present.schema(chat.model_name),
            "presets": present.presets,
            "models": lambda: present.models(chat.model_name),
            "precisions": lambda: present.precisions(chat.model),
            "formats": downloads.choices,
            "can_undo": lambda: chat.conversation.can_undo,
            "offline": lambda: None,
            "view": lambda: mark,
            "rev": lambda: self.changes.revision,
            "pinned": lambda: self.pinned,
            "inspector": lambda: parts["inspector"] if session.inspect else "",
            "decider": lambda: parts["decider"],
            "rerank": lambda: candidates.rerank_state(chat.reranking, chat.model_name),
            "rerankers": lambda: candidates.rerankers(chat.reranking),
            "pace": lambda: session.pace,
        }

    def __contains__(self, name: str) -> bool:
        return name in self._found or name.startswith(tuple(self._numbered))

    def __getitem__(self, name: str) -> Any:
        if name in self._found:
            return self._found[name]()
        kind, _, number = name.rpartition("_")
        return self._numbered[f"{kind}_"](int(number))

    def numbered(self) -> list[str]:
        """The keys of every turn, of its tokens, and of every list of replies."""
        conversation = self._session.chat.conversation
        turns = [key(turn) for turn in conversation.turns for key in (key_of, tokens_key_of)]
        return turns + [nbest_key_of(made) for made in conversation.nbests]

    def _turn(self, own_id: int) -> wire.TurnState | None:
        conversation = self._session.chat.conversation
        if own_id not in conversation:
            return None
        made = conversation.nbests.with_turn(own_id)
        return present.turn(conversation[own_id], made.id if made else None)

    def _turn_tokens(self, own_id: int) -> wire.TokensState | None:
        return self._tokens.of(own_id, self._session.chat) if self._session.inspect else None

    def _nbest(self, own_id: int) -> wire.NBestState | None:
        chat = self._session.chat
        if own_id not in chat.conversation.nbests:
            return None
        made = chat.conversation.nbests[own_id]
        return candidates.nbest_state(made, chat.model.beam_note if made.kind == "beam" and chat.model else "")
