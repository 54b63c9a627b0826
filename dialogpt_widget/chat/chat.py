"""A chat: a conversation with an engine, complete without Jupyter."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dialogpt_widget.chat.candidates import NBestLists, Sides, sides_of
from dialogpt_widget.chat.chat_state import ChatState, ModelHandle, made_from
from dialogpt_widget.chat.inspector import Inspector, Without
from dialogpt_widget.chat.pace import Guess, Pace
from dialogpt_widget.chat.planner import Planner
from dialogpt_widget.chat.replay import Replay, Replayer
from dialogpt_widget.chat.reply import NBestRun, Reply
from dialogpt_widget.chat.reply_many import BATCH, Histories, reply_many
from dialogpt_widget.chat.reranking import Rerank, Reranking, reranking_of
from dialogpt_widget.chat.runner import Runner, Show
from dialogpt_widget.chat.slow_motion import SlowMotion
from dialogpt_widget.chat.turns import conversation_of
from dialogpt_widget.dialogue import exports, files
from dialogpt_widget.dialogue.context import Context
from dialogpt_widget.dialogue.conversation import Conversation
from dialogpt_widget.dialogue.exports import Messages, messages_of, read_messages
from dialogpt_widget.dialogue.nbest import NBest
from dialogpt_widget.dialogue.share import SharedChat, from_line, to_line
from dialogpt_widget.dialogue.tokens import TokenTable
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.engine.loading.hub import Progress
from dialogpt_widget.engine.loading.names import MEDIUM
from dialogpt_widget.errors import check_show, explain_keywords
from dialogpt_widget.settings import Settings

if TYPE_CHECKING:
    import pandas as pd
    from typing_extensions import Self

    from dialogpt_widget.engine.generation.trace import Token
    from dialogpt_widget.engine.introspection import Choice, Place
    from dialogpt_widget.engine.model import ChatModel
    from dialogpt_widget.engine.models.gpt2 import Depth


class Chat:
    """A conversation with a model.

    Every verb that takes a turn takes its id as well, and raises UnknownTurnError where the turn is not in this
    conversation, or no longer. A verb that writes a file writes it whole or not at all, and raises OSError where it
    cannot.

    Args:
        model: a name ("mini", "microsoft/DialoGPT-medium", a folder ...) or a loaded `ChatModel`.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        precision: "auto", "float32", "bfloat16", "float16" or, on a CPU, "int8".
        revision: a branch, tag or commit on the hub.
        settings: how replies are decoded; if not given, the defaults, or for "mini" what suits it.
        conversation: a conversation to go on with.
        rerank: what chooses one of several replies, where `settings.candidates` or `settings.num_beams` is above 1: a
            name of `dialogpt_widget.reranking.RERANKERS`, a scorer, a function, several with weights; see `Reranking`.

    Attributes:
        state: what the parts below share.
        planner: makes replies.
        runner: runs them, one at a time.
        slow_motion: runs them token by token.
        inspector: answers questions about tokens.
        replayer: makes replies again.
        lists: the lists of several replies.

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
        reranking = reranking_of(rerank)
        handle = ModelHandle(model, device=device, precision=precision, revision=revision)
        self.state = ChatState(handle, conversation, settings, reranking)
        self.planner = Planner(self.state)
        self.runner = Runner(self.state)
        self.slow_motion = SlowMotion(self.state, self.planner, self.runner)
        self.inspector = Inspector(self.state)
        self.replayer = Replayer(self.state)
        self.lists = NBestLists(self.state)

    def __repr__(self) -> str:
        return f"<Chat {self.summary}>"

    @property
    def summary(self) -> str:
        """The model, the number of turns, and where the model runs, in a line."""
        model = self.model
        where = f"{model.precision} on {model.device}" if model else "not loaded"
        return f"{self.model_name}, {len(self.path)} turns, {where}"

    # The model

    @property
    def model(self) -> ChatModel | None:
        """The model if it is loaded, else None."""
        return self.state.model.loaded

    @property
    def model_name(self) -> str:
        """The model's full name."""
        return self.state.model.name

    @property
    def device(self) -> str:
        """The device that was asked for."""
        return self.state.model.device

    @property
    def precision(self) -> str:
        """The precision that was asked for."""
        return self.state.model.precision

    @property
    def revision(self) -> str | None:
        """The model's revision that was asked for."""
        return self.state.model.revision

    def load_model(self, progress: Progress | None = None) -> ChatModel:
        """The model, loaded now if it is not yet.

        Args:
            progress: called with a line for people and a share from 0 to 1, or None where that is unknown.

        Raises:
            ModelError: the model could not be loaded; the message says why and what to do.
            ValueError: a conversation that is damaged has ids that the model does not have.
        """
        return self.state.load_model(progress)

    def use(
        self, model: str | ChatModel, *, device: str = "auto", precision: str = "auto", revision: str | None = None
    ) -> None:
        """Goes on with another model, which is loaded when it is needed; the conversation stays.

        So do settings that somebody chose; those that suited the old model give way to those that suit the new one.

        Raises:
            TypeError: neither a name nor a `ChatModel`.
            ValueError: that is not a device, or not a precision.
        """
        self.state.use(ModelHandle(model, device=device, precision=precision, revision=revision))

    def unload(self) -> None:
        """Lets go of the model; it is loaded again, by its name, when it is needed."""
        self.state.use(self.state.model.unloaded())

    @property
    def settings(self) -> Settings:
        """How the next reply is decoded; assign `Settings(...)` or `chat.settings.replace(...)`."""
        return self.state.settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        self.state.settings = settings

    # What was said

    @property
    def conversation(self) -> Conversation:
        """All turns ever said, as a tree."""
        return self.state.conversation

    @property
    def turns(self) -> tuple[Turn, ...]:
        """Every turn of every branch, in the order in which they settled."""
        return self.conversation.turns

    @property
    def path(self) -> tuple[Turn, ...]:
        """The selected branch of the conversation, root first."""
        return self.conversation.path

    @property
    def messages(self) -> Messages:
        """The settled turns of the selected path as `[{"role", "content"}]`.

        Assigning such a list starts a conversation from it, which loads the model; `undo` brings back the one before.
        """
        return messages_of(self.path)

    @messages.setter
    def messages(self, messages: Messages) -> None:
        self.conversation.graft(conversation_of(messages, self.load_model()))

    @property
    def tokens(self) -> TokenTable:
        """One row a token of the selected path, EOS included."""
        model = self.load_model()
        return TokenTable.of_turns(self.path, model.eos, model.vocabulary, model.decode)

    @property
    def context(self) -> Context:
        """What the model would see of the selected path now, and which turns have fallen out."""
        return self.state.context_of(self.path)

    def clear(self) -> None:
        """Selects an empty path; `undo` brings the conversation back."""
        self.conversation.clear()

    def undo(self) -> Sequence[Turn]:
        """Restores the previous selection of the conversation's tree; returns the path."""
        return self.conversation.undo()

    def select(self, turn: Turn | int) -> Sequence[Turn]:
        """Selects the path through a turn; returns it. The id of a running reply means the path that it answers."""
        running = self.running
        if running is not None and turn == running.id:
            self.conversation.point(running.parent)
            return self.path
        return self.conversation.select(turn)

    def siblings(self, turn: Turn | int) -> Sequence[Turn]:
        """The versions of a turn, itself included, oldest first."""
        return self.conversation.siblings(turn)

    def forget(self, turn: Turn | int) -> tuple[Turn, ...]:
        """Erases a turn with all that follows it, for good: `undo` does not bring it back.

        Returns:
            What was erased.

        Raises:
            RuntimeError: a reply is running there.
        """
        return self.runner.forget(turn)

    # Saying something

    def say(self, text: str) -> Turn:
        """Adds a user's turn to the selected path without having it answered.

        Raises:
            TypeError: not a string.
            ValueError: empty, or too long.
            ModelError: the model could not be loaded.
        """
        return self.runner.say(text)

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

    async def asend(self, text: str, show: Show | None = None) -> Turn:
        """`send` for asyncio; cancelling it stops the reply, or keeps it from beginning."""
        stop = threading.Event()
        work = asyncio.ensure_future(asyncio.to_thread(self._send, text, show, stop))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            stop.set()
            raise

    def _send(self, text: str, show: Show | None, stop: threading.Event) -> Turn:
        check_show(show)
        with self.runner.exclusive():
            if stop.is_set():
                raise asyncio.CancelledError  # before anything was said
            return self.runner.run(self.planner.answer(self.say(text), stop, said=True), show)

    def regenerate(self, turn: Turn | int | None = None, show: Show | None = None) -> Turn:
        """Answers again: another version of a reply, or an answer to a user's turn; by default the path's last."""
        return self._run(lambda: self.planner.answer(turn), show)

    def continue_(self, turn: Turn | int, show: Show | None = None) -> Turn:
        """Goes on with a reply that was cut off, written or imported, as a new version of it.

        The new version keeps the dice and settings of the old one, and may be longer by `max_new_tokens`.

        Raises:
            ValueError: that is no reply, it ended by itself, or it fills the window.
            ModelError: the model could not be loaded or run.
        """
        return self._run(lambda: self.planner.continuation(turn), show)

    def fork(self, turn: Turn | int, index: int, token: int, show: Show | None = None) -> Turn:
        """Puts another token at a place of a reply and lets the model go on from there, as a new version of it.

        The new version keeps the dice and settings of the old one; ids are taken over, never encoded again.

        Args:
            turn: a reply.
            index: the place, from 0.
            token: its id.
            show: called with each piece of the reply's text as it comes.

        Raises:
            IndexError: the reply has no such token.
            ValueError: the model did not make the reply, it was another model, or there is no such id.
        """
        return self._run(lambda: self.planner.fork(turn, index, token), show)

    def edit(self, turn: Turn | int, text: str, show: Show | None = None) -> Turn:
        """Says a turn in other words, as a new version of it; what followed stays with the old one.

        Returns:
            For a user's turn the reply to its new version, for a reply the new version itself.

        Raises:
            TypeError, ValueError, ModelError: as for `send`.
        """
        check_show(show)
        with self.runner.exclusive():
            changed = self.runner.rewrite(turn, text)
            if changed.role == "assistant":
                return changed
            return self.runner.run(self.planner.answer(changed, said=True), show)

    def _run(self, make: Callable[[], Reply | NBestRun], show: Show | None) -> Turn:
        check_show(show)
        with self.runner.exclusive():
            return self.runner.run(make(), show)

    @property
    def running(self) -> Reply | NBestRun | None:
        """The reply that is running, or several of which one is to be chosen."""
        return self.runner.running

    def stop(self) -> None:
        """Stops the running reply before the model's next step; any thread may call it."""
        self.runner.stop()

    def on_token(self, listener: Callable[[Token], Any]) -> Callable[[], None]:
        """Calls `listener(token)` for each token of each reply; returns a function that ends that.

        Of several replies that are said side by side the listener is not told. A token that was taken back is told
        again when it is revealed again.
        """
        return self.runner.token_listeners.add(listener)

    def on_turn(self, listener: Callable[[Turn], Any]) -> Callable[[], None]:
        """Calls `listener(turn)` for each turn that settles; returns a function that ends that."""
        return self.runner.turn_listeners.add(listener)

    # Several replies

    @property
    def rerank(self) -> Rerank:
        """What chooses one of several replies; assign a name, a scorer, a function, several; see `Reranking`."""
        return self.state.reranking.rerank

    @rerank.setter
    def rerank(self, rerank: Rerank | Reranking) -> None:
        self.state.reranking = rerank if isinstance(rerank, Reranking) else self.reranking.changed(rerank=rerank)

    @property
    def reranking(self) -> Reranking:
        """The same with its rules and temperature."""
        return self.state.reranking

    def candidates(self, turn: Turn | int | None = None) -> NBest:
        """The newest list of replies to a message, or that a reply is in; by default to the path's last message.

        Raises:
            ValueError: there is none.
        """
        return self.lists.newest(turn)

    def pick(self, made: NBest | int, place: int) -> Turn:
        """Makes a reply of a list a version in the tree, if it is none yet, and selects it; `undo` goes back.

        Raises:
            UnknownListError, IndexError: there is no such list, or it has no such reply.
        """
        return self.lists.pick(made, place)

    def rank(self, made: NBest | int | None = None) -> NBest:
        """Ranks a list anew by what chooses now; what is selected stays as it is.

        By default it is the list of the path's last message.

        Raises:
            ValueError: there is no list, another model made it, or what chooses cannot read its replies.
            UnknownListError, ModelError: there is no such list, or something could not be loaded.
        """
        return self.lists.rank(made)

    def compare(self, sides: Sides, turn: Turn | int | None = None) -> NBest:
        """Answers a turn as several settings or models would, with the same dice; `pick` says which one goes on.

        Args:
            sides: 2 to 6 `Settings`, models or their names, or pairs of a model and settings; in a dictionary they have
                labels.
            turn: a message, or a reply to it; by default the path's last.

        Returns:
            The list of replies, with the log-probability of each as every side would have drawn it.

        Raises:
            TypeError, ValueError: these cannot be compared, or there is nothing to answer.
            ModelError: a model could not be loaded or run.
            RuntimeError: the comparison was stopped before anything was said.
        """
        with self.runner.exclusive():
            run = self.planner.comparison(sides_of(sides, self.settings), turn)
            self.runner.run(run)
        return run.result()

    def reply_many(
        self,
        histories: Histories,
        settings: Settings | None = None,
        rerank: Rerank | Reranking = None,
        *,
        batch_size: int = BATCH,
        progress: bool = True,
    ) -> pd.DataFrame:
        """Answers many histories, several side by side; see `dialogpt_widget.many.reply_many`.

        Returns:
            A row a history: `history, text, ids, stop, logprob, scores`, and `candidates` where there are several.
        """
        return reply_many(self.state, histories, settings, rerank, batch_size=batch_size, progress=progress)

    # Slow motion

    @property
    def pace(self) -> Pace:
        """How fast a running reply is revealed: `run()`, `pause()`, `play(4)`, `guessing`."""
        return self.state.pace

    def step(self) -> Token | None:
        """Reveals one more token of a reply.

        Pauses the reply that is running; where none is, begins one to the path's last message, in the background.

        Returns:
            The token; None once the reply has ended with the one before, and has settled.

        Raises:
            ValueError: there is nothing to answer.
            RuntimeError: the token is to be guessed first.
            ModelError: the model could not be loaded or run.
        """
        return self.slow_motion.step()

    def force(self, token: int) -> Token:
        """Reveals a token of one's choice in place of the model's; the model goes on from there.

        Args:
            token: its id. That of the end of the turn ends the reply.

        Raises:
            ValueError: there is nothing to answer, or no such id.
            RuntimeError: the reply has ended.
        """
        return self.slow_motion.force(token)

    def back(self) -> None:
        """Takes back the token that was revealed last; does nothing before the first.

        Raises:
            RuntimeError: no reply is running.
        """
        self.slow_motion.back()

    def guess(self, guess: str | int) -> Guess:
        """Guesses the next token, which is then revealed.

        Args:
            guess: a text, whose first token counts, with the space before it if it has one; or an id.

        Raises:
            ValueError: there is nothing to answer, nothing was typed, or there is no such id.
            RuntimeError: the reply has ended.
        """
        return self.slow_motion.guess(guess)

    def finish(self) -> Turn:
        """Runs a reply to its end, guessed or not, and returns it. Ctrl-C stops it.

        Raises:
            RuntimeError: no reply is running.
            ModelError: the model could not be run.
        """
        return self.slow_motion.finish()

    # Looking at tokens; a turn is a reply, and places in it count from 0

    def explain(self, turn: Turn | int, index: int, **changes: Any) -> Choice:
        """Takes the choice of a token apart: each stage's distribution, what was cut, where the dice hit.

        Args:
            turn: a reply.
            index: the token's place.
            **changes: settings that are to differ, such as `temperature=0.5`; the dice stay.

        Raises:
            IndexError: the reply has no such token.
            ValueError: the model did not make the reply, it was another model, or a setting is out of bounds.
        """
        return self.inspector.explain(turn, index, **changes)

    def ranked(self, turn: Turn | int, index: int, first: int = 1, count: int = 10) -> list[Place]:
        """The tokens of some ranks at a place of a reply, under the model's own distribution.

        Raises:
            IndexError: the reply has no such token.
            ValueError: ranks begin with 1; else as for `explain`.
        """
        return self.inspector.ranked(turn, index, first, count)

    def chances(self, turn: Turn | int, index: int, text: str) -> list[Place]:
        """How probable each token of a typed piece was at a place of a reply, each after those before it.

        Args:
            turn: a reply.
            index: the place.
            text: the piece, with the space before it if it has one.

        Raises:
            IndexError: the reply has no such token.
            ValueError: nothing was typed; else as for `explain`.
        """
        return self.inspector.chances(turn, index, text)

    def inside(self, turn: Turn | int, index: int) -> Depth:
        """What happened in each layer and head when a token was chosen, by one forward pass more; GPT-2 models only."""
        return self.inspector.inside(turn, index)

    def score(self, text: str, turn: Turn | int | None = None) -> TokenTable:
        """How probable a typed reply is, token by token and to its end.

        Args:
            text: the reply.
            turn: the message that it answers, or a reply to it; by default the path's last.

        Returns:
            One row a token of the reply, EOS included, with log-probability, rank, entropy and alternatives.

        Raises:
            TypeError: not a string.
            ValueError: there is nothing to answer, or the reply does not fit the window.
            ModelError: the model could not be loaded.
        """
        return self.inspector.score(text, turn)

    def without(self, turn: Turn | int, turns: Iterable[Turn | int]) -> Without:
        """How probable a reply would have been had some of the turns before it not been said: one forward pass.

        Where all of them are left out, the model begins as it does with every text, after an EOS.

        Raises:
            ValueError: the model did not see these; else as for `explain`.
        """
        return self.inspector.without(turn, turns)

    def replay(self, turn: Turn | int) -> Replay:
        """Computes a reply again, in one forward pass, and compares ids and log-probabilities with the record.

        What was given or forced is taken as it is; its log-probability is compared too. What the reply began with was
        decoded for another reply and is left to that one's replay.

        Raises:
            ValueError: the model did not make the reply, or it was another model.
        """
        return self.replayer.replay(turn)

    def code(self, turn: Turn | int) -> str:
        """Python code that makes a reply again, id for id.

        Raises:
            ValueError: no model made it, or another one than the chat is with now.
        """
        return self.replayer.code(turn)

    # Keeping and handing on

    @property
    def saved(self) -> files.Saved:
        """What a file of this chat holds."""
        return files.Saved(self.conversation, self.model_name, self.settings)

    @classmethod
    def load(cls, path: str | Path, model: str | ChatModel | None = None, **options: Any) -> Self:
        """A chat from a file that `save` wrote.

        Args:
            path: of the file.
            model: to go on with; the one that it was saved with if not given.
            **options: of the constructor, such as `device`.

        Raises:
            ValueError: the file is damaged, of a newer version, or no saved conversation; nothing is loaded by halves.
            OSError: it cannot be read, or there is none.
        """
        return made_from(cls, files.load(path), model, options)

    @classmethod
    def open(cls, line: str, model: str | ChatModel | None = None, **options: Any) -> Self:
        """A chat from a line that `share` made; loads the model and computes what the line leaves out.

        Args:
            line: all of it; white space in it does not matter.
            model: to go on with; the one that was shared if not given.
            **options: of the constructor, such as `device`.

        Raises:
            TypeError, ValueError: it is no such line, or damaged.
            ModelError: the model could not be loaded.
        """
        shared = from_line(line)
        chat = made_from(cls, shared.saved, model, options)
        chat.replayer.expect(shared)
        chat.replayer.verify()
        return chat

    @property
    def differences(self) -> dict[int, int]:
        """Of a chat opened from a line, by a reply's id, the first place where this machine would choose otherwise."""
        return self.replayer.differences

    @property
    def stranger(self) -> bool:
        """Whether a chat opened from a line was with a model of the same name but other weights."""
        return self.replayer.stranger

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
            others = [conversation_of(messages, self.load_model()) for messages in read_messages(text)]
        return self.state.graft(others)

    def share(self, pinned: tuple[int | None, int | None] = (None, None)) -> str:
        """This chat as one line to paste into `ChatWidget.open` or `Chat.open` on another machine.

        It holds the model's name and the fingerprint of its weights, settings, every branch as ids, the dice, and what
        is pinned; probabilities are computed where it is opened.

        Args:
            pinned: a turn's id and a token's place in it that shall be open there.
        """
        return to_line(SharedChat(self.saved, self.load_model().fingerprint, pinned))

    def save(self, path: str | Path, branches: bool = True) -> None:  # noqa: FBT001, FBT002
        """Writes the conversation with ids, settings and token rows as JSON, from which `load` makes it anew.

        Args:
            path: of the file.
            branches: whether all branches, or the selected path alone.
        """
        files.save(self.saved, path, branches=branches)

    def export_markdown(self, path: str | Path, *, branches: bool = False) -> None:
        """Writes the selected path, or every branch, as Markdown."""
        files.write(path, exports.to_markdown(self.conversation, branches=branches))

    def export_messages(self, path: str | Path, *, branches: bool = False) -> None:
        """Writes `[{"role", "content"}]` as JSON; with branches a list of such lists."""
        files.write(path, exports.to_messages(self.conversation, branches=branches))

    def export_dataset(self, path: str | Path, *, branches: bool = False) -> None:
        """Writes rows `{"messages": [...]}` as JSON lines, for `datasets.load_dataset("json", data_files=path)`."""
        files.write(path, exports.to_dataset(self.conversation, branches=branches))

    def export_tokens(self, path: str | Path) -> None:
        """Writes the selected path's token table as CSV or Parquet, by the file's ending.

        Raises:
            ValueError: another ending.
            ImportError: pandas, or for Parquet pyarrow, is not installed.
        """
        files.write_tokens(path, lambda: self.tokens)
