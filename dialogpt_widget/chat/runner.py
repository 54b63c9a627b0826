"""Functions that want to hear of something."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from dialogpt_widget.chat.comparing import Comparing
from dialogpt_widget.chat.events import Event, Listeners, TokenRevealed
from dialogpt_widget.chat.pace import POLL_INTERVAL, Pace, PaceCommand
from dialogpt_widget.chat.reply import NBestRun, Reply
from dialogpt_widget.dialogue.conversation import Conversation
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.settings import Settings

if TYPE_CHECKING:
    from dialogpt_widget.engine.generation.trace import Token


PAUSED = "A reply is paused: call finish() to run it to its end, or stop(), first."
Show = Callable[[str], object]
Hear = Callable[[Event], object]


@contextmanager
def alone(busy: threading.RLock, pace: Pace) -> Iterator[None]:
    """Waits until no other thread runs a reply of a chat.

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


class Running(Comparing):
    """A conversation in which replies are said."""

    def __init__(self, conversation: Conversation | None, settings: Settings) -> None:
        super().__init__(conversation, settings)
        self._busy = threading.RLock()
        self._moment = threading.Lock()  # in which a reply begins: it is running, and its pace knows
        self._running: Reply | NBestRun | None = None
        self._speaker: threading.Thread | None = None
        self._token_listeners: Listeners[Token] = Listeners()
        self._turn_listeners: Listeners[Turn] = Listeners()

    def begin(self, reply: Reply | NBestRun) -> None:
        """Selects the path that ends with the question of a reply, which is about to run."""
        if reply.moved is None:
            reply.moved = self.conversation.point(reply.parent)

    @property
    def running(self) -> Reply | NBestRun | None:
        """The reply that is running, or several of which one is to be chosen."""
        return self._running

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
            reply: from `answer`, `reply`, `continuation` or `comparison`.
            show: called with each piece of text; what is taken back and said again comes again. Of several replies it
                is called with all of the chosen one, once that is known.
            hear: called with each event of the reply, as it is once the reply's `text` and `tokens` show it.
            first: has the reply begin paused, with this move.

        Returns:
            The settled turn. One without tokens, stopped before its first, is not added, and none of a comparison is.

        Raises:
            KeyboardInterrupt: Ctrl-C; what was said until then is kept.
            ModelError: memory ran out.
            RuntimeError: another reply is paused.
            Exception: what a scorer raised; the replies are kept, and the first goes on.
        """
        with alone(self._busy, self.pace):
            self._open(reply, first)
            error = None
            try:
                for event in reply:
                    self._tell(event)
                    if hear:
                        hear(event)
                    if show and isinstance(event, TokenRevealed) and event.piece:
                        show(event.piece)
            except Exception as problem:
                error = problem
                raise
            finally:
                self._settle(reply, error)
            turn = reply.settled.result()
            if show and isinstance(reply, NBestRun):
                show(turn.text)
        return turn

    def _open(self, reply: Reply | NBestRun, first: PaceCommand | None) -> None:
        self.begin(reply)
        with self._moment:
            self._running, self._speaker = reply, threading.current_thread()
            self.pace.begin(reply.model.vocabulary, first)

    def _tell(self, event: Event) -> None:
        if isinstance(event, TokenRevealed) and event.token is not None:
            self._token_listeners.tell(event.token)

    def _settle(self, reply: Reply | NBestRun, error: BaseException | None) -> None:
        self._running = self._speaker = None
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
            self.pace.end()

    def _kept(self, reply: Reply | NBestRun) -> Turn:
        turn = reply.turn()
        here = self.conversation.leaf == reply.parent.id
        for draft in reply.drafts:
            if draft.model is self.model:
                self.states.keep(draft.turn(), draft.begun.states, draft.states)
        if reply.made:
            self.conversation.propose(reply.made)
        if reply.tokens and reply.chooses:
            self.add(turn, select=here, joined=bool(reply.moved or reply.said))
        elif not reply.tokens and reply.moved and here:
            self.conversation.undo()
        return turn

    def stop(self) -> None:
        """Stops the running reply before the model's next step; any thread may call it."""
        running = self._running
        if running is not None:
            running.stop.set()
            self.pace.wake()

    def forget(self, turn: Turn | int) -> tuple[Turn, ...]:
        """Erases a turn with all that follows it, for good: `undo` does not bring it back.

        Returns:
            What was erased.

        Raises:
            RuntimeError: a reply is running there.
            UnknownTurnError: it is not in this conversation, or no longer.
        """
        running = self._running
        first = self.conversation.find(turn)
        if running is not None and first in self.conversation.path_to(running.parent):
            raise RuntimeError("A reply is being said there: stop it first, then forget.")
        listed = [turn for made in self.conversation.nbests for turn in made.turns]
        gone = self.conversation.forget(first)
        left = {turn.id for made in self.conversation.nbests for turn in made.turns}
        self.states.forget([*gone, *(turn for turn in listed if turn.id not in left)])
        return gone

    def add(self, turn: Turn, *, select: bool = True, joined: bool = False) -> Turn:
        """Adds a settled turn and tells of it."""
        self.conversation.add(turn, select=select, joined=joined)
        self._turn_listeners.tell(turn)
        return turn

    def on_token(self, listener: Callable[[Token], Any]) -> Callable[[], None]:
        """Calls `listener(token)` for each token of each reply; returns a function that ends that.

        Of several replies that are said side by side it is not told. A token that was taken back is told again when it
        is revealed again.
        """
        return self._token_listeners.add(listener)

    def on_turn(self, listener: Callable[[Turn], Any]) -> Callable[[], None]:
        """Calls `listener(turn)` for each turn that settles; returns a function that ends that."""
        return self._turn_listeners.add(listener)
