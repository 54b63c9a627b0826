"""What can be done with the next token of a reply that is said in slow motion."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from dialogpt_widget.engine.record import Token

Mode = Literal["run", "step", "play"]
RATES = (0.1, 50.0)  # tokens a second: least and most


@dataclass(eq=False, slots=True)
class Move:
    """What a reply does with the token that it holds.

    Attributes:
        kind: reveal it, take the one before it back, put `token` in its place, or reveal nothing more. `hold` does
            nothing, and is done as soon as a token is held.
        token: the id that is put in its place.
        said: the token that was revealed by it, once it was.
        done: `said`, or None; there when all that follows from the move has happened: the next token is held, or the
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


REVEAL, END = Move("reveal"), Move("end")  # what nobody asked for and nobody waits for


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
