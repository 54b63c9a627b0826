"""What to pick the next token from: a list that has the answer in it and does not tell which it is."""

from __future__ import annotations

import threading
import weakref
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, Any

from dialogpt_widget.chat.pace import GUESS_FIRST, POLL_INTERVAL, Guess, Pace, PaceCommand
from dialogpt_widget.chat.reply import NBestRun, Reply
from dialogpt_widget.chat.runner import Running, alone
from dialogpt_widget.dialogue.conversation import Conversation
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.errors import check_text
from dialogpt_widget.settings import Settings

if TYPE_CHECKING:
    from dialogpt_widget.engine.generation.trace import Token


OVER = "The reply has ended. Say something, or call step() once more for another version."

SIDE_BY_SIDE = "Several replies are being said side by side: wait for them, or stop them; one alone can be slow."


class Stepping(Running):
    """A conversation whose replies can be said in slow motion. The dice stay: the ids are those of an unwatched reply.

    `step`, `force`, `back` and `guess` pause the reply that is running; where none is, `step`, `force` and `guess`
    begin one to the path's last message, in the background.
    """

    def __init__(self, conversation: Conversation | None, settings: Settings) -> None:
        super().__init__(conversation, settings)
        self._beginning = threading.Lock()
        self._stepped: Reply | None = None  # the last reply that made a move, until its end was told

    def step(self) -> Token | None:
        """Reveals one more token of a reply.

        Returns:
            The token; None once the reply has ended with the one before, and has settled.

        Raises:
            ValueError: there is nothing to answer.
            RuntimeError: the token is to be guessed first.
            ModelError: the model could not be loaded or run.
        """
        if self.pace.guessing:
            raise RuntimeError(GUESS_FIRST)
        return None if self._over() else self._move(PaceCommand("reveal"))

    def force(self, token: int) -> Token:
        """Reveals a token of one's choice in place of the model's; the model goes on from there.

        Args:
            token: its id. That of the end of the turn ends the reply.

        Raises:
            ValueError: there is nothing to answer, or no such id.
            RuntimeError: the reply has ended.
        """
        move = PaceCommand("force", self.known(token))
        said = None if self._over() else self._move(move)
        if said is None:
            raise RuntimeError(OVER)
        return said

    def back(self) -> None:
        """Takes back the token that was revealed last; does nothing before the first.

        Raises:
            RuntimeError: no reply is running.
        """
        if self._running is None:
            raise RuntimeError(OVER if self._stepped else "No reply is running.")
        self._move(PaceCommand("back"))

    def guess(self, guess: str | int) -> Guess:
        """Guesses the next token, which is then revealed.

        Args:
            guess: a text, whose first token counts, with the space before it if it has one; or an id.

        Raises:
            ValueError: there is nothing to answer, nothing was typed, or there is no such id.
            RuntimeError: the reply has ended.
        """
        token = self.guessed(guess)
        if self._over():
            raise RuntimeError(OVER)
        self._move(PaceCommand("hold"))
        if self._running is None:
            raise RuntimeError(OVER)
        made, move = self.judge(token)
        self.wait_for(move.done)
        return made

    def finish(self) -> Turn:
        """Runs a reply to its end, guessed or not, and returns it. Ctrl-C stops it.

        Raises:
            RuntimeError: no reply is running.
            ModelError: the model could not be run.
        """
        reply = self._running or self._stepped
        self._stepped = None
        if reply is None:
            raise RuntimeError("No reply is running.")
        self._not_from_within()
        self.pace.finish()
        try:
            self.wait_for(reply.settled)
        except KeyboardInterrupt:
            reply.stop.set()
            raise
        return reply.settled.result()

    def known(self, token: int) -> int:
        """An id, if there is such a one.

        Raises:
            ValueError: there is not.
        """
        vocabulary = self.load_model().vocabulary
        if type(token) is not int or not 0 <= token < vocabulary:
            raise ValueError(f"Ids are from 0 to {vocabulary - 1}, not {token!r}.")
        return token

    def guessed(self, guess: str | int) -> int:
        """The id that is guessed with a text or an id.

        Raises:
            ValueError: nothing was typed, or there is no such id.
        """
        if not isinstance(guess, str):
            return self.known(guess)
        ids = self.load_model().encode(check_text(guess))
        if not ids:
            raise ValueError("Type at least one character.")
        return ids[0]

    def judge(self, guess: int) -> tuple[Guess, PaceCommand]:
        """Judges a guess, an id, at the token that is held now, and has that revealed.

        Raises:
            RuntimeError: no token is held.
        """

        def judged() -> Guess:
            return self.slow().guess(guess)

        return self.pace.guess(judged)

    def choices(self, count: int) -> list[int]:
        """So many ids where a token is held now, it among them, lowest first; see `guess_options.chosen`.

        Raises:
            RuntimeError: no token is held.
        """

        def chosen() -> list[int]:
            return self.slow().choices(count)

        return self.pace.look(chosen)

    def slow(self) -> Reply:
        """The running reply, if it can be slow.

        Raises:
            RuntimeError: several are said side by side.
        """
        running = self._running
        if isinstance(running, NBestRun):
            raise RuntimeError(SIDE_BY_SIDE)  # noqa: TRY004 - of the moment, not of an argument
        assert running is not None
        return running

    def _over(self) -> bool:
        """Whether the reply that was stepped last has ended and nothing was said since; true once."""
        reply = self._stepped
        if reply is None or self._running is not None:
            return False
        self._stepped = None
        reply.settled.result()
        return self.conversation.leaf == reply.id

    def _move(self, move: PaceCommand) -> Token | None:
        """Has the running reply, or a new one, make a move; returns the token revealed by it."""
        self._not_from_within()
        with self._beginning:
            with self._moment:
                running = self._running is not None
                if running:
                    reply = self.slow()
                    self.pace.ask(move)
            if not running:
                reply = self.begin_with(move)
        self.wait_for(move.done)
        said = move.done.result()
        self._stepped = reply
        if said is None and reply.settled.done():
            self._stepped = None
            reply.settled.result()
        return said

    def begin_with(self, move: PaceCommand) -> Reply:
        """Begins a reply to the path's last message, paused, and waits until it has made its first move."""
        reply = self.reply()
        whose = weakref.ref(self, lambda _: reply.stop.set())
        arguments = whose, self._busy, self.pace, reply, move
        threading.Thread(target=_apart, args=arguments, name="slow dialogpt", daemon=True).start()
        self.wait_for(move.done)
        return reply

    def wait_for(self, done: Future[Any]) -> None:
        """Waits for a move or a reply."""
        while not wait([done], POLL_INTERVAL).done:
            pass

    def _not_from_within(self) -> None:
        if threading.current_thread() is self._speaker:
            raise RuntimeError("A callback of a reply cannot wait for it; use the methods of `pace`, which do not.")


def _apart(whose: weakref.ref[Stepping], busy: threading.RLock, pace: Pace, reply: Reply, first: PaceCommand) -> None:
    """Runs a reply in a thread of its own, which keeps its chat alive only while something happens."""
    error: BaseException | None = None
    try:
        with alone(busy, pace):
            chat = whose()
            if chat is None:
                return
            chat._open(reply, first)  # noqa: SLF001
            del chat
            try:
                for event in reply:
                    chat = whose()
                    if chat is None:
                        return
                    chat._tell(event)  # noqa: SLF001
                    del chat
            except BaseException as problem:
                error = problem
            chat = whose()
            if chat is not None:
                chat._settle(reply, error)  # noqa: SLF001
    except BaseException as problem:
        if not reply.settled.done():
            reply.settled.set_exception(problem)
            first.done.set_result(None)
