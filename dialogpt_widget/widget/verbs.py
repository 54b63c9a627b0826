"""What a notebook calls on a widget: the verbs of `Chat`, which wait for the worker and show what they do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dialogpt_widget.chat.candidates import Sides, sides_of
from dialogpt_widget.chat.inspector import Without
from dialogpt_widget.chat.replay import Replay
from dialogpt_widget.chat.reply import NBestRun
from dialogpt_widget.chat.reranking import Rerank, Reranking
from dialogpt_widget.dialogue import files
from dialogpt_widget.dialogue.conversation import Conversation
from dialogpt_widget.dialogue.exports import Messages
from dialogpt_widget.dialogue.nbest import NBest
from dialogpt_widget.dialogue.tokens import TokenTable
from dialogpt_widget.dialogue.turn import Turn, check_message
from dialogpt_widget.engine.loading.names import MEDIUM
from dialogpt_widget.settings import Settings
from dialogpt_widget.widget.item import Item
from dialogpt_widget.widget.keys import SELECTION, key_of
from dialogpt_widget.widget.session import Session
from dialogpt_widget.widget.slow_motion import SlowVerbs

if TYPE_CHECKING:
    from typing_extensions import Self

    from dialogpt_widget.engine.generation.trace import Token
    from dialogpt_widget.engine.introspection import Choice, Place
    from dialogpt_widget.engine.model import ChatModel
    from dialogpt_widget.engine.models.logit_lens import Depth


class Verbs(SlowVerbs):
    """The verbs; `_session` does the work."""

    _session: Session
    selected: Any

    def send(self, text: str) -> Turn:
        """Says something, streams the reply into the view and returns it. Ctrl-C stops it and keeps what was said.

        Raises:
            TypeError: not a string.
            ValueError: empty, or too long.
            ModelError: the model could not be loaded or run.
        """
        return self._wait(Item("message", check_message(text)))

    async def asend(self, text: str) -> Turn:
        """`send` for asyncio; cancelling it stops the reply."""
        return await self._session.wait_async(self._session.put(Item("message", check_message(text), awaited=True)))

    def say(self, text: str) -> Turn:
        """Says something and leaves it unanswered, for `step` or `regenerate`; the model is loaded if it is not yet.

        Raises:
            TypeError: not a string.
            ValueError: empty, or too long.
            ModelError: the model could not be loaded.
        """
        said = self._session.chat.say(text)
        self._session.show(key_of(said), *SELECTION)
        return said

    def regenerate(self, turn: Turn | int | None = None) -> Turn:
        """Answers again: another version of a reply, by default of the last."""
        return self._wait(Item("regenerate", turn=self._session.chat.conversation.question(turn)))

    def continue_(self, turn: Turn | int) -> Turn:
        """Goes on with a reply that was cut off, written or imported, as a new version of it."""
        return self._wait(Item("continue", turn=self._session.chat.planner.unfinished(turn)))

    def fork(self, turn: Turn | int, index: int, token: int) -> Turn:
        """Puts another token at a place of a reply and lets the model go on from there, as a new version of it."""
        old = self.conversation.find(turn)
        self._session.chat.planner.check_fork(old, index, token)
        return self._wait(Item("fork", turn=old, index=index, token=token))

    def share(self) -> str:
        """This chat, with what is selected in the view, as one line for `ChatWidget.open` on another machine."""
        at, index = self.selected, getattr(self.selected, "index", None)
        turn = getattr(at, "turn", at)
        return self._session.chat.share((None if turn is None else turn.id, index))

    def score(self, text: str, turn: Turn | int | None = None) -> TokenTable:
        """How probable a typed reply is, token by token and to its end; see `Chat.score`."""
        return self._session.chat.score(text, turn)

    def replay(self, turn: Turn | int) -> Replay:
        """Computes a reply again and compares ids and log-probabilities with the record."""
        return self._session.chat.replay(turn)

    def explain(self, turn: Turn | int, index: int, **changes: Any) -> Choice:
        """Takes the choice of a token apart; see `Chat.explain`."""
        return self._session.chat.explain(turn, index, **changes)

    def ranked(self, turn: Turn | int, index: int, first: int = 1, count: int = 10) -> list[Place]:
        """The tokens of some ranks at a place of a reply; see `Chat.ranked`."""
        return self._session.chat.ranked(turn, index, first, count)

    def chances(self, turn: Turn | int, index: int, text: str) -> list[Place]:
        """How probable a typed piece was at a place of a reply; see `Chat.chances`."""
        return self._session.chat.chances(turn, index, text)

    def inside(self, turn: Turn | int, index: int) -> Depth:
        """Each layer's guesses and each head's attention at a place of a reply; GPT-2 models only."""
        return self._session.chat.inside(turn, index)

    def without(self, turn: Turn | int, turns: Iterable[Turn | int]) -> Without:
        """How probable a reply would have been had some of the turns before it not been said."""
        return self._session.chat.without(turn, turns)

    def edit(self, turn: Turn | int, text: str) -> Turn:
        """Says a turn in other words, as a new version of it; what followed stays with the old one.

        Returns:
            For a user's turn the reply to its new version, for a reply the new version itself.
        """
        old = self.conversation.find(turn)
        if old.role == "user":
            return self._wait(Item("edit", check_message(text), old))
        changed = self._session.chat.runner.rewrite(old, text)
        self._session.show(key_of(changed), *SELECTION)
        return changed

    def candidates(self, turn: Turn | int | None = None) -> NBest:
        """The newest list of replies to a message, or that a reply is in; see `Chat.candidates`."""
        return self._session.chat.candidates(turn)

    def pick(self, made: NBest | int, place: int) -> Turn:
        """Makes one of several replies a version in the tree, if it is none yet, and selects it."""
        return self._session.pick(made, place)

    def rank(self, made: NBest | int | None = None) -> NBest:
        """Ranks several replies anew by what chooses now; what is selected stays as it is."""
        return self._session.rank(made)

    def compare(self, sides: Sides, turn: Turn | int | None = None) -> NBest:
        """Answers a turn as several settings or models would, with the same dice; see `Chat.compare`."""
        chat = self._session.chat
        item = Item("compare", turn=chat.conversation.question(turn), sides=sides_of(sides, chat.settings))
        self._wait(item)
        assert isinstance(item.made, NBestRun)
        return item.made.result()

    @property
    def rerank(self) -> Rerank:
        """What chooses one of several replies; assign a name, a scorer, a function, several; see `Reranking`."""
        return self._session.chat.rerank

    @rerank.setter
    def rerank(self, rerank: Rerank | Reranking) -> None:
        self._session.chat.rerank = rerank
        self._session.show("rerank", "rerankers")

    def stop(self) -> None:
        """Stops the running reply before the model's next step; what was said is kept."""
        self._session.stop()

    def use(self, model: str | ChatModel) -> None:
        """Goes on with another model; the conversation stays."""
        self._session.use(model)

    def clear(self) -> None:
        """Selects an empty path; `undo` brings the conversation back."""
        self._session.chat.clear()
        self._session.show(*SELECTION)

    def undo(self) -> Sequence[Turn]:
        """Restores the previous selection of the conversation's tree; returns the path."""
        path = self._session.chat.undo()
        self._session.show(*SELECTION)
        return path

    def select(self, turn: Turn | int) -> Sequence[Turn]:
        """Selects the path through a turn; returns it."""
        path = self._session.chat.select(turn)
        self._session.show(*SELECTION)
        return path

    def siblings(self, turn: Turn | int) -> Sequence[Turn]:
        """The versions of a turn, itself included, oldest first."""
        return self.conversation.siblings(turn)

    def forget(self, turn: Turn | int) -> None:
        """Erases a turn with all that follows it, for good: `undo` does not bring it back.

        Raises:
            RuntimeError: a reply is running there.
            UnknownTurnError: it is not in this conversation, or no longer.
        """
        gone = self._session.forget(turn)
        if getattr(self.selected, "turn", self.selected) in gone:
            self.selected = None

    def code(self, turn: Turn | int) -> str:
        """Python code that makes a reply again, id for id."""
        return self._session.chat.code(turn)

    @property
    def model(self) -> ChatModel | None:
        """The model if it is loaded, else None."""
        return self._session.chat.model

    @property
    def conversation(self) -> Conversation:
        """All turns ever said, as a tree."""
        return self._session.chat.conversation

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
        return self._session.chat.messages

    @messages.setter
    def messages(self, messages: Messages) -> None:
        self._session.chat.messages = messages
        self._session.show(*map(key_of, self.path), *SELECTION)

    @property
    def tokens(self) -> TokenTable:
        """One row a token of the selected path, EOS included."""
        return self._session.chat.tokens

    @property
    def saved(self) -> files.Saved:
        """What a file of this chat holds."""
        return self._session.chat.saved

    @property
    def settings(self) -> Settings:
        """How the next reply is decoded; assign `Settings(...)` or `chat.settings.replace(...)`."""
        return self._session.chat.settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        self._session.chat.settings = settings
        self._session.show("settings", "meter")

    def on_token(self, listener: Callable[[Token], Any]) -> Callable[[], None]:
        """Calls `listener(token)` for each token of each reply; returns a function that ends that."""
        return self._session.chat.on_token(listener)

    def on_turn(self, listener: Callable[[Turn], Any]) -> Callable[[], None]:
        """Calls `listener(turn)` for each turn that settles; returns a function that ends that."""
        return self._session.chat.on_turn(listener)

    @classmethod
    def load(cls, path: str | Path, model: str | ChatModel | None = None, **options: Any) -> Self:
        """A chat from a file that `save` wrote.

        Args:
            path: of the file.
            model: to go on with; the one that it was saved with if not given.
            **options: of the constructor, such as `device`.

        Raises:
            ValueError: the file is damaged, of a newer version, or no saved conversation; nothing is loaded by halves.
            FileNotFoundError: there is no such file.
            OSError: it cannot be read.
        """
        saved = files.load(path)
        options.setdefault("settings", saved.settings)
        make: Any = cls
        widget: Self = make(model or saved.model or MEDIUM, conversation=saved.conversation, **options)
        return widget

    def save(self, path: str | Path, branches: bool = True) -> None:  # noqa: FBT001, FBT002
        """Writes the conversation with ids, settings and token rows as JSON, from which `load` makes it anew.

        Args:
            path: of the file.
            branches: whether all branches, or the selected path alone.
        """
        self._session.chat.save(path, branches)

    def export_markdown(self, path: str | Path, *, branches: bool = False) -> None:
        """Writes the selected path, or every branch, as Markdown."""
        self._session.chat.export_markdown(path, branches=branches)

    def export_messages(self, path: str | Path, *, branches: bool = False) -> None:
        """Writes `[{"role", "content"}]` as JSON; with branches a list of such lists."""
        self._session.chat.export_messages(path, branches=branches)

    def export_dataset(self, path: str | Path, *, branches: bool = False) -> None:
        """Writes rows `{"messages": [...]}` as JSON lines, for `datasets.load_dataset("json", data_files=path)`."""
        self._session.chat.export_dataset(path, branches=branches)

    def export_tokens(self, path: str | Path) -> None:
        """Writes the selected path's token table as CSV or Parquet, by the file's ending."""
        self._session.chat.export_tokens(path)

    def _wait(self, item: Item) -> Turn:
        item.awaited = item.paced = True
        return self._session.wait(self._session.put(item))
