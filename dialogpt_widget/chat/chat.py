"""A chat: a conversation with an engine, complete without Jupyter."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dialogpt_widget.chat.reranking import Rerank, Reranking
from dialogpt_widget.chat.runner import Show, alone
from dialogpt_widget.chat.saving import Keeps
from dialogpt_widget.chat.several import Several
from dialogpt_widget.chat.sharing import Sharing
from dialogpt_widget.chat.slow_motion import Stepping
from dialogpt_widget.chat.snippet import as_python
from dialogpt_widget.chat.written import told, user_turn, written_turn
from dialogpt_widget.dialogue import files
from dialogpt_widget.dialogue.conversation import Conversation
from dialogpt_widget.dialogue.exports import Messages, messages_of, read_messages
from dialogpt_widget.dialogue.turn import Turn, check_message
from dialogpt_widget.engine.loading.names import MEDIUM, recommended
from dialogpt_widget.errors import check_show, explain_keywords
from dialogpt_widget.settings import Settings

if TYPE_CHECKING:
    from dialogpt_widget.engine.model import ChatModel


class Chat(Sharing, Stepping, Several, Keeps):
    """A conversation with a model.

    Args:
        model: a name ("mini", "microsoft/DialoGPT-medium", a folder ...) or a loaded `ChatModel`.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        precision: "auto", "float32", "bfloat16", "float16" or, on a CPU, "int8".
        revision: a branch, tag or commit on the hub.
        settings: how replies are decoded; if not given, the defaults, or for "mini" what suits it.
        conversation: a conversation to go on with.
        rerank: what chooses one of several replies, where `settings.candidates` or `settings.num_beams` is above 1: a
            name of `dialogpt_widget.reranking.RERANKERS`, a scorer, a function, several with weights; see `Reranking`.

    Example:
        >>> chat = Chat("mini")
        >>> chat.send("Hello, how are you?").text
    """

    @explain_keywords
    def __init__(
        self,
        model: str | ChatModel = MEDIUM,
        *,
        device: str = "auto",
        precision: str = "auto",
        revision: str | None = None,
        settings: Settings | None = None,
        conversation: Conversation | None = None,
        rerank: Rerank | Reranking = None,
    ) -> None:
        self._reranking = rerank if isinstance(rerank, Reranking) else Reranking(rerank)
        self.use(model, device=device, precision=precision, revision=revision)
        self.differences, self.stranger = {}, False
        super().__init__(conversation, recommended(self.model_name) if settings is None else settings)

    def use(
        self, model: str | ChatModel, *, device: str = "auto", precision: str = "auto", revision: str | None = None
    ) -> None:
        """Goes on with another model, which is loaded when it is needed; the conversation stays.

        So do settings that somebody chose; those that suited the old model give way to those that suit the new one.

        Raises:
            TypeError: neither a name nor a `ChatModel`.
            ValueError: that is not a device, or not a precision.
        """
        old = getattr(self, "model_name", None)
        if old is not None:
            self.states.forget()
            self.conversation.reading = None
            self._reranking = self._reranking.changed()  # the old model is let go of
        super().use(model, device=device, precision=precision, revision=revision)
        if old is not None and self.settings == recommended(old):
            self.settings = recommended(self.model_name)

    def __repr__(self) -> str:
        return f"<Chat {self.summary}>"

    @property
    def summary(self) -> str:
        """The model, the number of turns, and where the model runs, in a line."""
        where = f"{self._model.precision} on {self._model.device}" if self._model else "not loaded"
        return f"{self.model_name}, {len(self.path)} turns, {where}"

    @property
    def saved(self) -> files.Saved:
        """What a file of this chat holds."""
        return files.Saved(self.conversation, self.model_name, self.settings)

    @property
    def messages(self) -> Messages:
        """The settled turns of the selected path as `[{"role", "content"}]`.

        Assigning such a list starts a conversation from it, which loads the model; `undo` brings back the one before.
        """
        return messages_of(self.path)

    @messages.setter
    def messages(self, messages: Messages) -> None:
        self.conversation.graft(told(messages, self.load_model()))

    def take(self, text: str) -> Sequence[Turn]:
        """Takes over what a file holds, as new branches, and selects its path; `undo` goes back.

        Args:
            text: of a saved conversation, or JSON or JSON lines of message lists.

        Raises:
            ValueError: it is neither, or damaged; nothing is taken over by halves.
        """
        if files.is_saved(text):
            others = [files.parse(text).conversation]
        else:
            others = [told(messages, self.load_model()) for messages in read_messages(text)]
        if self.model is not None:
            self.admit(self.model, (turn for other in others for turn in other.turns))
        self.conversation.graft(*others)
        self.renumber()
        return self.path

    def say(self, text: str) -> Turn:
        """Adds a user's turn to the selected path without having it answered.

        Raises:
            TypeError: not a string.
            ValueError: empty, or too long.
            ModelError: the model could not be loaded.
        """
        text = check_message(text)
        model = self.load_model()
        return self.add(user_turn(self.conversation.reserve(), self.conversation.leaf, text, model))

    def send(self, text: str, show: Show | None = None) -> Turn:
        """Says something and returns the reply. Ctrl-C stops it and keeps what was said.

        Args:
            text: the message.
            show: called with each piece of the reply's text as it comes.

        Raises:
            TypeError: not a string, or `show` is no function.
            ValueError: empty, or too long.
            ModelError: the model could not be loaded or run.
        """
        return self._send(text, show, threading.Event())

    def _send(self, text: str, show: Show | None, stop: threading.Event) -> Turn:
        check_show(show)
        with alone(self._busy, self.pace):
            if stop.is_set():
                raise asyncio.CancelledError  # before anything was said
            return self.run(self.answer(self.say(text), stop, said=True), show)

    async def asend(self, text: str, show: Show | None = None) -> Turn:
        """`send` for asyncio; cancelling it stops the reply, or keeps it from beginning."""
        stop = threading.Event()
        work = asyncio.ensure_future(asyncio.to_thread(self._send, text, show, stop))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            stop.set()
            raise

    def regenerate(self, turn: Turn | int | None = None, show: Show | None = None) -> Turn:
        """Answers again: another version of a reply, or an answer to a user's turn; by default the path's last."""
        check_show(show)
        with alone(self._busy, self.pace):
            return self.run(self.answer(turn), show)

    def continue_(self, turn: Turn | int, show: Show | None = None) -> Turn:
        """Goes on with a reply that was cut off, written or imported, as a new version of it; see `continuation`."""
        check_show(show)
        with alone(self._busy, self.pace):
            return self.run(self.continuation(turn), show)

    def fork(self, turn: Turn | int, index: int, token: int, show: Show | None = None) -> Turn:
        """Puts another token at a place of a reply and lets the model go on from there, as a new version of it.

        Args:
            turn: a reply.
            index: the place, from 0.
            token: its id.
            show: called with each piece of the reply's text as it comes.

        Raises:
            IndexError, ValueError: there is no such place, or no such token; see `forked`.
        """
        check_show(show)
        with alone(self._busy, self.pace):
            return self.run(self.forked(turn, index, token), show)

    def edit(self, turn: Turn | int, text: str, show: Show | None = None) -> Turn:
        """Says a turn in other words, as a new version of it; what followed stays with the old one.

        Returns:
            For a user's turn the reply to its new version, for a reply the new version itself.

        Raises:
            UnknownTurnError: it is not in this conversation, or no longer.
            TypeError, ValueError, ModelError: as for `send`.
        """
        check_show(show)
        with alone(self._busy, self.pace):
            changed = self.rewrite(turn, text)
            return changed if changed.role == "assistant" else self.run(self.answer(changed, said=True), show)

    def rewrite(self, turn: Turn | int, text: str) -> Turn:
        """Adds a new version of a turn, which is not answered, and selects it."""
        old, text, model = self.conversation.find(turn), check_message(text), self.load_model()
        make = user_turn if old.role == "user" else written_turn
        return self.add(make(self.conversation.reserve(), old.parent, text, model))

    def code(self, turn: Turn | int) -> str:
        """Python code that makes a reply again, id for id.

        Raises:
            ValueError: no model made it, or another one than the chat is with now.
        """
        return as_python(self, self.conversation.find(turn))

    def clear(self) -> None:
        """Selects an empty path; `undo` brings the conversation back."""
        self.conversation.clear()

    def undo(self) -> Sequence[Turn]:
        """Restores the previous selection of the conversation's tree; returns the path."""
        return self.conversation.undo()

    def select(self, turn: Turn | int) -> Sequence[Turn]:
        """Selects the path through a turn; returns it. The id of a running reply means the path that it answers."""
        running = self._running
        if running is not None and turn == running.id:
            self.conversation.point(running.parent)
            return self.path
        return self.conversation.select(turn)

    def siblings(self, turn: Turn | int) -> Sequence[Turn]:
        """The versions of a turn, itself included, oldest first."""
        return self.conversation.siblings(turn)
