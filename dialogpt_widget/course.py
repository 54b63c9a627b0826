"""What becomes of a reply's tokens: decoded, said, taken back, and said again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dialogpt_widget.engine.record import Token
    from dialogpt_widget.engine.states import Tensor

Decode = Callable[[Sequence[int], Mapping[int, int], "list[Tensor]"], "Iterator[Token]"]


@dataclass(frozen=True, slots=True)
class Step:
    """A token that was decoded.

    Attributes:
        token: the token.
        state: what it was decoded from, where the model's states are small.
    """

    token: Token
    state: Tensor | None


@dataclass(frozen=True, slots=True)
class Said:
    """A token was revealed.

    Attributes:
        token: the token; None where text that was withheld follows without one.
        piece: the text that can be shown because of it, which may be nothing.
    """

    token: Token | None
    piece: str


@dataclass(frozen=True, slots=True)
class TakenBack:
    """The last token was taken back.

    Attributes:
        token: the token.
        length: of the text that is left.
    """

    token: Token
    length: int


@dataclass(slots=True)
class _Line:
    """The tokens after one another, until one of them is forced to be another.

    Attributes:
        source: decodes them.
        states: where it puts what it decodes them from.
        known: those that were decoded and not taken yet, the next one last.
        forced: the token with which the line begins; None for the reply's own.
    """

    source: Iterator[Token]
    states: list[Tensor]
    known: list[Step] = field(default_factory=list)
    forced: Token | None = None


class Course:
    """Gives a reply's tokens one by one, and takes them back.

    A token that was put back comes again as it was, not decoded anew: a number that differed in its last digit might
    choose another. Where a forced token is put back, what it displaced comes again.

    Args:
        decode: from ids already said, ids that are forced by their place, and a list for the states, the tokens.
    """

    def __init__(self, decode: Decode) -> None:
        self._decode = decode
        self._lines = [self._line((), {})]

    def next(self) -> Step | None:
        """The next token; None at the end or when stopped."""
        line = self._lines[-1]
        if line.known:
            return line.known.pop()
        token = next(line.source, None)
        return None if token is None else Step(token, line.states.pop() if line.states else None)

    def force(self, said: Sequence[int], token: int) -> Step | None:
        """Puts a token of one's choice next, and gives it; None when stopped.

        Args:
            said: the ids before it.
            token: its id.
        """
        line = self._line(said, {len(said): token})
        self._lines.append(line)
        step = self.next()
        line.forced = step.token if step else None
        return step

    def put_back(self, step: Step) -> None:
        """Makes the token that was given last the next one again."""
        if step.token is self._lines[-1].forced:
            self._lines.pop()
        else:
            self._lines[-1].known.append(step)

    def _line(self, said: Sequence[int], forced: Mapping[int, int]) -> _Line:
        states: list[Tensor] = []
        return _Line(self._decode(said, forced, states), states)
