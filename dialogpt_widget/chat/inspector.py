"""What is asked of a chat's tokens: how one was chosen, what else there was, what would have been."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dialogpt_widget.chat.chat_state import ChatState
from dialogpt_widget.dialogue.tokens import ROLES, TokenTable, turn_rows
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.errors import check_text

if TYPE_CHECKING:
    from dialogpt_widget.engine.hidden_states import Tensor
    from dialogpt_widget.engine.introspection import Choice, Place
    from dialogpt_widget.engine.models.gpt2 import Depth


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


class Inspector:
    """Answers questions about the tokens of a chat's replies; see the methods of `Chat` with the same names.

    Each takes one forward pass at most. Places in a reply count from 0.
    """

    def __init__(self, state: ChatState) -> None:
        self._state = state

    def explain(self, turn: Turn | int, index: int, **changes: Any) -> Choice:
        """Takes the choice of a token apart: each stage's distribution, what was cut, where the dice hit."""
        from dialogpt_widget.engine.generation.sampler import Sampler
        from dialogpt_widget.engine.introspection import explain

        reply = self._state.model_reply(turn, index)
        sampler = Sampler(reply.settings.replace(**changes), self._state.load_model().eos, reply.number)
        return explain(self._logits(reply.turn, index), reply.turn.ids[:index], sampler)

    def chances(self, turn: Turn | int, index: int, text: str) -> list[Place]:
        """How probable each token of a typed piece was at a place of a reply, each after those before it."""
        from dialogpt_widget.engine.introspection import Place, places

        old, model = self._state.model_reply(turn, index).turn, self._state.load_model()
        ids = model.encode(check_text(text))
        if not ids:
            raise ValueError("Type at least one character.")
        found = places(self._logits(old, index), ids[:1])
        if len(ids) > 1:
            before = [*self._state.seen(old, index), *old.ids[:index]]
            table = model.score([*before, *ids]).rows[len(before) + 1 :]
            found += [Place(int(row["id"]), float(row["logprob"]), int(row["rank"])) for row in table]
        return found

    def ranked(self, turn: Turn | int, index: int, first: int = 1, count: int = 10) -> list[Place]:
        """The tokens of some ranks at a place of a reply, under the model's own distribution."""
        from dialogpt_widget.engine.introspection import ranked

        if first < 1 or count < 1:
            raise ValueError(f"Ranks begin with 1, and at least one is shown; got {first} and {count}.")
        return ranked(self._logits(self._state.model_reply(turn, index).turn, index), first, count)

    def inside(self, turn: Turn | int, index: int) -> Depth:
        """What happened in each layer and head when a token was chosen."""
        reply = self._state.model_reply(turn, index)
        before = [*self._state.seen(reply.turn, index), *reply.turn.ids[:index]]
        return self._state.load_model().inside(before, int(reply.rows["id"][index]))

    def score(self, text: str, turn: Turn | int | None = None) -> TokenTable:
        """How probable a typed reply is, token by token and to its end."""
        state = self._state
        asked, model = state.conversation.question(turn), state.load_model()
        context = state.context_of(state.conversation.path_to(asked))
        return self._scored(context.ids, [*model.encode(check_text(text)), model.eos])

    def without(self, turn: Turn | int, turns: Iterable[Turn | int]) -> Without:
        """How probable a reply would have been had some of the turns before it not been said."""
        state = self._state
        reply, seen = state.model_reply(turn), state.seen(turn)
        context = reply.turn.context
        gone = {state.conversation.find(one).id for one in turns}
        if gone - set(context):
            raise ValueError(f"The model did not see these turns: {sorted(gone - set(context))}.")
        left = state.ids_of(one for one in context if one not in gone)[-len(seen) :] or [state.load_model().eos]
        ids = reply.rows["id"].tolist()
        whole = self._scored(seen, ids)
        less = self._scored(left, ids) if gone else whole
        return Without(float(less["logprob"].sum()), float(whole["logprob"].sum()), less)

    def pinned(self, turn: Turn | int, index: int) -> PinnedToken:
        """A token of a turn, EOS included.

        Raises:
            IndexError: the turn has no such token.
            UnknownTurnError: it is not in this conversation, or no longer.
        """
        old, model = self._state.conversation.find(turn), self._state.load_model()
        rows = turn_rows(old, model.eos, model.vocabulary)
        if not 0 <= index < len(rows):
            raise IndexError(f"This turn has tokens 0 to {len(rows) - 1}, not {index!r}.")
        return PinnedToken(old, index, int(rows["id"][index]), TokenTable(rows[index : index + 1], model.decode))

    def _logits(self, turn: Turn, index: int) -> Tensor:
        """The logits `[vocabulary]` from which a reply's token was chosen."""
        state = self._state
        model, seen = state.load_model(), state.seen(turn, index)
        if index < turn.begun and seen != state.seen(turn):
            return model.unembed(model.states([*seen, *turn.ids[:index]])[-1])
        return model.unembed(state.hidden_states.of(turn, seen, model)[index])

    def _scored(self, context: Sequence[int], reply: list[int]) -> TokenTable:
        """The rows of a reply's ids, EOS included, after a context."""
        model = self._state.load_model()
        room = None if model.positions is None else model.positions - len(context)
        if room is not None and len(reply) > room:
            raise ValueError(f"{len(reply)} tokens are more than the {room} that the window has left.")
        rows = model.score([*context, *reply]).rows[len(context) :].copy()
        rows["role"] = ROLES.index("assistant")
        rows["index"] = np.arange(len(rows))
        return TokenTable(rows, model.decode)
