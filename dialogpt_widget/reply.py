"""What a message leaves in the conversation: its own turn, and a reply as it comes about."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dialogpt_widget.dialogue.cleanup import clean, stable_prefix
from dialogpt_widget.dialogue.context import Context
from dialogpt_widget.dialogue.tokens import given_rows
from dialogpt_widget.dialogue.turn import Stop, Turn
from dialogpt_widget.settings import Settings

if TYPE_CHECKING:
    from dialogpt_widget.engine.decoding import Token
    from dialogpt_widget.engine.model import ChatModel


def user_turn(turn_id: int, parent: int | None, text: str, model: ChatModel) -> Turn:
    """The turn of a message, in the ids of the model that will answer it."""
    return Turn(
        id=turn_id,
        parent=parent,
        role="user",
        text=text,
        ids=tuple(model.encode(text)),
        created=time.time(),
        model=model.name,
        revision=model.revision,
        precision=model.precision,
    )


def written_turn(turn_id: int, parent: int | None, text: str, model: ChatModel) -> Turn:
    """A reply that a person wrote."""
    return replace(user_turn(turn_id, parent, text, model), role="assistant")


@dataclass(frozen=True, slots=True)
class Begun:
    """What a reply begins with.

    Attributes:
        ids: its first ids.
        rows: their token rows, copied from the reply that they come from; None if they were never scored.
    """

    ids: tuple[int, ...] = ()
    rows: np.ndarray | None = None


class Reply:
    """One generation: iterate over it for each token with the text that can be shown because of it.

    Args:
        turn_id: the id that its turn will have.
        parent: the user's turn that it answers.
        model: what generates it.
        context: what the model sees.
        settings: how it is decoded, seed included.
        number: the number of the generation within the chat, which selects its dice.
        stop: set, it ends the reply before the model's next step.
        begun: what the reply begins with, already said.
        said: whether its question was said for it, so that both are undone together.

    Attributes:
        text: what can be shown so far.
        tokens: the tokens so far, a final EOS included, what was begun with not.
        moved: whether its beginning changed the selected path; None until it begins.
    """

    def __init__(
        self,
        turn_id: int,
        parent: Turn,
        model: ChatModel,
        context: Context,
        settings: Settings,
        number: int,
        stop: threading.Event,
        begun: Begun | None = None,
        *,
        said: bool = False,
    ) -> None:
        self.id, self.parent, self.model, self.context = turn_id, parent, model, context
        self.settings, self.number, self.stop = settings, number, stop
        self.begun, self.said = begun or Begun(), said
        self.text = ""
        self.tokens: list[Token] = []
        self.moved: bool | None = None
        self._ended: Stop = "error"

    def __iter__(self) -> Iterator[tuple[Token | None, str]]:
        """Yields a token and the text it adds; at the end perhaps None and the text that was withheld."""
        stream = self.model.text_stream()
        for token_id in self.begun.ids:
            stream.add(token_id)
        try:
            for token in self.model.generate(
                self.context.ids, self.settings, self.stop, reply=self.number, prefix=self.begun.ids
            ):
                self.tokens.append(token)
                if not token.eos:
                    stream.add(token.id)
                yield token, self._advance(stable_prefix(stream.text))
            eos = bool(self.tokens) and self.tokens[-1].eos
            self._ended = "eos" if eos else "user" if self.stop.is_set() else "length"
        except (KeyboardInterrupt, GeneratorExit):
            self._ended = "user"
            raise
        finally:
            stream.finish()
            rest = self._advance(clean(stream.text))
        if rest:
            yield None, rest

    def _advance(self, text: str) -> str:
        piece, self.text = text[len(self.text) :], text
        return piece

    def turn(self) -> Turn:
        """The turn as it stands now; one without tokens is not kept by the chat."""
        return Turn(
            id=self.id,
            parent=self.parent.id,
            role="assistant",
            text=self.text,
            ids=(*self.begun.ids, *(token.id for token in self.tokens if not token.eos)),
            settings=self.settings,
            reply=self.number,
            context=self.context.turns,
            stop=self._ended,
            created=time.time(),
            model=self.model.name,
            revision=self.model.revision,
            precision=self.model.precision,
            begun=len(self.begun.ids),
            rows=self._rows(),
        )

    def _rows(self) -> np.ndarray:
        from dialogpt_widget.engine.decoding import token_rows

        new = token_rows(self.tokens, self.model.vocabulary, len(self.context.ids))
        old = self.begun.rows
        if old is None:
            old = given_rows(self.begun.ids, self.model.vocabulary)
        return np.concatenate([old, new])
