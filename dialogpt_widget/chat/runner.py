"""Runs the replies of a chat, one at a time, and adds what was said to the conversation."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dialogpt_widget.chat.chat_state import ChatState
from dialogpt_widget.chat.events import Event, Listeners, TokenRevealed
from dialogpt_widget.chat.pace import POLL_INTERVAL, Pace, PaceCommand
from dialogpt_widget.chat.reply import NBestRun, Reply
from dialogpt_widget.chat.turns import user_turn, written_turn
from dialogpt_widget.dialogue.turn import Turn, check_message

if TYPE_CHECKING:
    from dialogpt_widget.engine.generation.trace import Token


PAUSED = "A reply is paused: call finish() to run it to its end, or stop(), first."
SIDE_BY_SIDE = "Several replies are being said side by side: wait for them, or stop them; one alone can be slow."
Show = Callable[[str], object]
Hear = Callable[[Event], object]


@contextmanager
def exclusive(busy: threading.RLock, pace: Pace) -> Iterator[None]:
    """Blocks until no other thread runs a reply of a chat, and keeps others from running one.

    Raises:
        RuntimeError: one is paused, and may stay so.
    """
    while not busy.acquire(timeout=POLL_INTERVAL):
        if pace.waiting:
            raise RuntimeError(PAUSED)
    try:
        yield
    finally:
        busy.release()


class Runner:
    """Runs replies, tells who listens, and adds the turns that come of them.

    Attributes:
        running: the reply that is running, or several of which one is to be chosen; else None.
        busy: held while a reply runs.
        token_listeners, turn_listeners: who is told of each token that is revealed, and of each turn that settles.
    """

    def __init__(self, state: ChatState) -> None:
        self._state = state
        self.running: Reply | NBestRun | None = None
        self.busy = threading.RLock()
        self.token_listeners: Listeners[Token] = Listeners()
        self.turn_listeners: Listeners[Turn] = Listeners()
        self._moment = threading.Lock()  # in which a reply begins: it is running, and its pace knows
        self._thread: threading.Thread | None = None  # that runs it

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Blocks until no other thread runs a reply; see the function `exclusive`."""
        with exclusive(self.busy, self._state.pace):
            yield

    @property
    def is_current_thread(self) -> bool:
        """Whether the caller is a callback of the running reply."""
        return threading.current_thread() is self._thread

    def run(
        self,
        reply: Reply | NBestRun,
        show: Show | None = None,
        hear: Hear | None = None,
        *,
        first: PaceCommand | None = None,
    ) -> Turn:
        """Decodes a reply to its end and adds it; it is selected unless something else has been meanwhile.

        While it runs, the path that ends with its question is selected.

        Args:
            reply: from a `Planner`.
            show: called with each piece of text; what is taken back and said again comes again. Of several replies it
                is called with all of the chosen one, once that is known.
            hear: called with each event of the reply, as it is once the reply's `text` and `tokens` show it.
            first: has the reply begin paused, with this command.

        Returns:
            The settled turn. One without tokens, stopped before its first, is not added, and none of a comparison is.

        Raises:
            KeyboardInterrupt: Ctrl-C; what was said until then is kept.
            ModelError: memory ran out.
            RuntimeError: another reply is paused.
            Exception: what a scorer raised; the replies are kept, and the first goes on.
        """
        with self.exclusive():
            self.open(reply, first)
            error = None
            try:
                for event in reply:
                    self.tell(event)
                    if hear:
                        hear(event)
                    if show and isinstance(event, TokenRevealed) and event.piece:
                        show(event.piece)
            except Exception as problem:
                error = problem
                raise
            finally:
                self.settle(reply, error)
            turn = reply.settled.result()
            if show and isinstance(reply, NBestRun):
                show(turn.text)
        return turn

    def select_question(self, reply: Reply | NBestRun) -> None:
        """Selects the path that ends with the question of a reply, which is about to run."""
        if reply.moved is None:
            reply.moved = self._state.conversation.point(reply.parent)

    def open(self, reply: Reply | NBestRun, first: PaceCommand | None) -> None:
        """Makes a reply the running one; `exclusive` is held."""
        self.select_question(reply)
        with self._moment:
            self.running, self._thread = reply, threading.current_thread()
            self._state.pace.begin(reply.model.vocabulary, first)

    def tell(self, event: Event) -> None:
        """Tells the listeners of a token that was revealed."""
        if isinstance(event, TokenRevealed) and event.token is not None:
            self.token_listeners.tell(event.token)

    def settle(self, reply: Reply | NBestRun, error: BaseException | None) -> None:
        """Adds the turn that a reply has become, whether the reply ended or failed."""
        self.running = self._thread = None
        error = error or reply.problem
        try:
            turn = self._kept(reply)
        except Exception as problem:
            reply.settled.set_exception(error or problem)
            raise
        else:
            if error is None:
                reply.settled.set_result(turn)
            else:
                reply.settled.set_exception(error)
        finally:
            self._state.pace.end()

    def _kept(self, reply: Reply | NBestRun) -> Turn:
        state, conversation = self._state, self._state.conversation
        turn = reply.turn()
        here = conversation.leaf == reply.parent.id
        for draft in reply.drafts:
            if draft.model is state.model.loaded:
                state.hidden_states.keep(draft.turn(), draft.prefix.states, draft.states)
        if reply.made:
            conversation.propose(reply.made)
        if reply.tokens and reply.chooses:
            self.add(turn, select=here, joined=bool(reply.moved or reply.said))
        elif not reply.tokens and reply.moved and here:
            conversation.undo()
        return turn

    def ask(self, command: PaceCommand) -> Reply | None:
        """Has the running reply carry out a command; does not wait for it. Returns None where none is running.

        Raises:
            RuntimeError: several replies are said side by side.
        """
        with self._moment:
            reply = self.running
            if reply is None:
                return None
            if isinstance(reply, NBestRun):
                raise RuntimeError(SIDE_BY_SIDE)  # noqa: TRY004 - of the moment, not of an argument
            self._state.pace.ask(command)
            return reply

    def stop(self) -> None:
        """Stops the running reply before the model's next step; any thread may call it."""
        running = self.running
        if running is not None:
            running.stop.set()
            self._state.pace.wake()

    def say(self, text: str) -> Turn:
        """Adds a user's turn to the selected path.

        Raises:
            TypeError: not a string.
            ValueError: empty, or too long.
            ModelError: the model could not be loaded.
        """
        text, model, conversation = check_message(text), self._state.load_model(), self._state.conversation
        return self.add(user_turn(conversation.reserve(), conversation.leaf, text, model))

    def rewrite(self, turn: Turn | int, text: str) -> Turn:
        """Adds a new version of a turn, which is not answered, and selects it.

        Raises:
            UnknownTurnError: the turn is not in this conversation, or no longer.
            TypeError, ValueError, ModelError: as for `say`.
        """
        conversation = self._state.conversation
        old, text, model = conversation.find(turn), check_message(text), self._state.load_model()
        make = user_turn if old.role == "user" else written_turn
        return self.add(make(conversation.reserve(), old.parent, text, model))

    def add(self, turn: Turn, *, select: bool = True, joined: bool = False) -> Turn:
        """Adds a settled turn and tells the listeners."""
        self._state.conversation.add(turn, select=select, joined=joined)
        self.turn_listeners.tell(turn)
        return turn

    def forget(self, turn: Turn | int) -> tuple[Turn, ...]:
        """Erases a turn with all that follows it, for good: `undo` does not bring it back.

        Returns:
            What was erased.

        Raises:
            RuntimeError: a reply is running there.
            UnknownTurnError: the turn is not in this conversation, or no longer.
        """
        conversation, running = self._state.conversation, self.running
        first = conversation.find(turn)
        if running is not None and first in conversation.path_to(running.parent):
            raise RuntimeError("A reply is being said there: stop it first, then forget.")
        listed = [turn for made in conversation.nbests for turn in made.turns]
        gone = conversation.forget(first)
        left = {turn.id for made in conversation.nbests for turn in made.turns}
        self._state.hidden_states.forget([*gone, *(turn for turn in listed if turn.id not in left)])
        return gone
