"""How a chat answers: which turn, in which context, with which dice, one reply at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from dialogpt_widget.chat.model_handle import ModelHolder
from dialogpt_widget.chat.pace import Pace
from dialogpt_widget.chat.reply import Prefix, Reply
from dialogpt_widget.dialogue.context import Context, build_context, check_known, encoded_for
from dialogpt_widget.dialogue.conversation import Conversation
from dialogpt_widget.dialogue.tokens import Reading, TokenTable
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.engine.hidden_states import HiddenStates
from dialogpt_widget.engine.loading.hub import Progress
from dialogpt_widget.errors import check_settings
from dialogpt_widget.settings import Settings

if TYPE_CHECKING:
    from dialogpt_widget.engine.model import ChatModel


class Replies(ModelHolder):
    """A conversation, a model and settings; from them replies.

    Attributes:
        conversation: all turns ever said, as a tree.
        states: what replies were decoded from.
        pace: how fast a running reply is revealed.
    """

    conversation: Conversation

    def __init__(self, conversation: Conversation | None, settings: Settings) -> None:
        self.conversation = conversation if conversation is not None else Conversation()
        self.settings = settings
        self.states = HiddenStates()
        self.pace = Pace()
        if self.model is not None:
            self.admit(self.model)
            self.load_model()
        self._replies = 0
        self.renumber()

    def renumber(self) -> None:
        """Numbers the next reply after all that the conversation has and all that were begun."""
        turns = [*self.conversation.turns, *(turn for made in self.conversation.nbests for turn in made.turns)]
        known = (turn.reply + 1 for turn in turns if turn.reply is not None)
        self._replies = max(self._replies, *known, 0)

    def admit(self, model: ChatModel, turns: Iterable[Turn] | None = None) -> None:
        """Refuses a model where turns of it, by default the conversation's, have ids that it does not have.

        Raises:
            ValueError: one has.
        """
        check_known(self.turns if turns is None else turns, model.name, model.vocabulary)

    def load_model(self, progress: Progress | None = None) -> ChatModel:
        """The model, loaded now if it is not yet; see `ModelHolder.load_model`."""
        model = super().load_model(progress)
        if model is self.model:
            self.conversation.reading = Reading(model.eos, model.vocabulary, model.decode)
        return model

    @property
    def settings(self) -> Settings:
        """How the next reply is decoded; assign `Settings(...)` or `chat.settings.replace(...)`."""
        return self._settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        self._settings = check_settings(settings)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """Every turn of every branch, in the order in which they settled."""
        return self.conversation.turns

    @property
    def path(self) -> tuple[Turn, ...]:
        """The selected branch of the conversation, root first."""
        return self.conversation.path

    @property
    def tokens(self) -> TokenTable:
        """One row a token of the selected path, EOS included."""
        model = self.load_model()
        return TokenTable.of_turns(self.path, model.eos, model.vocabulary, model.decode)

    @property
    def context(self) -> Context:
        """What the model would see of the selected path now, and which turns have fallen out."""
        return self.context_of(self.path, self.settings)

    def context_of(self, path: Sequence[Turn], settings: Settings, begun: int = 0) -> Context:
        """What the model sees of a path; see `build_context`."""
        model = self.load_model()
        turns = encoded_for(path, model.name, model.encode)
        return build_context(turns, model.eos, settings, model.positions, begun)

    def question(self, turn: Turn | int | None = None) -> Turn:
        """The user's turn that a reply to `turn` answers: itself, or of a reply the one before; by default the last.

        Raises:
            ValueError: there is no such turn.
            UnknownTurnError: it is not in this conversation, or no longer.
        """
        asked = self.conversation.find(turn) if turn is not None else next(iter(self.path[-1:]), None)
        if asked is not None and asked.role == "assistant" and asked.parent is not None:
            asked = self.conversation[asked.parent]
        if asked is None or asked.role != "user":
            raise ValueError("There is nothing to answer: say something first.")
        return asked

    def reply(
        self, turn: Turn | int | None = None, stop: threading.Event | None = None, *, said: bool = False
    ) -> Reply:
        """A new reply to a turn (see `question`), to be handed to `run`.

        Args:
            turn: what is answered.
            stop: an event that stops it; one of its own if not given.
            said: whether the turn was said for it, so that `undo` takes back both.

        Raises:
            ValueError: there is no such turn.
            UnknownTurnError: it is not in this conversation, or no longer.
            ModelError: the model could not be loaded.
        """
        return self._reply(self.question(turn), self._seeded(self.settings), self._number(), stop, said=said)

    def unfinished(self, turn: Turn | int) -> Turn:
        """A reply that can be continued: one that was cut off, written or imported.

        Raises:
            ValueError: that is no reply, or it ended by itself.
            UnknownTurnError: it is not in this conversation, or no longer.
        """
        old = self.conversation.find(turn)
        if old.role != "assistant":
            raise ValueError("Only a reply can be continued: this is a message.")
        if old.stop == "eos":
            raise ValueError("This reply ended by itself: the model chose the end of the turn. Edit it to go on.")
        return old

    def continuation(self, turn: Turn | int, stop: threading.Event | None = None) -> Reply:
        """A reply that begins as another, cut off or written by hand, and goes on; to be handed to `run`.

        It keeps the dice and settings of the reply that it continues, and may be longer by `max_new_tokens`.

        Raises:
            ValueError: that is no reply, it ended by itself, or it fills the window.
            UnknownTurnError: it is not in this conversation, or no longer.
            ModelError: the model could not be loaded.
        """
        old, model = self.unfinished(turn), self.load_model()
        same = old.model == model.name
        begun = Prefix(old.ids, old.rows, self.states.known(old)) if same else Prefix(tuple(model.encode(old.text)))
        if old.settings is None or old.reply is None:
            settings, number = self._seeded(self.settings), self._number()
        else:
            settings, number = old.settings, old.reply
        longest = max(len(begun.ids) + self.settings.max_new_tokens, settings.min_new_tokens)
        longest = min(longest, Settings.bounds("max_new_tokens")[1])
        return self._reply(self.question(old), settings.replace(max_new_tokens=longest), number, stop, begun)

    def _reply(
        self,
        asked: Turn,
        settings: Settings,
        number: int,
        stop: threading.Event | None,
        begun: Prefix | None = None,
        context: Context | None = None,
        *,
        said: bool = False,
    ) -> Reply:
        if context is None:
            path = self.conversation.path_to(asked)
            context = self.context_of(path, settings, len(begun.ids) if begun else 0)
        turn_id = self.conversation.reserve()
        stop = stop or threading.Event()
        model = self.load_model()
        return Reply(turn_id, asked, model, context, settings, number, stop, begun, said=said, pace=self.pace)

    def _number(self) -> int:
        self._replies += 1
        return self._replies - 1

    def _seeded(self, settings: Settings) -> Settings:
        if settings.seed is not None:
            return settings
        self.load_model()
        from dialogpt_widget.engine.generation.sampler import draw_seed

        return settings.replace(seed=draw_seed())
