"""Slow motion: a reply that is stepped, played, forced, taken back and guessed, token by token."""

from __future__ import annotations

import math
import threading
import weakref
from collections.abc import Sequence
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from dialogpt_widget.chat.chat_state import ChatState
from dialogpt_widget.chat.pace import GUESS_FIRST, POLL_INTERVAL, Guess, Pace, PaceCommand
from dialogpt_widget.chat.planner import Planner
from dialogpt_widget.chat.reply import Reply, Step
from dialogpt_widget.chat.runner import Runner, exclusive
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.errors import check_text, check_token

if TYPE_CHECKING:
    from dialogpt_widget.engine.generation.sampler import Sampler
    from dialogpt_widget.engine.generation.trace import Token
    from dialogpt_widget.engine.hidden_states import Tensor


OVER = "The reply has ended. Say something, or call step() once more for another version."


class Launcher(Protocol):
    """Starts slow replies in the background, and waits for them."""

    def begin_with(self, command: PaceCommand) -> Reply:
        """Begins a reply to the path's last message, paused, and blocks until its first command is carried out."""

    def wait_for(self, done: Future[Any]) -> None:
        """Blocks until a command is carried out, or a reply has settled."""


class ThreadLauncher:
    """Runs each slow reply in a thread of its own."""

    def __init__(self, state: ChatState, planner: Planner, runner: Runner) -> None:
        self._state, self._planner, self._runner = state, planner, runner

    def begin_with(self, command: PaceCommand) -> Reply:
        """Begins a reply to the path's last message, paused, and blocks until its first command is carried out."""
        reply = self._planner.reply()
        runner = weakref.ref(self._runner, lambda _: reply.stop.set())
        arguments = runner, self._runner.busy, self._state.pace, reply, command
        threading.Thread(target=_run_apart, args=arguments, name="slow dialogpt", daemon=True).start()
        self.wait_for(command.done)
        return reply

    def wait_for(self, done: Future[Any]) -> None:
        """Blocks until a command is carried out, or a reply has settled."""
        while not wait([done], POLL_INTERVAL).done:
            pass


class SlowMotion:
    """Replies said in slow motion. The dice stay: the ids are those of an unwatched reply.

    `step`, `force`, `back` and `guess` pause the reply that is running; where none is, `step`, `force` and `guess`
    begin one to the path's last message, in the background.

    Attributes:
        launcher: begins these replies and waits for them.
    """

    def __init__(self, state: ChatState, planner: Planner, runner: Runner) -> None:
        self._state, self._runner, self._pace = state, runner, state.pace
        self.launcher: Launcher = ThreadLauncher(state, planner, runner)
        self._beginning = threading.Lock()
        self._stepped: Reply | None = None  # the last reply that carried out a command, until its end was told

    def step(self) -> Token | None:
        """Reveals one more token of a reply; see `Chat.step`."""
        if self._pace.guessing:
            raise RuntimeError(GUESS_FIRST)
        return None if self._over() else self._command(PaceCommand("reveal"))

    def force(self, token: int) -> Token:
        """Reveals a token of one's choice in place of the model's; see `Chat.force`."""
        command = PaceCommand("force", self.check_token(token))
        revealed = None if self._over() else self._command(command)
        if revealed is None:
            raise RuntimeError(OVER)
        return revealed

    def back(self) -> None:
        """Takes back the token that was revealed last; see `Chat.back`."""
        if self._runner.running is None:
            raise RuntimeError(OVER if self._stepped else "No reply is running.")
        self._command(PaceCommand("back"))

    def guess(self, guess: str | int) -> Guess:
        """Guesses the next token, which is then revealed; see `Chat.guess`."""
        token = self.guessed_token(guess)
        if self._over():
            raise RuntimeError(OVER)
        self._command(PaceCommand("hold"))
        if self._runner.running is None:
            raise RuntimeError(OVER)
        made, command = self.judge(token)
        self.launcher.wait_for(command.done)
        return made

    def finish(self) -> Turn:
        """Runs a reply to its end, guessed or not, and returns it; see `Chat.finish`."""
        reply = self._runner.running or self._stepped
        self._stepped = None
        if reply is None:
            raise RuntimeError("No reply is running.")
        self._refuse_callbacks()
        self._pace.finish()
        try:
            self.launcher.wait_for(reply.settled)
        except KeyboardInterrupt:
            reply.stop.set()
            raise
        return reply.settled.result()

    def check_token(self, token: int) -> int:
        """Returns an id of the model's, or raises ValueError."""
        return check_token(token, self._state.load_model().vocabulary)

    def guessed_token(self, guess: str | int) -> int:
        """The id that is guessed with a text or an id.

        Raises:
            ValueError: nothing was typed, or there is no such id.
        """
        if not isinstance(guess, str):
            return self.check_token(guess)
        ids = self._state.load_model().encode(check_text(guess))
        if not ids:
            raise ValueError("Type at least one character.")
        return ids[0]

    def judge(self, guess: int) -> tuple[Guess, PaceCommand]:
        """Judges a guess, an id, at the token that is held now, and has that revealed.

        Raises:
            RuntimeError: no token is held.
        """
        from dialogpt_widget.engine.introspection import places

        def judged() -> Guess:
            reply, held = self._holding()
            (place,) = places(reply.held_logits(), [guess])
            bits = max(0.0, -place.logprob / math.log(2))
            return Guess(guess, held.token.id, place.rank, bits, guess == held.token.id)

        return self._pace.guess(judged)

    def guess_options(self, count: int) -> list[int]:
        """So many ids to guess from where a token is held, lowest first: nothing tells which of them it is.

        Raises:
            RuntimeError: no token is held.
        """
        from dialogpt_widget.engine.generation.sampler import Sampler

        def options() -> list[int]:
            reply, held = self._holding()
            sampler = Sampler(reply.settings, reply.model.eos, reply.number)
            return guess_options(reply.held_logits(), reply.ids, sampler, held.token.id, count)

        return self._pace.look(options)

    def _holding(self) -> tuple[Reply, Step]:
        """The running reply and the token that it holds."""
        reply = self._runner.running
        assert isinstance(reply, Reply)
        assert reply.held is not None
        return reply, reply.held

    def _over(self) -> bool:
        """Whether the reply that was stepped last has ended and nothing was said since; true once."""
        reply = self._stepped
        if reply is None or self._runner.running is not None:
            return False
        self._stepped = None
        reply.settled.result()
        return self._state.conversation.leaf == reply.id

    def _command(self, command: PaceCommand) -> Token | None:
        """Has the running reply, or a new one, carry out a command; returns the token revealed by it."""
        self._refuse_callbacks()
        with self._beginning:
            reply = self._runner.ask(command) or self.launcher.begin_with(command)
        self.launcher.wait_for(command.done)
        revealed = command.done.result()
        self._stepped = reply
        if revealed is None and reply.settled.done():
            self._stepped = None
            reply.settled.result()
        return revealed

    def _refuse_callbacks(self) -> None:
        if self._runner.is_current_thread:
            raise RuntimeError("A callback of a reply cannot wait for it; use the methods of `pace`, which do not.")


