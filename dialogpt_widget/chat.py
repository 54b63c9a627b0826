"""A chat: a conversation with an engine, complete without Jupyter."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from dialogpt_widget.dialogue.context import Context, build_context, encoded_for
from dialogpt_widget.dialogue.conversation import Conversation, Turn
from dialogpt_widget.dialogue.messages import check_message
from dialogpt_widget.dialogue.tokens import TokenTable
from dialogpt_widget.engine.fitting import check_names
from dialogpt_widget.engine.names import MEDIUM, full_name, recommended
from dialogpt_widget.engine.source import ModelSource, Progress
from dialogpt_widget.listeners import Listeners
from dialogpt_widget.reply import Reply
from dialogpt_widget.settings import Settings

if TYPE_CHECKING:
    from dialogpt_widget.engine.decoding import Token
    from dialogpt_widget.engine.model import ChatModel

Show = Callable[[str], object]
Source = Callable[[Progress | None], "ChatModel"]


class Chat:
    """A conversation with a model.

    Args:
        model: a name ("mini", "microsoft/DialoGPT-medium", a folder ...) or a loaded `ChatModel`.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        precision: "auto", "float32", "bfloat16" or "float16".
        revision: a branch, tag or commit on the hub.
        settings: how replies are decoded; if not given, the defaults, or for "mini" what suits it.
        conversation: a conversation to go on with.

    Attributes:
        source: gives the model when it is needed; chats that are to share one share this.

    Example:
        >>> chat = Chat("mini")
        >>> chat.send("Hello, how are you?").text
    """

    def __init__(
        self,
        model: str | ChatModel = MEDIUM,
        *,
        device: str = "auto",
        precision: str = "auto",
        revision: str | None = None,
        settings: Settings | None = None,
        conversation: Conversation | None = None,
    ) -> None:
        self.conversation = conversation or Conversation()
        self._replies = 1 + max((turn.reply for turn in self.conversation.turns if turn.reply is not None), default=-1)
        self._busy = threading.RLock()
        self._running: Reply | None = None
        self._token_listeners: Listeners[Token] = Listeners()
        self._turn_listeners: Listeners[Turn] = Listeners()
        self.use(model, device=device, precision=precision, revision=revision)
        self.settings = settings or recommended(self.model_name)

    def use(
        self, model: str | ChatModel, *, device: str = "auto", precision: str = "auto", revision: str | None = None
    ) -> None:
        """Goes on with another model, which is loaded when it is needed; the conversation stays.

        Raises:
            TypeError: neither a name nor a `ChatModel`.
            ValueError: that is not a device, or not a precision.
        """
        if not isinstance(model, str) and not hasattr(model, "generate"):
            raise TypeError(f'A model is a name such as "mini", or a ChatModel, not {type(model).__name__}.')
        check_names(device, precision)
        self._model = None if isinstance(model, str) else model
        self.model_name = full_name(model) if isinstance(model, str) else model.name
        self.device, self.precision, self.revision = device, precision, revision
        self.source: Source = ModelSource(self.model_name, device, precision, revision).load

    @property
    def model(self) -> ChatModel | None:
        """The model if it is loaded, else None."""
        return self._model

    def load(self, progress: Progress | None = None) -> ChatModel:
        """The model, loaded now if it is not yet.

        Args:
            progress: called with a line for people and a share from 0 to 1, or None where that is unknown.

        Raises:
            ModelError: it could not be loaded; the message says why and what to do.
        """
        if self._model is not None:
            return self._model
        source = self.source
        model = source(progress)
        if source == self.source:  # nobody has chosen another model meanwhile
            self._model = model
        return model

    def unload(self) -> None:
        """Lets go of the model; it is loaded again, by its name, when it is needed."""
        self.use(self.model_name, device=self.device, precision=self.precision, revision=self.revision)

    @property
    def settings(self) -> Settings:
        """How the next reply is decoded; assign `Settings(...)` or `chat.settings.replace(...)`."""
        return self._settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        if not isinstance(settings, Settings):
            raise TypeError(f"settings is a Settings, not {type(settings).__name__}: Settings(temperature=0.7), say.")
        self._settings = settings

    @property
    def path(self) -> tuple[Turn, ...]:
        """The selected branch of the conversation, root first."""
        return self.conversation.path

    @property
    def messages(self) -> list[dict[str, str]]:
        """The settled turns of the selected path as `[{"role", "content"}]`."""
        return [{"role": turn.role, "content": turn.text} for turn in self.path]

    @property
    def tokens(self) -> TokenTable:
        """One row a token of the selected path, EOS included."""
        model = self.load()
        return TokenTable.of_turns(self.path, model.eos, model.vocabulary, model.decode)

    @property
    def context(self) -> Context:
        """What the model would see of the selected path now, and which turns have fallen out."""
        return self._context(self.path, self.settings)

    def _context(self, path: Sequence[Turn], settings: Settings) -> Context:
        model = self.load()
        return build_context(encoded_for(path, model.name, model.encode), model.eos, settings, model.positions)

    def say(self, text: str) -> Turn:
        """Adds a user's turn to the selected path without having it answered.

        Raises:
            TypeError: not a string.
            ValueError: empty, or too long.
            ModelError: the model could not be loaded.
        """
        text = check_message(text)
        model = self.load()
        turn = Turn(
            id=self.conversation.reserve(),
            parent=self.conversation.leaf,
            role="user",
            text=text,
            ids=tuple(model.encode(text)),
            created=time.time(),
            model=model.name,
            revision=model.revision,
            precision=model.precision,
        )
        return self._add(turn)

    def question(self, turn: Turn | None = None) -> Turn:
        """The user's turn that a reply to `turn` answers: itself, or of a reply the one before; by default the last.

        Raises:
            ValueError: there is no such turn.
        """
        path = self.path
        turn = turn or (path[-1] if path else None)
        if turn is not None and turn.role == "assistant" and turn.parent is not None:
            turn = self.conversation[turn.parent]
        if turn is None or turn.role != "user":
            raise ValueError("There is nothing to answer: say something first.")
        return turn

    def reply(self, turn: Turn | None = None, stop: threading.Event | None = None) -> Reply:
        """A new reply to a turn (see `question`), to be handed to `run`.

        Args:
            turn: what is answered.
            stop: an event that stops it; one of its own if not given.

        Raises:
            ValueError: there is no such turn.
            ModelError: the model could not be loaded.
        """
        asked = self.question(turn)
        model, settings = self.load(), self.settings
        if settings.seed is None:
            from dialogpt_widget.engine.model import draw_seed

            settings = settings.replace(seed=draw_seed())
        context = self._context(self.conversation.path_to(asked), settings)
        number, self._replies = self._replies, self._replies + 1
        turn_id = self.conversation.reserve()
        return Reply(turn_id, asked, model, context, settings, number, stop or threading.Event())

    def run(self, reply: Reply, show: Show | None = None) -> Turn:
        """Decodes a reply to its end and adds it; it is selected unless something else has been meanwhile.

        Args:
            reply: from `reply`.
            show: called with each piece of text.

        Returns:
            The settled turn. One without tokens, stopped before its first, is not added.

        Raises:
            KeyboardInterrupt: Ctrl-C; what was said until then is kept.
            ModelError: memory ran out.
        """
        selected = self.conversation.leaf
        with self._busy:
            self._running = reply
            try:
                for token, piece in reply:
                    if token is not None:
                        self._token_listeners.tell(token)
                    if show and piece:
                        show(piece)
            finally:
                self._running = None
                turn = reply.turn()
                if reply.tokens:
                    self._add(turn, select=self.conversation.leaf == selected)
        return turn

    def send(self, text: str, show: Show | None = None) -> Turn:
        """Says something and returns the reply. Ctrl-C stops it and keeps what was said.

        Args:
            text: the message.
            show: called with each piece of the reply's text as it comes.

        Raises:
            TypeError: not a string.
            ValueError: empty, or too long.
            ModelError: the model could not be loaded or run.
        """
        return self._send(text, show, threading.Event())

    def _send(self, text: str, show: Show | None, stop: threading.Event) -> Turn:
        with self._busy:
            if stop.is_set():
                raise asyncio.CancelledError  # before anything was said
            return self.run(self.reply(self.say(text), stop), show)

    async def asend(self, text: str, show: Show | None = None) -> Turn:
        """`send` for asyncio; cancelling it stops the reply, or keeps it from beginning."""
        stop = threading.Event()
        work = asyncio.ensure_future(asyncio.to_thread(self._send, text, show, stop))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            stop.set()
            raise

    def regenerate(self, turn: Turn | None = None, show: Show | None = None) -> Turn:
        """Answers again: another version of a reply, or an answer to a user's turn; by default the path's last."""
        with self._busy:
            return self.run(self.reply(turn), show)

    def stop(self) -> None:
        """Stops the running reply before the model's next step; any thread may call it."""
        running = self._running
        if running is not None:
            running.stop.set()

    def clear(self) -> None:
        """Selects an empty path; `undo` brings the conversation back."""
        self.conversation.clear()

    def undo(self) -> Sequence[Turn]:
        """Restores the previous selection of the conversation's tree; returns the path."""
        return self.conversation.undo()

    def select(self, turn: Turn | int) -> Sequence[Turn]:
        """Selects the path through a turn; returns it."""
        return self.conversation.select(turn)

    def on_token(self, listener: Callable[[Token], Any]) -> Callable[[], None]:
        """Calls `listener(token)` for each token of each reply; returns a function that ends that."""
        return self._token_listeners.add(listener)

    def on_turn(self, listener: Callable[[Turn], Any]) -> Callable[[], None]:
        """Calls `listener(turn)` for each turn that settles; returns a function that ends that."""
        return self._turn_listeners.add(listener)

    def _add(self, turn: Turn, *, select: bool = True) -> Turn:
        self.conversation.add(turn, select=select)
        self._turn_listeners.tell(turn)
        return turn
