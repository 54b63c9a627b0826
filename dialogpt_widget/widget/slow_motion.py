"""Slow motion from a cell and from the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dialogpt_widget.chat.pace import GUESS_FIRST, Guess, Pace, PaceCommand
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.errors import check_text
from dialogpt_widget.widget.questions import Request, RequestError
from dialogpt_widget.widget.rows import pieces_of

if TYPE_CHECKING:
    from dialogpt_widget.engine.generation.trace import Token
    from dialogpt_widget.widget.session import Session

MOST_FORCED = 20  # tokens at once
CHOICES = 10
NOT_LOADED = "This needs the model, which is not loaded yet: try again when it is."


class SlowVerbs:
    """The verbs of slow motion; see `Chat` for what each does."""

    _session: Session

    @property
    def pace(self) -> Pace:
        """How fast a running reply is revealed: `run()`, `pause()`, `play(4)`, `guessing`."""
        return self._session.chat.pace

    def step(self) -> Token | None:
        """Reveals one more token of a reply and returns it; None once the reply has ended with the one before."""
        return self._session.chat.step()

    def force(self, token: int) -> Token:
        """Reveals a token of one's choice in place of the model's; the model goes on from there."""
        return self._session.chat.force(token)

    def back(self) -> None:
        """Takes back the token that was revealed last; does nothing before the first."""
        self._session.chat.back()

    def guess(self, guess: str | int) -> Guess:
        """Guesses the next token, which is then revealed."""
        return self._session.chat.guess(guess)

    def finish(self) -> Turn:
        """Runs a reply to its end, guessed or not, and returns it. Ctrl-C stops it."""
        return self._session.chat.finish()


def _pace(session: Session, request: Request) -> None:
    pace = session.chat.pace
    modes: dict[str, Callable[[], None]] = {
        "run": pace.run,
        "step": pace.pause,
        "play": lambda: pace.play(request["rate"]),
        "finish": pace.finish,
    }
    if request["mode"] not in modes:
        raise RequestError(f"pace needs mode: {', '.join(modes)}")
    pace.rate = request["rate"]
    modes[request["mode"]]()


def _guessing(session: Session, request: Request) -> None:
    session.chat.pace.guessing = request["on"]


def _step(session: Session, _: Request) -> None:
    if session.chat.pace.guessing:
        raise RuntimeError(GUESS_FIRST)
    session.ask(PaceCommand("reveal"))


def _back(session: Session, _: Request) -> None:
    if session.chat.running is None:
        raise RuntimeError("No reply is running.")
    session.ask(PaceCommand("back"))


def _force(session: Session, request: Request) -> dict[str, Any]:
    text, token = request["text"], request["token"]
    if (text is None) == (token is None):
        raise RequestError("force needs text: str, or token: int")
    _needs_model(session)
    chat = session.chat
    ids = [chat.slow_motion.check_token(token)] if token is not None else chat.load_model().encode(check_text(text))
    if not ids:
        raise RequestError("Type at least one character.")
    if len(ids) > MOST_FORCED:
        raise RequestError(f"At most {MOST_FORCED} tokens can be put there at once; these are {len(ids)}.")
    if len(ids) > 1 and chat.running is None:
        raise RequestError("A reply begins with one token: make a step first.")
    for own in ids:
        session.ask(PaceCommand("force", own))
    return {"ids": ids}


def _guess(session: Session, request: Request) -> dict[str, Any]:
    text, token = request["text"], request["token"]
    guess = token if text is None else text
    if guess is None:
        raise RequestError("guess needs text: str, or token: int")
    _needs_model(session)
    made, _ = session.chat.slow_motion.judge(session.chat.slow_motion.guessed_token(guess))
    piece = session.chat.load_model().piece
    return asdict(made) | {"pieces": pieces_of([made.guess, made.token], piece)}


def _choices(session: Session, _: Request) -> dict[str, Any]:
    _needs_model(session)
    ids, model = session.chat.slow_motion.guess_options(CHOICES), session.chat.load_model()
    return {"ids": ids, "end": model.eos, "pieces": pieces_of(ids, model.piece)}


def _needs_model(session: Session) -> None:
    if session.chat.model is None:
        raise RequestError(NOT_LOADED)


HANDLERS: dict[str, Callable[[Session, Request], dict[str, Any] | None]] = {
    "pace": _pace,
    "guessing": _guessing,
    "step": _step,
    "back": _back,
    "force": _force,
    "guess": _guess,
    "choices": _choices,
}
