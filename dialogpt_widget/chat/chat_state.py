"""What the parts of a chat share: the conversation, the model, the settings, the next reply's dice."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from dialogpt_widget.chat.pace import Pace
from dialogpt_widget.chat.reranking import Reranking
from dialogpt_widget.dialogue import files
from dialogpt_widget.dialogue.context import Context, check_known, context_for, encoded_for
from dialogpt_widget.dialogue.conversation import Conversation
from dialogpt_widget.dialogue.tokens import Reading
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.engine.hidden_states import HiddenStates
from dialogpt_widget.engine.loading.hub import Progress
from dialogpt_widget.engine.loading.names import MEDIUM, check_names, full_name, recommended
from dialogpt_widget.errors import check_settings
from dialogpt_widget.settings import Settings

if TYPE_CHECKING:
    from dialogpt_widget.engine.model import ChatModel


T = TypeVar("T")


class ModelSource:
    """A model that is loaded when it is first asked for; any thread may ask. Chats that share a model share this.

    Attributes:
        model: the model once it is loaded, else None.
    """

    def __init__(
        self,
        name: str,
        device: str = "auto",
        precision: str = "auto",
        revision: str | None = None,
        model: ChatModel | None = None,
    ) -> None:
        self.name, self.device, self.precision, self.revision = name, device, precision, revision
        self.model = model
        self._lock = threading.Lock()

    def load(self, progress: Progress | None = None) -> ChatModel:
        """Returns the model, loaded now if it is not yet.

        Args:
            progress: called with a line for people and a share from 0 to 1, or None where that is unknown.

        Raises:
            ModelError: the model could not be loaded; the next call tries again.
        """
        with self._lock:
            if self.model is None:
                from dialogpt_widget.engine.model import ChatModel

                self.model = ChatModel.from_pretrained(
                    self.name,
                    device=self.device,
                    precision=self.precision,
                    revision=self.revision,
                    progress=progress,
                )
            return self.model


class ModelHandle:
    """The model that a chat is with, by name or loaded. Another model is another handle.

    Args:
        model: a name, or a model.
        device, precision, revision: as of `Chat`.

    Attributes:
        name: the model's full name.
        device, precision, revision: as asked for.
        source: gives the model; may be replaced by one that other chats share.
        loaded: the model once the chat uses it, else None.

    Raises:
        TypeError: neither a name nor a `ChatModel`.
        ValueError: that is not a device, or not a precision.
    """

    def __init__(
        self,
        model: str | ChatModel,
        *,
        device: str = "auto",
        precision: str = "auto",
        revision: str | None = None,
    ) -> None:
        if not isinstance(model, str) and not hasattr(model, "generate"):
            raise TypeError(f'A model is a name such as "mini", or a ChatModel, not {type(model).__name__}.')
        check_names(device, precision)
        self.loaded = None if isinstance(model, str) else model
        self.name = full_name(model) if isinstance(model, str) else model.name
        self.device, self.precision, self.revision = device, precision, revision
        self.source = ModelSource(self.name, device, precision, revision, self.loaded)

    def unloaded(self) -> ModelHandle:
        """The same model by its name, to be loaded again when it is needed."""
        return ModelHandle(self.name, device=self.device, precision=self.precision, revision=self.revision)

    def load(self, check: Callable[[ChatModel], object], progress: Progress | None = None) -> ChatModel:
        """Returns the model, loaded now if it is not yet.

        Args:
            check: called with the model before the chat uses it; raises where the chat cannot.
            progress: as for `ModelSource.load`.

        Raises:
            ModelError: the model could not be loaded; the message says why and what to do.
        """
        if self.loaded is None:
            model = self.source.load(progress)
            check(model)
            self.loaded = model
        return self.loaded


@dataclass(frozen=True, slots=True)
class ModelReply:
    """A reply that the chat's model made.

    Attributes:
        turn: the reply.
        settings: how it was decoded, seed included.
        number: of the generation within the chat, which selects its dice.
        rows: its token rows.
    """

    turn: Turn
    settings: Settings
    number: int
    rows: np.ndarray


def seeded(settings: Settings) -> Settings:
    """The settings with a seed, drawn if they have none."""
    if settings.seed is not None:
        return settings
    from dialogpt_widget.engine.generation.sampler import draw_seed

    return settings.replace(seed=draw_seed())


class ChatState:
    """The state of a chat; its parts read and change it.

    Args:
        model: the model that answers.
        conversation: all turns ever said, as a tree; a new one if not given.
        settings: how replies are decoded; what suits the model if not given.
        reranking: chooses one of several replies.

    Attributes:
        hidden_states: what replies were decoded from.
        pace: how fast a running reply is revealed.

    Raises:
        TypeError: the settings are none.
        ValueError: a turn has ids that the model does not have.
    """

    def __init__(
        self, model: ModelHandle, conversation: Conversation | None, settings: Settings | None, reranking: Reranking
    ) -> None:
        self.model, self.reranking = model, reranking
        self.conversation = Conversation() if conversation is None else conversation
        self.settings = recommended(model.name) if settings is None else settings
        self.hidden_states, self.pace = HiddenStates(), Pace()
        if model.loaded is not None:
            self.check_ids(model.loaded)
            self.load_model()
        self._next_number = 0
        self.renumber()

    @property
    def settings(self) -> Settings:
        """How the next reply is decoded."""
        return self._settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        self._settings = check_settings(settings)

    def load_model(self, progress: Progress | None = None) -> ChatModel:
        """Returns the model, loaded now if it is not yet; see `Chat.load_model`."""
        handle = self.model
        model = handle.load(self.check_ids, progress)
        if handle is self.model:
            self.conversation.reading = Reading(model.eos, model.vocabulary, model.decode)
        return model

    def use(self, model: ModelHandle) -> None:
        """Goes on with another model; settings that suited the old one give way to those that suit the new one."""
        usual = self.settings == recommended(self.model.name)
        self.hidden_states.forget()
        self.conversation.reading = None
        self.reranking = self.reranking.changed()  # holds no scorer of the old model
        self.model = model
        if usual:
            self.settings = recommended(model.name)

    def check_ids(self, model: ChatModel, turns: Iterable[Turn] | None = None) -> None:
        """Refuses a model where turns of it, by default the conversation's, have ids that it does not have.

        Raises:
            ValueError: a turn has.
        """
        check_known(self.conversation.turns if turns is None else turns, model.name, model.vocabulary)

    def renumber(self) -> None:
        """Numbers the next reply after all that the conversation has and all that were begun."""
        lists = self.conversation.nbests
        turns = [*self.conversation.turns, *(turn for made in lists for turn in made.turns)]
        known = (turn.reply + 1 for turn in turns if turn.reply is not None)
        self._next_number = max(self._next_number, *known, 0)

    def graft(self, others: Sequence[Conversation]) -> tuple[Turn, ...]:
        """Takes over other conversations as new branches and selects the last one's path; returns the path.

        Raises:
            ValueError: a turn has ids that the model does not have; nothing is taken over.
        """
        if self.model.loaded is not None:
            self.check_ids(self.model.loaded, (turn for other in others for turn in other.turns))
        self.conversation.graft(*others)
        self.renumber()
        return self.conversation.path

    def next_number(self) -> int:
        """Takes the number of the next reply, which selects its dice."""
        self._next_number += 1
        return self._next_number - 1

    def context_of(self, path: Sequence[Turn], settings: Settings | None = None, prefix: int = 0) -> Context:
        """What the chat's model sees of a path; see `context_for`."""
        return context_for(self.load_model(), path, self.settings if settings is None else settings, prefix)

    def model_reply(self, turn: Turn | int, index: int = 0) -> ModelReply:
        """A reply of the chat's model that has a token at a place.

        Raises:
            ValueError: a person wrote it, or another model made it.
            IndexError: it has no such token.
            UnknownTurnError: it is not in this conversation, or no longer.
        """
        old = self.conversation.find(turn)
        if old.settings is None or old.rows is None or old.reply is None:
            raise ValueError("A person wrote this: no token of it was chosen.")
        model = self.load_model()
        if old.model != model.name:
            raise ValueError(
                f"This reply is by {old.model}: choose that model first, its ids are not those of this one."
            )
        if type(index) is not int or not 0 <= index < len(old.rows):
            raise IndexError(f"This reply has tokens 0 to {len(old.rows) - 1}, not {index!r}.")
        return ModelReply(old, old.settings, old.reply, old.rows)

    def seen(self, turn: Turn | int, index: int | None = None) -> tuple[int, ...]:
        """The ids that the model saw before a reply's first token, EOS after each turn.

        Args:
            turn: a reply.
            index: the place whose row is asked about; what a reply begins with may have been decoded in another
                context. By default the first that was decoded for this reply.

        Raises:
            ValueError, UnknownTurnError: as for `model_reply`.
        """
        reply = self.model_reply(turn)
        place = min(reply.turn.begun, len(reply.rows) - 1) if index is None else index
        ids = self.ids_of(reply.turn.context)
        start = int(reply.rows["position"][place]) - place
        return tuple(ids[max(0, len(ids) - start) :])

    def ids_of(self, turns: Iterable[int]) -> list[int]:
        """The ids of some turns for the chat's model, EOS after each."""
        model = self.load_model()
        encoded = encoded_for([self.conversation[turn] for turn in turns], model.name, model.encode)
        return [token for turn in encoded for token in (*turn.ids, model.eos)]


def made_from(
    make: Callable[..., T], saved: files.Saved, model: str | ChatModel | None, options: Mapping[str, Any]
) -> T:
    """Makes a chat, or a widget, of a saved conversation.

    Args:
        make: the class.
        saved: the conversation with its model and settings.
        model: to go on with; the one that the conversation was saved with if not given.
        options: of the class.
    """
    options = {"settings": saved.settings, **options}
    return make(model or saved.model or MEDIUM, conversation=saved.conversation, **options)
