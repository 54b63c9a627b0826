"""A chat: a conversation with an engine, complete without Jupyter."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from dialogpt_widget.dialogue.cleanup import clean, stable_prefix, well_formed
from dialogpt_widget.dialogue.context import Context, build_context
from dialogpt_widget.dialogue.conversation import Conversation, Stop, Turn
from dialogpt_widget.dialogue.tokens import TokenTable
from dialogpt_widget.engine.names import MEDIUM, full_name
from dialogpt_widget.settings import Settings

if TYPE_CHECKING:
    from dialogpt_widget.engine.decoding import Token
    from dialogpt_widget.engine.hub import Progress
    from dialogpt_widget.engine.model import ChatModel

_log = logging.getLogger(__name__)
MAX_MESSAGE_BYTES = 64_000  # UTF-8 bytes; a window of 1000 tokens holds about 4,000


class Reply:
    """A reply as it comes about: iterate over its pieces of text, then take the settled `turn`.

    Attributes:
        id: the turn's id once it has settled.
        parent: the turn that is answered.
        text: what can be shown so far.
        tokens: the tokens so far.
        turn: the settled turn; None before that, and for a reply stopped before its first token.
    """

    def __init__(self, chat: Chat, parent: Turn, stop: threading.Event | None = None) -> None:
        self._chat, self.parent = chat, parent
        self.id = chat.conversation.reserve()
        self.text = ""
        self.tokens: list[Token] = []
        self.turn: Turn | None = None
        self._selected = chat.conversation.leaf
        self._stop = stop or threading.Event()

    def stop(self) -> None:
        """Ends the reply before the next step of the model; what was said is kept. Any thread may call it."""
        self._stop.set()

    @property
    def stopped(self) -> bool:
        """Whether somebody asked it to stop."""
        return self._stop.is_set()

    def __iter__(self) -> Iterator[str]:
        chat = self._chat
        model, settings = chat.load(), chat.settings
        context = chat.context_of(self.parent, settings)
        number = chat._number()
        if settings.seed is None:
            settings = settings.replace(seed=_draw_seed())
        stream = model.text_stream()
        ended: Stop = "error"
        try:
            for token in model.generate(context.ids, settings, self._stop, reply=number):
                self.tokens.append(token)
                if not token.eos:
                    stream.add(token.id)
                piece = self._advance(stable_prefix(stream.text))
                chat._tell(chat._token_listeners, token)
                yield piece
            eos = bool(self.tokens) and self.tokens[-1].eos
            ended = "eos" if eos else "user" if self._stop.is_set() else "length"
        except (KeyboardInterrupt, GeneratorExit):
            ended = "user"
            raise
        finally:
            stream.finish()
            piece = self._advance(clean(stream.text))
            if self.tokens:
                self.turn = self._settle(model, settings, number, context, ended)
        if piece:
            yield piece

    def _advance(self, text: str) -> str:
        piece, self.text = text[len(self.text) :], text
        return piece

    def _settle(self, model: ChatModel, settings: Settings, number: int, context: Context, ended: Stop) -> Turn:
        """Adds the turn; it is selected unless something else has been selected meanwhile."""
        from dialogpt_widget.engine.decoding import token_rows

        return self._chat._add(
            Turn(
                id=self.id,
                parent=self.parent.id,
                role="assistant",
                text=self.text,
                ids=tuple(token.id for token in self.tokens if not token.eos),
                settings=settings,
                reply=number,
                context=context.turns,
                stop=ended,
                created=time.time(),
                model=model.name,
                revision=model.revision,
                precision=model.precision,
                rows=token_rows(self.tokens, model.vocabulary, len(context.ids)),
            ),
            select=self._chat.conversation.leaf == self._selected,
        )


class Chat:
    """A conversation with a model.

    Args:
        model: a name ("mini", "microsoft/DialoGPT-medium", a folder ...) or a loaded `ChatModel`.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        precision: "auto", "float32", "bfloat16" or "float16".
        revision: a branch, tag or commit on the hub.
        settings: how replies are decoded.
        conversation: a conversation to go on with.

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
        self._settings = settings or Settings()
        self.conversation = conversation or Conversation()
        self._model: ChatModel | None = None
        self._replies = 1 + max((turn.reply for turn in self.conversation.turns if turn.reply is not None), default=-1)
        self._busy = threading.RLock()
        self._loading = threading.Lock()
        self._running: Reply | None = None
        self._token_listeners: list[Callable[[Token], object]] = []
        self._turn_listeners: list[Callable[[Turn], object]] = []
        self.use(model, device=device, precision=precision, revision=revision)

    def use(
        self, model: str | ChatModel, *, device: str = "auto", precision: str = "auto", revision: str | None = None
    ) -> None:
        """Goes on with another model, which is loaded when it is needed; the conversation stays."""
        self._model = None if isinstance(model, str) else model
        self.model_name = full_name(model) if isinstance(model, str) else model.name
        self.device, self.precision, self.revision = device, precision, revision

    def unload(self) -> None:
        """Lets go of the model; it is loaded again when it is needed."""
        self._model = None

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
        with self._loading:
            if self._model is None:
                from dialogpt_widget.engine.model import ChatModel

                self._model = ChatModel.from_pretrained(
                    self.model_name,
                    device=self.device,
                    precision=self.precision,
                    revision=self.revision,
                    progress=progress,
                )
            return self._model

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
        return TokenTable.of_turns(self.path, model.eos, model.vocabulary)

    @property
    def context(self) -> Context:
        """What the model would see of the selected path now, and which turns have fallen out."""
        return self._context(self.path, self.settings)

    def context_of(self, turn: Turn, settings: Settings) -> Context:
        """What the model sees when it answers `turn`."""
        return self._context(self.conversation.path_to(turn), settings)

    def _context(self, path: Sequence[Turn], settings: Settings) -> Context:
        """The context of a path; turns that another model's tokenizer encoded are encoded anew."""
        model = self.load()
        own = [
            turn if turn.model == model.name else dataclasses.replace(turn, ids=tuple(model.encode(turn.text)))
            for turn in path
        ]
        return build_context(own, model.eos, settings, model.positions)

    def say(self, text: str) -> Turn:
        """Adds a user's turn to the selected path without having it answered.

        Raises:
            TypeError: not a string.
            ValueError: empty, or too long.
            ModelError: the model could not be loaded.
        """
        text = check_message(text)
        model = self.load()
        path = self.path
        return self._add(
            Turn(
                id=self.conversation.reserve(),
                parent=path[-1].id if path else None,
                role="user",
                text=text,
                ids=tuple(model.encode(text)),
                created=time.time(),
                model=model.name,
                revision=model.revision,
                precision=model.precision,
            )
        )

    def reply(self, turn: Turn | None = None, stop: threading.Event | None = None) -> Reply:
        """A new reply to a user's turn, by default the last; nothing runs until it is iterated over.

        Args:
            turn: the user's turn; of a reply, the turn that it answers.
            stop: an event that stops it; one of its own if not given.

        Raises:
            ValueError: there is no such turn to answer.
        """
        path = self.path
        turn = turn or (path[-1] if path else None)
        if turn is not None and turn.role == "assistant" and turn.parent is not None:
            turn = self.conversation[turn.parent]
        if turn is None or turn.role != "user":
            raise ValueError("There is nothing to answer: say something first.")
        return Reply(self, turn, stop)

    def run(self, reply: Reply, show: Callable[[str], object] | None = None) -> Turn:
        """Decodes a reply to its end.

        Args:
            reply: from `reply`.
            show: called with each piece of text.

        Returns:
            The settled turn; one without tokens, of stop "user" and not kept, if it was stopped before its first token.

        Raises:
            KeyboardInterrupt: Ctrl-C; what was said until then is kept.
            ModelError: memory ran out.
        """
        with self._busy:
            self._running = reply
            try:
                for piece in reply:
                    if show and piece:
                        show(piece)
            except KeyboardInterrupt:
                reply.stop()
                raise
            finally:
                self._running = None
        return reply.turn or Turn(reply.id, reply.parent.id, "assistant", "", (), stop="user", model=self.model_name)

    def send(self, text: str, show: Callable[[str], object] | None = None) -> Turn:
        """Says something and returns the reply. Ctrl-C stops it and keeps what was said.

        Args:
            text: the message.
            show: called with each piece of the reply's text as it comes.

        Raises:
            TypeError: not a string.
            ValueError: empty, or too long.
            ModelError: the model could not be loaded or run.
        """
        with self._busy:
            return self.run(self.reply(self.say(text)), show)

    async def asend(self, text: str, show: Callable[[str], object] | None = None) -> Turn:
        """`send` for asyncio; cancelling it stops the reply."""
        work = asyncio.ensure_future(asyncio.to_thread(self.send, text, show))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            self.stop()
            raise

    def regenerate(self, turn: Turn | None = None, show: Callable[[str], object] | None = None) -> Turn:
        """Answers again: another version of a reply, or an answer to a user's turn; by default the path's last."""
        with self._busy:
            return self.run(self.reply(turn), show)

    def stop(self) -> None:
        """Stops the running reply before the model's next step; any thread may call it."""
        running = self._running
        if running is not None:
            running.stop()

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
        return _listen(self._token_listeners, listener)

    def on_turn(self, listener: Callable[[Turn], Any]) -> Callable[[], None]:
        """Calls `listener(turn)` for each turn that settles; returns a function that ends that."""
        return _listen(self._turn_listeners, listener)

    def _number(self) -> int:
        self._replies += 1
        return self._replies - 1

    def _add(self, turn: Turn, *, select: bool = True) -> Turn:
        self.conversation.add(turn, select=select)
        self._tell(self._turn_listeners, turn)
        return turn

    @staticmethod
    def _tell(listeners: list[Callable[[Any], object]], value: Any) -> None:
        for listener in tuple(listeners):
            try:
                listener(value)
            except Exception:  # whoever listens must not be able to break a reply
                _log.exception("A listener of this chat failed.")


def check_message(text: str) -> str:
    """A message as it will be said: lone surrogates become U+FFFD.

    Raises:
        TypeError: not a string.
        ValueError: empty, or longer than `MAX_MESSAGE_BYTES`.
    """
    if not isinstance(text, str):
        raise TypeError(f"A message is a string, not {type(text).__name__}.")
    if not text.strip():
        raise ValueError("The message is empty: write something to answer.")
    text = well_formed(text)
    size = len(text.encode())
    if size > MAX_MESSAGE_BYTES:
        raise ValueError(
            f"The message has {size / 1000:,.0f} kB; at most {MAX_MESSAGE_BYTES // 1000} kB can be sent. Shorten it: "
            "the model reads no more than the last 1000 tokens, about 4 kB."
        )
    return text


def _listen(listeners: list[Callable[[Any], object]], listener: Callable[[Any], object]) -> Callable[[], None]:
    listeners.append(listener)

    def end() -> None:
        if listener in listeners:
            listeners.remove(listener)

    return end


def _draw_seed() -> int:
    from dialogpt_widget.engine.model import draw_seed

    return draw_seed()
