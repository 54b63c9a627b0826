"""The state that a page gets of a chat, key by key, and what of it has changed."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.widget import downloads, protocol, serialize
from dialogpt_widget.widget.protocol import key_of, nbest_key_of, tokens_key_of
from dialogpt_widget.widget.streaming import plain, tokens_state


class View(Protocol):
    """The widget that shows a state; `status` and `error` are traits of its own."""

    status: Any
    error: Any

    def publish(self, keys: Iterable[str]) -> None:
        """Sends some keys of the state in one message."""

    def post(self, content: Any, buffers: list[bytes] | None = None) -> None:
        """Sends a frame."""


class PageState:
    """The state of a chat as its pages get it. Any thread may read and change it; it keeps no view alive.

    The value of a key of what is no longer there is None.

    Args:
        chat: the chat.
        view: shows it.
        values: values of further keys, by functions.
        inspect: whether the page gets what is known of tokens.

    Attributes:
        revision: how often keys were published.
        pinned: the turn and the place that the page begins with, if any.
        closed: whether nothing is shown any more.
    """

    def __init__(
        self, chat: Chat, view: View, values: Mapping[str, Callable[[], Any]], *, inspect: bool = True
    ) -> None:
        self.inspect = inspect
        self.pinned: list[int | None] | None = None
        self.revision = 0
        self.closed = False
        self._chat = chat
        self._view = weakref.ref(view)
        self._lock = threading.RLock()
        self._published: dict[str, int] = {}  # the revision in which each key was published last
        self._tokens: dict[int, protocol.TokensState] = {}
        self._numbered: dict[str, Callable[[int], Any]] = {
            protocol.TURN_KEY: self._turn,
            protocol.TOKENS_KEY: self._turn_tokens,
            protocol.NBEST_KEY: self._nbest,
        }
        self._values: dict[str, Callable[[], Any]] = {
            "status": lambda: self._trait("status"),
            "error": lambda: self._trait("error"),
            "height": lambda: self._trait("height"),
            "info": lambda: serialize.info(chat.model_name, chat.model),
            "leaf": lambda: chat.conversation.leaf,
            "next_id": lambda: chat.conversation.next_id,
            "settings": lambda: chat.settings.to_dict(),  # noqa: PLW0108  # those of the moment
            "settings_schema": lambda: serialize.schema(chat.model_name),
            "presets": serialize.presets,
            "models": lambda: serialize.models(chat.model_name),
            "precisions": lambda: serialize.precisions(chat.model),
            "formats": downloads.choices,
            "can_undo": lambda: chat.conversation.can_undo,
            "offline": lambda: None,
            "rev": lambda: self.revision,
            "pinned": lambda: self.pinned,
            "rerank": lambda: serialize.rerank_state(chat.reranking, chat.model_name),
            "rerankers": lambda: serialize.rerankers(chat.reranking),
            **values,
        }

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """Lock held while the state changes and is sent: a reader that holds it sees exactly what was sent."""
        return self._lock

    @property
    def error(self) -> Any:
        """The error that the view shows."""
        return self._trait("error")

    def __contains__(self, name: str) -> bool:
        return name in self._values or name.startswith(tuple(self._numbered))

    def __getitem__(self, name: str) -> Any:
        if name in self._values:
            return self._values[name]()
        kind, _, number = name.rpartition("_")
        return self._numbered[f"{kind}_"](int(number))

    def read(self, names: Iterable[str] | None = None) -> dict[str, Any]:
        """The values of some keys, or of all."""
        with self._lock:
            return {name: self[name] for name in (self._names() if names is None else sorted(names))}

    def show(self, *keys: str, **changes: Any) -> None:
        """Sets traits of the view and sends them with some more keys of the state, in one message."""
        view = self._view()
        if view is None or self.closed:
            return
        with self._lock:
            for name, value in changes.items():
                if getattr(view, name) != value:
                    setattr(view, name, value)
                    keys = (*keys, name)
            if keys:
                view.publish(self._published_with(keys))

    def post(self, frame: protocol.Frame, buffers: list[bytes]) -> None:
        """Sends a frame to the view."""
        view = self._view()
        if view is not None:
            view.post(frame, buffers)

    def changed_since(self, revision: int) -> protocol.Changes:
        """The revision of the state, and its keys that were published after an older one; no tokens."""
        with self._lock:
            names = [name for name, last in self._published.items() if last > revision]
            changed = self.read(name for name in names if not name.startswith(protocol.TOKENS_KEY))
            return {"rev": self.revision, "state": changed}

    def offline(self, path: Sequence[Turn], turns: Sequence[Turn], when: float) -> dict[str, Any]:
        """The state of a page without a kernel, JSON.

        Args:
            path: that is selected there.
            turns: that are there.
            when: the page is written, UTC epoch seconds.
        """
        here = {turn.id for turn in turns}
        lists = [nbest_key_of(made) for made in self._chat.conversation.nbests if made.parent in here]
        state = self.read([*protocol.TRAITS, *map(key_of, turns), *lists])
        state |= {tokens_key_of(turn): plain(self[tokens_key_of(turn)]) for turn in turns}
        state |= {"offline": when, "error": None, "queue": [], "status": serialize.status("idle", "")}
        return state | {"leaf": path[-1].id if path else None}

    def _names(self) -> list[str]:
        conversation = self._chat.conversation
        turns = [key(turn) for turn in conversation.turns for key in (key_of, tokens_key_of)]
        return [*protocol.TRAITS, *turns, *(nbest_key_of(made) for made in conversation.nbests)]

    def _published_with(self, keys: Iterable[str]) -> set[str]:
        """Counts a publication; returns its keys with those that go with them."""
        names = set(keys)
        turns = [name.removeprefix(protocol.TURN_KEY) for name in names if name.startswith(protocol.TURN_KEY)]
        names |= {f"{protocol.TOKENS_KEY}{turn}" for turn in turns}
        self.revision += 1
        self._published |= dict.fromkeys(names, self.revision)
        return names | {"rev"}

    def _trait(self, name: str) -> Any:
        view = self._view()
        return None if view is None else getattr(view, name)

    def _turn(self, turn_id: int) -> protocol.TurnState | None:
        conversation = self._chat.conversation
        if turn_id not in conversation:
            return None
        made = conversation.nbests.with_turn(turn_id)
        return serialize.turn(conversation[turn_id], made.id if made else None)

    def _turn_tokens(self, turn_id: int) -> protocol.TokensState | None:
        """A turn's tokens, made once; None before the model is loaded that it is in the ids of."""
        chat = self._chat
        if not self.inspect or turn_id not in chat.conversation:
            self._tokens.pop(turn_id, None)
            return None
        turn, model = chat.conversation[turn_id], chat.model
        if turn_id not in self._tokens and model is not None and turn.model == model.name:
            self._tokens[turn_id] = tokens_state(turn, model, chat.differences.get(turn_id))
        return self._tokens.get(turn_id)

    def _nbest(self, list_id: int) -> protocol.NBestState | None:
        chat = self._chat
        if list_id not in chat.conversation.nbests:
            return None
        made = chat.conversation.nbests[list_id]
        return serialize.nbest_state(made, chat.model.beam_note if made.kind == "beam" and chat.model else "")
