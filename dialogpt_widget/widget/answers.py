"""What requests are answered with, beside `id` and `ok`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict


@dataclass(slots=True)
class Answer:
    """What a request is answered with, beside its id.

    Attributes:
        content: JSON.
        buffers: files.
    """

    content: dict[str, Any] = field(default_factory=dict)
    buffers: list[bytes] = field(default_factory=list)


class Stage(TypedDict):
    """The distribution after one stage of a choice: how many tokens are left, the most probable ones, their shares."""

    name: str
    count: int
    ids: list[int]
    shares: list[float]


class Explained(TypedDict):
    """The answer to `explain`.

    `chosen` is the id that settings and dice choose; `cut_count` and `cut_mass` go by filter; `span` is where the dice
    hit, None where the token was cut; `lead` is how far the best logit leads, None where nothing else is left.
    """

    id: str
    ok: Literal[True]
    chosen: int
    logprob: float
    logprob_used: float | None
    rank: int
    kept: int
    draw: float | None
    stages: list[Stage]
    cut_count: dict[str, int]
    cut_mass: dict[str, float]
    span: list[float] | None
    lead: float | None
    pieces: dict[str, str | list[int]]


class Placed(TypedDict):
    """A token's place in the model's own distribution."""

    token: int
    piece: str | list[int]
    logprob: float
    rank: int


class Inside(TypedDict):
    """The answer to `inside`.

    `layers`, from the embedding up, each name their best guesses and the `chance` of the token that was chosen.
    `seen` are the ids before it, the last of which is where the model stood; the buffer is attention as float16
    `[layers, heads, seen]`.
    """

    id: str
    ok: Literal[True]
    layers: list[dict[str, Any]]
    heads: int
    seen: list[int]
    pieces: dict[str, str | list[int]]


class Guessed(TypedDict):
    """The answer to `guess`: the id guessed and the one that it was, and how probable the guess was."""

    id: str
    ok: Literal[True]
    guess: int
    token: int
    rank: int
    bits: float
    right: bool
    pieces: dict[str, str | list[int]]


class Choices(TypedDict):
    """The answer to `choices`: ids of which the held token is one, lowest first; they do not tell which."""

    id: str
    ok: Literal[True]
    ids: list[int]
    end: int
    pieces: dict[str, str | list[int]]


class Sync(TypedDict):
    """The answer to `sync`: all of the running reply up to frame `seq`; `turn` is None when none is running.

    Its buffer, if it has one, are all its token rows. `drafts` are the texts of replies that are said side by side.
    """

    id: str
    ok: Literal[True]
    seq: int
    turn: int | None
    text: str
    drafts: list[str]


class Poll(TypedDict):
    """The answer to `poll`: what changed after revision `rev` was reached, and the running reply as in `Sync`.

    `state` is JSON: it has no `tokens_<id>`, for which a page asks with `tokens`.
    """

    id: str
    ok: Literal[True]
    rev: int
    state: dict[str, Any]
    seq: int
    turn: int | None
    text: str
    drafts: list[str]
