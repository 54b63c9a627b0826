"""From a path of turns to the ids that the model sees, and which turns fell out of its window."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.settings import Settings

LONGEST_ROOM = 128  # tokens kept free for a reply, at most; DialoGPT's training sequences were no longer


@dataclass(frozen=True, slots=True)
class Context:
    """What the model sees of a path.

    Attributes:
        ids: every included turn's ids, each turn followed by EOS.
        turns: ids of the included turns, oldest first.
        dropped: ids of the turns that no longer fit, oldest first.
        cut: how many of the oldest included turn's first ids were cut because it alone is too long.
        window: tokens for history and reply together.
        room: tokens kept free for the reply.
    """

    ids: tuple[int, ...]
    turns: tuple[int, ...]
    dropped: tuple[int, ...]
    cut: int
    window: int
    room: int

    @property
    def reason(self) -> str | None:
        """Why turns fell out or were cut, in a sentence; None when all is there."""
        if self.cut:
            return f"The last message is longer than the window of {self.window} tokens: its first {self.cut} fell out."
        if self.dropped:
            return f"{len(self.dropped)} earlier turns no longer fit the window of {self.window} tokens."
        return None


def window_size(settings: Settings, positions: int | None) -> int:
    """Tokens for history and reply together: `max_context`, never beyond the model's positions."""
    return settings.max_context if positions is None else min(settings.max_context, positions)


def encoded_for(path: Sequence[Turn], model: str, encode: Callable[[str], Sequence[int]]) -> list[Turn]:
    """A path with the ids of one model: turns that another model's tokenizer encoded are encoded anew."""
    return [turn if turn.model == model else replace(turn, ids=tuple(encode(turn.text))) for turn in path]


class Reader(Protocol):
    """A model, as far as its name, its ids and its window are concerned."""

    @property
    def name(self) -> str:
        """Its name, which turns in its ids bear."""

    @property
    def eos(self) -> int:
        """The id that ends a turn."""

    @property
    def positions(self) -> int | None:
        """The longest sequence it can take; None where it has no limit."""

    def encode(self, text: str) -> Sequence[int]:
        """The ids of a text, without EOS."""


def context_for(model: Reader, path: Sequence[Turn], settings: Settings, prefix: int = 0) -> Context:
    """What a model sees of a path; see `build_context`.

    Args:
        model: the model; turns of other models are encoded for it.
        path: root first.
        settings: whose `max_context` and `max_new_tokens` hold.
        prefix: the number of ids that the reply begins with.
    """
    turns = encoded_for(path, model.name, model.encode)
    return build_context(turns, model.eos, settings, model.positions, prefix)


def check_known(turns: Iterable[Turn], model: str, vocabulary: int) -> None:
    """Refuses turns of a model with ids that it does not have.

    Raises:
        ValueError: there is one.
    """
    for turn in turns:
        if turn.model == model and max(turn.ids, default=0) >= vocabulary:
            raise ValueError(
                f"This conversation is damaged: turn {turn.id} holds the token {max(turn.ids)}, and {model} has "
                f"{vocabulary} tokens."
            )


def build_context(
    path: Sequence[Turn], eos: int, settings: Settings, positions: int | None = None, begun: int = 0
) -> Context:
    """The context that the next reply to `path` is conditioned on.

    Whole oldest turns leave when the history and the room for a reply exceed the window, until the history is at
    most three quarters of the window. That is replayed from the root, turn by turn, so that the context is a function
    of path and settings alone, and its beginning (with it the model's cache) moves only once in a while.

    The room is `min(max_new_tokens, 128)`, and at most half of a window too small for that.

    Args:
        path: turns, root first.
        eos: id that ends each turn.
        settings: `max_context` and `max_new_tokens` count.
        positions: the longest sequence that the model can take, or None where it has no limit.
        begun: tokens that the reply begins with, already said.

    Raises:
        ValueError: what the reply begins with leaves no room in the window.
    """
    window = window_size(settings, positions)
    if begun > window - 2:
        raise ValueError(f"A reply of {begun} tokens fills the window of {window}: there is no room to go on.")
    room = begun + min(settings.max_new_tokens, LONGEST_ROOM, (window - begun) // 2)
    limit = window - room
    first, used = 0, 0
    for place, turn in enumerate(path):
        used += len(turn.ids) + 1
        asked = turn.role == "user" or place == len(path) - 1
        if asked and used > limit:
            while first < place and used > min(limit, window * 3 // 4):
                used -= len(path[first].ids) + 1
                first += 1
    ids = [token for turn in path[first:] for token in (*turn.ids, eos)]
    cut = max(0, len(ids) - limit)
    return Context(
        ids=tuple(ids[cut:]),
        turns=tuple(turn.id for turn in path[first:]),
        dropped=tuple(turn.id for turn in path[:first]),
        cut=cut,
        window=window,
        room=room,
    )
