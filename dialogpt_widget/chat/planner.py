"""Plans of what a chat says next: which turn is answered, in which context, with which dice. Nothing runs here."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dialogpt_widget.chat.candidates import (
    Side,
    by_beam_score,
    compare_in_order,
    loaded_for,
    rank_run,
    run_beams,
    run_sampled,
)
from dialogpt_widget.chat.chat_state import ChatState, seeded
from dialogpt_widget.chat.reply import NBestRun, Prefix, Reply
from dialogpt_widget.dialogue.context import Context, context_for, window_size
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.errors import check_token
from dialogpt_widget.settings import Settings

if TYPE_CHECKING:
    from dialogpt_widget.engine.model import ChatModel


class Planner:
    """Makes replies, to be handed to `Runner.run`.

    Every method raises UnknownTurnError for a turn that is not in the conversation, or no longer, and ModelError where
    the model could not be loaded. `stop` is an event that stops the reply; it has one of its own if not given.
    """

    def __init__(self, state: ChatState) -> None:
        self._state = state

    def answer(
        self, turn: Turn | int | None = None, stop: threading.Event | None = None, *, said: bool = False
    ) -> Reply | NBestRun:
        """Makes what the settings ask for: one reply, or several of which one is chosen.

        In slow motion, and where replies are guessed, it is one.

        Raises:
            ValueError: there is nothing to answer, or what is to choose cannot read this model's replies.
        """
        state, settings = self._state, self._state.settings
        several = max(settings.candidates, settings.num_beams)
        if several == 1 or state.pace.mode != "run" or state.pace.guessing:
            return self.reply(turn, stop, said=said)
        beam, asked = settings.num_beams > 1, state.conversation.question(turn)
        decide = by_beam_score if beam and state.reranking.rerank is None else rank_run(state)
        settings = seeded(settings.replace(do_sample=False) if beam else settings)
        numbers = [state.next_number()] * several if beam else [state.next_number() for _ in range(several)]
        context = context_for(state.load_model(), state.conversation.path_to(asked), settings)
        stop = stop or threading.Event()
        drafts = [self._reply(asked, settings, number, stop, context=context) for number in numbers]
        list_id, decode = state.conversation.reserve(), run_beams if beam else run_sampled
        return NBestRun(list_id, "beam" if beam else "sampled", drafts, decode, decide, said=said)

    def reply(
        self, turn: Turn | int | None = None, stop: threading.Event | None = None, *, said: bool = False
    ) -> Reply:
        """A new reply to a message.

        Args:
            turn: a message, or a reply to it; by default the path's last.
            stop: as of the class.
            said: whether the message was said for this reply, so that `undo` takes back both.

        Raises:
            ValueError: there is nothing to answer.
        """
        state = self._state
        asked = state.conversation.question(turn)
        state.load_model()
        return self._reply(asked, seeded(state.settings), state.next_number(), stop, said=said)

    def unfinished(self, turn: Turn | int) -> Turn:
        """A reply that can be continued: one that was cut off, written or imported.

        Raises:
            ValueError: that is no reply, or it ended by itself.
        """
        old = self._state.conversation.find(turn)
        if old.role != "assistant":
            raise ValueError("Only a reply can be continued: this is a message.")
        if old.stop == "eos":
            raise ValueError("This reply ended by itself: the model chose the end of the turn. Edit it to go on.")
        return old

    def continuation(self, turn: Turn | int, stop: threading.Event | None = None) -> Reply:
        """A reply that begins as another, cut off or written by hand, and goes on.

        It keeps the dice and settings of the reply that it continues, and may be longer by `max_new_tokens`.

        Raises:
            ValueError: that is no reply, it ended by itself, or it fills the window.
        """
        state, old = self._state, self.unfinished(turn)
        model = state.load_model()
        if old.model == model.name:
            prefix = Prefix(old.ids, old.rows, state.hidden_states.known(old))
        else:
            prefix = Prefix(tuple(model.encode(old.text)))
        if old.settings is None or old.reply is None:
            settings, number = seeded(state.settings), state.next_number()
        else:
            settings, number = old.settings, old.reply
        longest = max(len(prefix.ids) + state.settings.max_new_tokens, settings.min_new_tokens)
        settings = settings.replace(max_new_tokens=min(longest, Settings.bounds("max_new_tokens")[1]))
        return self._reply(state.conversation.question(old), settings, number, stop, prefix)

    def fork(self, turn: Turn | int, index: int, token: int, stop: threading.Event | None = None) -> Reply:
        """A reply that begins as another up to a place, has another token there, and goes on.

        It keeps settings and dice of the reply that it forks from; ids are taken over, never encoded again.

        Raises:
            IndexError: the reply has no such token.
            ValueError: the model did not make it, it was another model, or there is no such id.
        """
        state = self._state
        self.check_fork(turn, index, token)
        old, model, seen = state.model_reply(turn, index), state.load_model(), state.seen(turn, index)
        prefix = Prefix(old.turn.ids[:index], old.rows[:index], state.hidden_states.known(old.turn), token)
        window = window_size(old.settings, model.positions)
        context = Context(seen, old.turn.context, (), 0, window, window - len(seen))
        settings = old.settings.replace(max_new_tokens=max(old.settings.max_new_tokens, index + 1))
        return self._reply(state.conversation.question(old.turn), settings, old.number, stop, prefix, context)

    def check_fork(self, turn: Turn | int, index: int, token: int) -> None:
        """Raises what `fork` would raise."""
        self._state.model_reply(turn, index)
        check_token(token, self._state.load_model().vocabulary)

    def comparison(
        self, sides: Sequence[Side], turn: Turn | int | None = None, stop: threading.Event | None = None
    ) -> NBestRun:
        """Replies of several sides to the same turn, none of which is chosen.

        Raises:
            ValueError: there is nothing to answer.
        """
        state = self._state
        asked, stop, number = state.conversation.question(turn), stop or threading.Event(), state.next_number()
        own = state.load_model()
        seed, path = seeded(state.settings).seed, state.conversation.path_to(asked)
        loaded: dict[str, ChatModel] = {own.name: own}
        drafts = []
        for side in sides:
            settings = side.settings.replace(seed=seed, candidates=1, num_beams=1)
            model = loaded_for(side, own, loaded)
            context = context_for(model, path, settings)
            drafts.append(Reply(state.conversation.reserve(), asked, model, context, settings, number, stop))
        labels = [side.label for side in sides]
        return NBestRun(state.conversation.reserve(), "compared", drafts, compare_in_order, labels=labels)

    def _reply(
        self,
        asked: Turn,
        settings: Settings,
        number: int,
        stop: threading.Event | None,
        prefix: Prefix | None = None,
        context: Context | None = None,
        *,
        said: bool = False,
    ) -> Reply:
        state, model, stop = self._state, self._state.load_model(), stop or threading.Event()
        if context is None:
            path = state.conversation.path_to(asked)
            context = context_for(model, path, settings, len(prefix.ids) if prefix else 0)
        turn_id = state.conversation.reserve()
        return Reply(turn_id, asked, model, context, settings, number, stop, prefix, said=said, pace=state.pace)
