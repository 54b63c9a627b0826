"""Handing a chat on as a line, and opening one: the same tokens, or the place where this machine differs."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from dialogpt_widget.chat.replaying import Replaying
from dialogpt_widget.dialogue.share import SharedChat, from_line, to_line
from dialogpt_widget.engine.loading.names import MEDIUM

if TYPE_CHECKING:
    from typing_extensions import Self

    from dialogpt_widget.dialogue import files
    from dialogpt_widget.engine.model import ChatModel


class Sharing(Replaying):
    """A chat that can be handed on.

    Attributes:
        differences: of a chat that was opened from a line, by the id of a reply, the place of the first token that this
            machine would choose otherwise; empty where it would choose them all.
        stranger: whether such a chat was with a model of the same name but other weights.
    """

    differences: dict[int, int]
    stranger: bool
    _unchecked: SharedChat | None = None

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
        options.setdefault("settings", shared.saved.settings)
        make: Any = cls
        chat: Self = make(model or shared.saved.model or MEDIUM, conversation=shared.saved.conversation, **options)
        chat.expect(shared)
        chat.verify()
        return chat

    def expect(self, shared: SharedChat) -> None:
        """Its conversation is what a line holds: `verify` is to compute the rest."""
        self._unchecked = shared

    @property
    @abstractmethod
    def saved(self) -> files.Saved:
        """What a file of this chat holds."""

    def share(self, pinned: tuple[int | None, int | None] = (None, None)) -> str:
        """This chat as one line to paste into `ChatWidget.open` or `Chat.open` on another machine.

        It holds the model's name and the fingerprint of its weights, settings, every branch as ids, the dice, and what
        is pinned; probabilities are computed where it is opened.

        Args:
            pinned: a turn's id and a token's place in it that shall be open there.
        """
        return to_line(SharedChat(self.saved, self.load_model().fingerprint, pinned))

    def verify(self) -> None:
        """Computes the token rows of a chat that was opened from a line, and notes where this machine differs."""
        shared, self._unchecked = self._unchecked, None
        if shared is None:
            return
        model = self.load_model()
        self.stranger = model.fingerprint != shared.fingerprint
        self.differences = {}
        for turn in self.turns:
            if turn.rows is None or turn.model != model.name:
                continue
            first = self.recompute(turn).first_difference
            if first is not None:
                self.differences[turn.id] = first