def _run_apart(found: weakref.ref[Runner], busy: threading.RLock, pace: Pace, reply: Reply, first: PaceCommand) -> None:
    """Runs a reply as `Runner.run` does, but keeps its chat alive only while something happens."""
    error: BaseException | None = None
    try:
        with exclusive(busy, pace):
            runner = found()
            if runner is None:
                return
            runner.open(reply, first)
            del runner
            try:
                for event in reply:
                    runner = found()
                    if runner is None:
                        return
                    runner.tell(event)
                    del runner
            except BaseException as problem:
                error = problem
            runner = found()
            if runner is not None:
                runner.settle(reply, error)
    except BaseException as problem:
        if not reply.settled.done():
            reply.settled.set_exception(problem)
            first.done.set_result(None)


def guess_options(logits: Tensor, said: Sequence[int], sampler: Sampler, answer: int, count: int) -> list[int]:
    """So many ids to guess from, the answer among them; see `mixed_options`. A place always has the same ones.

    Args:
        logits: `[vocabulary]`, float32, from which the answer was chosen.
        said: ids of the reply before it.
        sampler: that chose it.
        answer: its id.
        count: how many.
    """
    ids, shares = _drawable(logits, said, sampler)
    if len(ids) < count:
        best = np.argsort(-logits.cpu().numpy(), kind="stable")[: count + len(ids)]
        others = [token for token in best.tolist() if token not in ids]
        ids, shares = [*ids, *others], [*shares, *(0.0 for _ in others)]
    bits = np.random.Philox(key=[sampler.settings.seed or 0, sampler.reply], counter=[len(said), 1, 0, 0])
    return mixed_options(ids, shares, answer, count, float(np.random.Generator(bits).random()))


def mixed_options(ids: Sequence[int], shares: Sequence[float], answer: int, count: int, draw: float) -> list[int]:
    """The most probable ids but for one, and one that stands for all the others; lowest first.

    That one is the answer where it is among the others; else it is drawn from them as the answer would have been. So
    the list tells nothing that the model does not: given the list, each of the most probable is the answer with its
    own probability, and the last one with that of all the others together.

    Args:
        ids: what may come next, most probable first.
        shares: their probabilities.
        answer: what comes next.
        count: how many.
        draw: a number in [0, 1).
    """
    first, rest = [*ids[: count - 1]], ids[count - 1 :]
    if answer not in first:
        return sorted([*first, answer])
    ends = np.cumsum(shares[count - 1 :])
    if not rest or not ends[-1]:
        return sorted([*first, *rest[:1]])
    return sorted([*first, rest[min(int(np.searchsorted(ends, draw * ends[-1], side="right")), len(rest) - 1)]])


def _drawable(logits: Tensor, said: Sequence[int], sampler: Sampler) -> tuple[list[int], list[float]]:
    """What the settings leave to choose from, most probable first, and the probabilities."""
    left: list[tuple[np.ndarray, np.ndarray]] = []

    def watch(name: str, ids: Tensor | None, scores: Tensor) -> None:
        if name == "left":
            values = scores.double().cpu().numpy()
            left.append((np.arange(len(values)) if ids is None else ids.cpu().numpy(), values))

    sampler.choose(logits, said, watch=watch)
    ((ids, scores),) = left
    order = np.argsort(-scores, kind="stable")[: int((scores > -np.inf).sum())]
    weights = np.exp(scores[order] - scores[order[0]])
    return ids[order].tolist(), (weights / weights.sum()).tolist()
