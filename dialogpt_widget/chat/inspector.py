"""Asking a chat about its tokens: how one was chosen, what else there was, what would have been."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dialogpt_widget.chat.planner import Replies
from dialogpt_widget.chat.reply import Prefix
from dialogpt_widget.dialogue.context import Context, encoded_for
from dialogpt_widget.dialogue.tokens import ROLES, TokenTable, turn_rows
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.errors import check_text

if TYPE_CHECKING:
    import threading

    from dialogpt_widget.chat.reply import Reply
    from dialogpt_widget.engine.hidden_states import Tensor
    from dialogpt_widget.engine.introspection import Choice, Place
    from dialogpt_widget.engine.models.logit_lens import Depth


@dataclass(frozen=True, slots=True)
class Without:
    """A reply's log-probability had some turns not been said.

    Attributes:
        logprob: of the whole reply without them, nat.
        logprob_with: of the whole reply as the model saw it, nat.
        tokens: the reply's rows without them, its EOS included where the model chose it.
    """

    logprob: float
    logprob_with: float
    tokens: TokenTable


@dataclass(frozen=True, slots=True)
class PinnedToken:
    """A token that the reader has selected.

    Attributes:
        turn: whose it is.
        index: its place in the turn.
        id: of the token.
        tokens: its row.
    """

    turn: Turn
    index: int
    id: int
    tokens: TokenTable


class Inspection(Replies):
    """What can be asked of a conversation's tokens. Places in a reply count from 0."""

    def seen(self, turn: Turn | int, index: int | None = None) -> tuple[int, ...]:
        """The ids that the model saw before the reply's first token, EOS after each turn.

        Args:
            turn: a reply.
            index: the place whose row is asked about; what a reply begins with may have been decoded in another
                context. By default the first that was decoded for this reply.

        Raises:
            ValueError: the model did not make it, or it was another model.
            UnknownTurnError: it is not in this conversation, or no longer.
        """
        old = self._made(turn)
        assert old.rows is not None
        model = self.load_model()
        place = min(old.begun, len(old.rows) - 1) if index is None else index
        turns = encoded_for([self.conversation[seen] for seen in old.context], model.name, model.encode)
        ids = [token for said in turns for token in (*said.ids, model.eos)]
        start = int(old.rows["position"][place]) - place
        return tuple(ids[max(0, len(ids) - start) :])

    def explain(self, turn: Turn | int, index: int, **changes: Any) -> Choice:
        """Takes the choice of a token apart: each stage's distribution, what was cut, where the dice hit.

        Args:
            turn: a reply.
            index: the token's place.
            **changes: settings that are to differ, such as `temperature=0.5`; the dice stay.

        Raises:
            IndexError: it has no such token.
            ValueError, UnknownTurnError: as for `seen`, or a setting out of bounds.
        """
        from dialogpt_widget.engine.generation.sampler import Sampler
        from dialogpt_widget.engine.introspection import explain

        old = self._made(turn, index)
        assert old.settings is not None
        assert old.reply is not None
        settings = old.settings.replace(**changes)
        decoder = Sampler(settings, self.load_model().eos, old.reply)
        return explain(self._logits(old, index), old.ids[:index], decoder)

    def chances(self, turn: Turn | int, index: int, text: str) -> list[Place]:
        """How probable each token of a typed piece was at a place of a reply, each after those before it.

        Args:
            turn: a reply.
            index: the place.
            text: the piece, with the space before it if it has one.

        Raises:
            ValueError: nothing was typed; else as for `explain`.
        """
        from dialogpt_widget.engine.introspection import places

        old, model = self._made(turn, index), self.load_model()
        ids = model.encode(check_text(text))
        if not ids:
            raise ValueError("Type at least one character.")
        first, *rest = ids
        found = places(self._logits(old, index), [first])
        if rest:
            before = [*self.seen(old, index), *old.ids[:index]]
            table = model.score([*before, *ids]).rows[len(before) + 1 :]
            from dialogpt_widget.engine.introspection import Place

            found += [Place(int(row["id"]), float(row["logprob"]), int(row["rank"])) for row in table]
        return found

    def ranked(self, turn: Turn | int, index: int, first: int = 1, count: int = 10) -> list[Place]:
        """The tokens of some ranks at a place of a reply, under the model's own distribution.

        Raises:
            ValueError: ranks begin with 1; else as for `explain`.
        """
        from dialogpt_widget.engine.introspection import ranked

        if first < 1 or count < 1:
            raise ValueError(f"Ranks begin with 1, and at least one is shown; got {first} and {count}.")
        return ranked(self._logits(self._made(turn, index), index), first, count)

    def inside(self, turn: Turn | int, index: int) -> Depth:
        """What happened in each layer and head when a token was chosen, by one forward pass more; GPT-2 models only."""
        old = self._made(turn, index)
        assert old.rows is not None
        before = [*self.seen(old, index), *old.ids[:index]]
        return self.load_model().inside(before, int(old.rows["id"][index]))

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
        asked, model = self.question(turn), self.load_model()
        context = self.context_of(self.conversation.path_to(asked), self.settings)
        return self._scored(context.ids, [*model.encode(check_text(text)), model.eos])

    def without(self, turn: Turn | int, turns: Iterable[Turn | int]) -> Without:
        """How probable a reply would have been had some of the turns before it not been said: one forward pass.

        Where all are left out, the model begins as it does with every text, after an EOS.

        Args:
            turn: a reply.
            turns: those that are left out.

        Raises:
            ValueError: the model did not see these; else as for `seen`.
        """
        old, model = self._made(turn), self.load_model()
        assert old.rows is not None
        gone = {self.conversation.find(one).id for one in turns}
        if gone - set(old.context):
            raise ValueError(f"The model did not see these turns: {sorted(gone - set(old.context))}.")
        kept = [self.conversation[seen] for seen in old.context if seen not in gone]
        ids = [token for said in encoded_for(kept, model.name, model.encode) for token in (*said.ids, model.eos)]
        reply = old.rows["id"].tolist()
        whole = self._scored(self.seen(old), reply)
        less = whole if not gone else self._scored(ids[-len(self.seen(old)) :] or [model.eos], reply)
        return Without(float(less["logprob"].sum()), float(whole["logprob"].sum()), less)

    def forked(self, turn: Turn | int, index: int, token: int, stop: threading.Event | None = None) -> Reply:
        """A reply that begins as another up to a place, has another token there, and goes on; to be handed to `run`.

        It keeps settings and dice of the reply that it forks from; ids are taken over, never encoded again.

        Raises:
            IndexError: it has no such token.
            ValueError: the model did not make it, it was another model, or there is no such id.
        """
        self.check_fork(turn, index, token)
        old, model = self._made(turn, index), self.load_model()
        assert old.rows is not None
        assert old.settings is not None
        assert old.reply is not None
        seen = self.seen(old, index)
        begun = Prefix(old.ids[:index], old.rows[:index], self.states.known(old), token)
        window = old.settings.max_context if model.positions is None else min(old.settings.max_context, model.positions)
        context = Context(seen, old.context, (), 0, window, window - len(seen))
        settings = old.settings.replace(max_new_tokens=max(old.settings.max_new_tokens, index + 1))
        return self._reply(self.question(old), settings, old.reply, stop, begun, context)

    def pinned(self, turn: Turn | int, index: int) -> PinnedToken:
        """A token of a turn, EOS included.

        Raises:
            IndexError: it has no such token.
            UnknownTurnError: it is not in this conversation, or no longer.
        """
        old, model = self.conversation.find(turn), self.load_model()
        rows = turn_rows(old, model.eos, model.vocabulary)
        if not 0 <= index < len(rows):
            raise IndexError(f"This turn has tokens 0 to {len(rows) - 1}, not {index!r}.")
        return PinnedToken(old, index, int(rows["id"][index]), TokenTable(rows[index : index + 1], model.decode))

    def check_fork(self, turn: Turn | int, index: int, token: int) -> None:
        """Whether a reply can be forked there; see `forked` for what is raised."""
        self._made(turn, index)
        vocabulary = self.load_model().vocabulary
        if type(token) is not int or not 0 <= token < vocabulary:
            raise ValueError(f"Ids are from 0 to {vocabulary - 1}, not {token!r}.")

    def _made(self, turn: Turn | int, index: int = 0) -> Turn:
        """A reply of this model that has a token at a place."""
        old = self.conversation.find(turn)
        if old.settings is None or old.rows is None:
            raise ValueError("A person wrote this: no token of it was chosen.")
        model = self.load_model()
        if old.model != model.name:
            raise ValueError(
                f"This reply is by {old.model}: choose that model first, its ids are not those of this one."
            )
        if type(index) is not int or not 0 <= index < len(old.rows):
            raise IndexError(f"This reply has tokens 0 to {len(old.rows) - 1}, not {index!r}.")
        return old

    def _logits(self, turn: Turn, index: int) -> Tensor:
        """The logits `[vocabulary]` from which a reply's token was chosen."""
        model, seen = self.load_model(), self.seen(turn, index)
        if index < turn.begun and seen != self.seen(turn):
            return model.unembed(model.states([*seen, *turn.ids[:index]])[-1])
        return model.unembed(self.states.of(turn, seen, model)[index])

    def _scored(self, context: tuple[int, ...] | list[int], reply: list[int]) -> TokenTable:
        """The rows of a reply's ids, EOS included, after a context."""
        model = self.load_model()
        room = None if model.positions is None else model.positions - len(context)
        if room is not None and len(reply) > room:
            raise ValueError(f"{len(reply)} tokens are more than the {room} that the window has left.")
        rows = model.score([*context, *reply]).rows[len(context) :].copy()
        rows["role"] = ROLES.index("assistant")
        rows["index"] = np.arange(len(rows))
        return TokenTable(rows, model.decode)
