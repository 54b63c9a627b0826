"""A reply as it comes about, and the turn that it leaves."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from dialogpt_widget.dialogue.cleanup import clean, stable_prefix
from dialogpt_widget.dialogue.context import Context
from dialogpt_widget.dialogue.conversation import Stop, Turn
from dialogpt_widget.settings import Settings

if TYPE_CHECKING:
    from dialogpt_widget.engine.decoding import Token
    from dialogpt_widget.engine.model import ChatModel


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

    Attributes:
        text: what can be shown so far.
        tokens: the tokens so far, a final EOS included.
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
    ) -> None:
        self.id, self.parent, self.model, self.context = turn_id, parent, model, context
        self.settings, self.number, self.stop = settings, number, stop
        self.text = ""
        self.tokens: list[Token] = []
        self._ended: Stop = "error"

    def __iter__(self) -> Iterator[tuple[Token | None, str]]:
        """Yields a token and the text it adds; at the end perhaps None and the text that was withheld."""
        stream = self.model.text_stream()
        try:
            for token in self.model.generate(self.context.ids, self.settings, self.stop, reply=self.number):
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
        from dialogpt_widget.engine.decoding import token_rows

        return Turn(
            id=self.id,
            parent=self.parent.id,
            role="assistant",
            text=self.text,
            ids=tuple(token.id for token in self.tokens if not token.eos),
            settings=self.settings,
            reply=self.number,
            context=self.context.turns,
            stop=self._ended,
            created=time.time(),
            model=self.model.name,
            revision=self.model.revision,
            precision=self.model.precision,
            rows=token_rows(self.tokens, self.model.vocabulary, len(self.context.ids)),
        )
