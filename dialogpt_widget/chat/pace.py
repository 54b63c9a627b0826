"""How fast a running reply is revealed: at once, by the second, or by commands; any thread may give them."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from dialogpt_widget.chat.events import Listeners
from dialogpt_widget.errors import check_token

if TYPE_CHECKING:
    from dialogpt_widget.engine.generation.trace import Token

Mode = Literal["run", "step", "play"]
RATES = (0.1, 50.0)  # tokens a second: least and most


@dataclass(eq=False, slots=True)
class PaceCommand:
    """Command to a running reply about the token that it holds.

    Attributes:
        kind: reveal it, take the one before it back, put `token` in its place, or reveal nothing more. `hold` does
            nothing, and is done as soon as a token is held.
        token: the id that is put in its place.
        said: the token that was revealed by it, once it was.
        done: `said`, or None; there when all that follows from the command has happened: the next token is held, or the
            reply has settled.
    """

    kind: Literal["reveal", "back", "force", "end", "hold"]
    token: int | None = None
    said: Token | None = None
    done: Future[Token | None] = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class Guess:
    """A guess at the next token.

    Attributes:
        guess: its id.
        token: what it is.
        rank: of the guess in the model's own distribution, 1 the most probable.
        bits: surprisal of the guess there.
        right: whether it was right.
    """

    guess: int
    token: int
    rank: int
    bits: float
    right: bool


REVEAL, END = PaceCommand("reveal"), PaceCommand("end")  # what nobody asked for and nobody waits for


def check_rate(rate: float) -> float:
    """A number of tokens a second.

    Raises:
        TypeError, ValueError: it is no number, or out of bounds.
    """
    least, most = RATES
    if isinstance(rate, bool) or not isinstance(rate, (int, float)):
        raise TypeError(f"The rate is a number of tokens a second, not {type(rate).__name__}.")
    if not least <= rate <= most:
        raise ValueError(f"From {least} to {most:g} tokens a second can be played, not {rate}.")
    return float(rate)


POLL_INTERVAL = 0.05  # seconds within which a waiting reply hears that its event was set
GUESS_FIRST = "The next token is to be guessed first: guess it, or switch guessing off."
T = TypeVar("T")


class Pace:
    """Decides when each decoded token is revealed. Any thread may call its methods.

    `run`, `pause` and `play` hold for the running reply and those after it, `step`, `back`, `force` and `finish` for
    the running reply alone; when none is running, these do nothing.
    """

    def __init__(self) -> None:
        self._state = threading.Condition()
        self._free = True  # read without the lock: whether tokens need not ask at all
        self._chosen: Mode = "run"
        self._here: Mode | None = None  # of the running reply, where it differs
        self._rate = 4.0
        self._guessing = False
        self._replies = 0
        self._vocabulary = 0
        self._stop: threading.Event | None = None  # of the reply that holds a token
        self._revealed = -math.inf
        self._waited = 0.0
        self._asked: deque[PaceCommand] = deque()
        self._taken: PaceCommand | None = None
        self._listeners: Listeners[Pace] = Listeners()

    @property
    def mode(self) -> Mode:
        """`run`: at once; `step`: when asked to; `play`: `rate` tokens a second."""
        return self._here or self._chosen

    @property
    def rate(self) -> float:
        """Tokens a second when playing."""
        return self._rate

    @rate.setter
    def rate(self, rate: float) -> None:
        rate = check_rate(rate)
        with self._changing():
            self._rate = rate

    @property
    def guessing(self) -> bool:
        """Whether each token is held back until it was guessed."""
        return self._guessing

    @guessing.setter
    def guessing(self, on: bool) -> None:
        with self._changing():
            self._guessing = bool(on)

    @property
    def waiting(self) -> bool:
        """Whether a token is held until a command or a guess reveals it."""
        with self._state:
            stop = self._stop
            return stop is not None and not stop.is_set() and (self.mode == "step" or self._guarded)

    @property
    def waited(self) -> float:
        """Seconds that the tokens of the running reply, or the last one, were held."""
        return self._waited

    def run(self) -> None:
        """Reveals each token as soon as it is decoded."""
        self._choose("run")

    def pause(self) -> None:
        """Reveals a token when asked to: see `step`. A call that waits for a reply, such as `send`, waits with it."""
        self._choose("step")

    def play(self, rate: float) -> None:
        """Reveals so many tokens a second, from 0.1 to 50.

        Raises:
            TypeError, ValueError: that is no number, or out of bounds.
        """
        self.rate = rate
        self._choose("play")

    def step(self) -> PaceCommand:
        """Pauses the reply and reveals one more token.

        Raises:
            RuntimeError: it is to be guessed first.
        """
        if self._guessing:
            raise RuntimeError(GUESS_FIRST)
        return self.ask(PaceCommand("reveal"))

    def back(self) -> PaceCommand:
        """Pauses the reply and takes back the token revealed last, if there is one."""
        return self.ask(PaceCommand("back"))

    def force(self, token: int) -> PaceCommand:
        """Pauses the reply and puts a token of one's choice next.

        Raises:
            ValueError: there is no such id.
        """
        if self._replies:
            check_token(token, self._vocabulary)
        return self.ask(PaceCommand("force", token))

    def finish(self) -> None:
        """Runs the reply to its end, guessed or not."""
        with self._changing():
            if self._replies:
                self._here = "run"

    def guess(self, judge: Callable[[], T]) -> tuple[T, PaceCommand]:
        """Judges a guess and reveals the held token; pauses the reply unless it is guessed token by token.

        Args:
            judge: called while the token stays held.

        Raises:
            RuntimeError: no token is held.
        """
        with self._changing():
            made = self._held(judge)
            return made, self._put(PaceCommand("reveal"))

    def look(self, at: Callable[[], T]) -> T:
        """Calls `at` while a token stays held.

        Raises:
            RuntimeError: no token is held.
        """
        with self._state:
            return self._held(at)

    def ask(self, command: PaceCommand) -> PaceCommand:
        """Pauses the running reply and gives it a command; does nothing where none is running."""
        with self._changing():
            return self._put(command)

    def wake(self) -> None:
        """Lets a waiting reply look at once whether it has been stopped."""
        with self._state:
            self._state.notify_all()

    def on_change(self, listener: Callable[[Pace], Any]) -> Callable[[], None]:
        """Calls `listener(pace)` when the mode, the rate or what is held changes; returns a function that ends that."""
        return self._listeners.add(listener)

    # For the reply

    def begin(self, vocabulary: int, first: PaceCommand | None = None) -> None:
        """Notes that a reply begins, paused where it has a first command."""
        with self._changing():
            self._replies += 1
            self._vocabulary, self._revealed, self._waited = vocabulary, -math.inf, 0.0
            if first is not None:
                self._put(first)

    def next(self, held: Token, stop: threading.Event, idle: Callable[[], object] | None = None) -> PaceCommand:
        """Blocks until it is decided what becomes of a decoded token.

        Args:
            held: the token; nobody learns of it meanwhile.
            stop: ends the waiting.
            idle: called before it waits, if it has to.
        """
        if self._free:
            return REVEAL
        with self._changing():
            self._complete()
            self._stop = stop
        began = time.monotonic()
        try:
            with self._state:
                command = END if stop.is_set() else self._decide(held)
            if command is None and idle:
                idle()
            return command or self._await(held, stop)
        finally:
            with self._changing():
                self._stop = None
                self._waited += time.monotonic() - began

    def end(self) -> None:
        """Notes that the reply has settled; drops the commands that were not carried out."""
        with self._changing():
            self._replies -= 1
            self._here = None
            self._complete()
            while self._asked:
                self._asked.popleft().done.set_result(None)

    def _await(self, held: Token, stop: threading.Event) -> PaceCommand:
        with self._state:
            while not stop.is_set():
                command = self._decide(held)
                if command is not None:
                    return command
                self._state.wait(min(self._left(), POLL_INTERVAL))
        return END

    def _decide(self, held: Token) -> PaceCommand | None:
        command = None if self._left() > 0 else REVEAL
        while self._asked:
            self._taken = command = self._asked.popleft()
            if command.kind != "hold":
                command.said = held if command.kind == "reveal" else None
                break
            self._complete()
            command = None
        if command is not None and command.kind == "reveal":
            self._revealed = time.monotonic()
        return command

    def _left(self) -> float:
        """Seconds until the held token is due."""
        if self.mode == "step" or self._guarded:
            return math.inf
        return 0 if self.mode == "run" else self._revealed + 1 / self._rate - time.monotonic()

    @property
    def _guarded(self) -> bool:
        return self._guessing and self._here != "run"

    def _held(self, then: Callable[[], T]) -> T:
        if self._stop is None or self._asked:
            raise RuntimeError("There is no token to guess yet: guess again in a moment.")
        return then()

    def _choose(self, mode: Mode) -> None:
        with self._changing():
            self._chosen, self._here = mode, None

    def _put(self, command: PaceCommand) -> PaceCommand:
        if self._replies:
            if not self._guessing or command.kind in ("back", "force"):  # who guesses has a reply that waits anyway
                self._here = "step"
            self._asked.append(command)
        else:
            command.done.set_result(None)
        return command

    def _complete(self) -> None:
        if self._taken is not None:
            self._taken.done.set_result(self._taken.said)
            self._taken = None

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Holds the lock while the state changes, then tells the listeners."""
        with self._state:
            yield
            idle = not self._asked and self._taken is None
            self._free = idle and self.mode == "run" and not self._guarded
            self._state.notify_all()
        self._listeners.tell(self)
