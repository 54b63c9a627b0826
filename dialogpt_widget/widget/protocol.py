"""Every trait, frame, request and reply that crosses between kernel and browser.

`tools/protocol.py` writes the types and constants of `js/protocol.js` from this file.

**State** lives in traits, one JSON value a key, and one key a settled turn (`turn_<id>`), so that a turn costs its
own bytes and not the conversation's. `leaf` names the last turn of the selected path; the path is found by following
`parent`. All ids are below `next_id`. `offline` is when a page without a kernel was saved, UTC epoch seconds, else
None. `view` marks the chat's transcript in the same document, which the live view hides. `tokens_<id>` holds what is
known of a turn's tokens, once the model is loaded that it is in the ids of; it never changes. `inspector` is the code
that shows them, an ES module, deflated and in base64, or "" where the chat does not. `pinned` is a turn and the place
of a token in it that a view begins with, as `[turn, index]`, or None. `nbest_<id>` is a list of replies to one turn;
lists and turns are counted together, and a list may come anew once it was ranked again. `decider` is the code that
shows them, as `inspector`. `rerank` is how one is chosen, `rerankers` what can choose.

**A running reply** travels in frames, custom messages of at most one each 40 ms. `seq` counts the frames of a widget
from 1; a page that mounts late or misses a number asks `sync` for the whole reply so far. `text` is appended, after
the first `at` UTF-16 units of what there is where `at` is given: then something was taken back. To pages that `watch`
a frame brings the token rows from `row` on as its buffer (see `streaming.py`); what they had beyond is void. When the
reply has ended, its turn, `leaf`, `status` and `meter` come in one state update. While several replies are said side by
side, `status.turn` is the id of their list, and a frame brings `more`: the places of those that go on, with their text.

**A request** is `{"op", "id", ...}`; it is answered by `{"id", "ok": true, ...}` or `{"id", "error"}`, once, soon:
the answer says that a request was taken, not that its work is done, but for those that ask about tokens. All of them
are in `Request` below, and their answers after it.

**What is lost** is noticed by number: `rev` counts the updates of the state, and every answer carries it too. Some
hosts drop what the kernel says of its own accord; a page that misses an update there asks for it with `poll`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypedDict, TypeVar

from dialogpt_widget.dialogue.nbest import NBest
from dialogpt_widget.dialogue.turn import Role, Stop, Turn, well_formed

if TYPE_CHECKING:
    from typing_extensions import NotRequired

Content = TypeVar("Content", bound=Mapping[str, Any])

VERSION = 1
FRAME_INTERVAL = 0.04  # seconds
TURN_KEY = "turn_"
TOKENS_KEY = "tokens_"
NBEST_KEY = "nbest_"

TRAITS = (
    "info",
    "status",
    "error",
    "queue",
    "meter",
    "leaf",
    "next_id",
    "can_undo",
    "starters",
    "settings",
    "settings_schema",
    "presets",
    "models",
    "precisions",
    "formats",
    "height",
    "offline",
    "view",
    "rev",
    "pace",
    "pinned",
    "inspector",
    "decider",
    "rerank",
    "rerankers",
)

Kind = Literal["message", "edit", "regenerate", "continue", "fork", "compare"]
Mode = Literal["run", "step", "play"]
Piece: TypeAlias = "str | list[int]"  # a token's bytes: as text, or their numbers where they are no valid UTF-8
Phase = Literal["idle", "loading", "ready", "waiting", "generating", "error"]


class Info(TypedDict):
    """The model, as the widget presents it. Before it is loaded only `name`, `title` and `about` are known."""

    name: str
    title: str
    about: str
    parameters: int | None
    device: str | None
    precision: str | None
    revision: str | None
    positions: int | None
    notes: list[str]


class Status(TypedDict):
    """What the kernel is doing. `detail` is one line for people.

    `progress` is 0..1 while loading, None where unknown. While a reply runs, `turn` is the id it will have and
    `parent` the turn it answers. `ahead` counts the replies that other chats on the same model get first. `speed` is
    tokens a second of the last reply. `drafts` counts the replies that are said side by side, 0 for one alone.
    """

    phase: Phase
    detail: str
    progress: float | None
    turn: int | None
    parent: int | None
    ahead: int
    speed: float | None
    drafts: int


class Action(TypedDict):
    """A way out of an error: the request `op` with its arguments, on a button named `label`."""

    label: str
    op: Literal["retry", "use_model", "use_precision"]
    arguments: dict[str, str]


class Error(TypedDict):
    """An error where the user looks: what happened, why, and what to do next."""

    kind: str
    title: str
    message: str
    actions: list[Action]


class Queued(TypedDict):
    """What waits for its turn and can be withdrawn: a message, or another reply to `turn`, edited to `text` or not."""

    id: str
    kind: Kind
    text: str
    turn: int | None


class Meter(TypedDict):
    """How full the window is. Turns of the path before `first` have fallen out of it.

    `cut` counts the tokens at the beginning of `first` that fell out too, because it alone is too long. `reused` counts
    the tokens before the reply at the end of the path that were in the model's cache when it began; None where that is
    not known.
    """

    used: int
    window: int
    first: int | None
    cut: int
    reused: int | None


class Made(TypedDict):
    """How a reply was made: what differs from the default settings, the dice, what ran, and what it saw.

    It saw the turns of its path from `first` on, of which `seen` tokens, EOS after each turn; less than these turns
    have where the first of them is too long by itself. None where that is not known. `nbest` is the list that it was
    chosen from, None for a reply alone.
    """

    settings: dict[str, Any]
    reply: int
    revision: str | None
    precision: str
    first: int | None
    seen: int | None
    nbest: int | None


class Preset(TypedDict):
    """Settings known by a name; what is not in `values` goes back to its default, but for lengths and seed."""

    name: str
    help: str
    values: dict[str, Any]


class Choice(TypedDict):
    """A model to choose, or a format to download; `help` is one line."""

    name: str
    title: str
    help: str


class TurnState(TypedDict):
    """A settled turn as the view needs it; its key is `turn_<id>`, whose value is None once it was forgotten.

    `made` is None for a user's turn and for a reply that was not generated here: written or imported.
    """

    id: int
    parent: int | None
    role: Role
    text: str
    stop: Stop | None
    tokens: int
    created: float
    model: str
    made: Made | None


class TokensState(TypedDict):
    """A turn's tokens, its final EOS included; the key is `tokens_<id>`.

    `data` are rows as `streaming.py` packs them, with two-byte ids or `wide`, `full` where the model chose some.
    `pieces` are the bytes of each id that occurs, alternatives included, in the order in which they do: as text, or as
    the bytes' numbers where they are no valid UTF-8 alone. `differs` is the place of the first token that this machine
    would choose otherwise, of a reply from a chat that was shared by another.
    """

    wide: bool
    full: bool
    data: bytes
    pieces: list[Piece]
    differs: int | None


class CandidateState(TypedDict):
    """One of several replies. `turn` is the id that it has in the tree once it was picked.

    `logprob` is the sum over its tokens, the EOS included, and `mean` that by the token, nat. `scores` are in the order
    of the list's `scorers`; they and `total` are None where it was `dropped`, for the reason given. `rank` is 1 for the
    best, 0 where it has none. `label` says of a comparison what made it, `beam` is the score of beam search.
    """

    turn: int
    text: str
    tokens: int
    stop: Stop | None
    logprob: float | None
    mean: float | None
    scores: list[float | None]
    total: float | None
    dropped: str | None
    rank: int
    label: str
    beam: float | None


class NBestState(TypedDict):
    """Several replies to the turn `parent`; its key is `nbest_<id>`, whose value is None once it was forgotten.

    `spared` is whether the rules would have dropped all, so that none was. `temperature` is that of the draw between
    them, 0 where the best was taken. `cross` is of a comparison: of each reply its log-probability as each side would
    have drawn it, nat, None where it could not. `note` is a line for people, or "".
    """

    id: int
    parent: int
    kind: Literal["sampled", "beam", "compared"]
    candidates: list[CandidateState]
    scorers: list[str]
    weights: list[float]
    spared: bool
    temperature: float
    cross: list[list[float | None]] | None
    note: str


class RerankState(TypedDict):
    """How one of several replies is chosen: by what, the temperature of the draw, and what drops a reply before."""

    name: str
    temperature: float
    words: list[str]
    urls: bool
    repeats: bool
    echo: bool
    empty: bool


class PaceState(TypedDict):
    """How a running reply is revealed: all at once, by steps, or `rate` tokens a second.

    `guessing` holds each token back until it was guessed. `waiting` is whether a token is ready to be revealed, `count`
    how many tokens of the running reply were.
    """

    mode: Mode
    rate: float
    guessing: bool
    waiting: bool
    count: int


class Frame(TypedDict):
    """A piece of the reply that is being generated."""

    v: int
    seq: int
    turn: int
    text: str
    at: NotRequired[int]
    row: NotRequired[int]
    more: NotRequired[list[tuple[int, str]]]


# Names of what crosses by number

SELECTION = ("leaf", "next_id", "can_undo", "meter")  # what another selected path changes on the page


def key_of(turn: Turn) -> str:
    """The key of the state under which the page finds a turn."""
    return f"{TURN_KEY}{turn.id}"


def tokens_key_of(turn: Turn) -> str:
    """The key of the state under which the page finds a turn's tokens."""
    return f"{TOKENS_KEY}{turn.id}"


def nbest_key_of(made: NBest) -> str:
    """The key of the state under which the page finds several replies to a turn."""
    return f"{NBEST_KEY}{made.id}"


# Requests


class Request(TypedDict, total=False):
    """What a page may ask for.

    Each `op` with its arguments:

    - `mount {version}`: a view is on the page; loading starts with the first.
    - `send {text}`: a message; answered with the `item` it is in the queue until its turn comes.
    - `stop {}`: end the running reply at once, keep what was said.
    - `withdraw {item}`: take something queued back; answered with its `text`.
    - `sync {}`: the running reply so far.
    - `poll {rev}`: for hosts that lose what the kernel says of itself: what changed since; see `Poll`.
    - `retry {}`: try again what failed.
    - `use_model {model}`: go on with another model.
    - `use_precision {precision}`: go on with the same model in another precision.
    - `regenerate {turn}`: another reply instead of this one, or to this message; answered with its `item`.
    - `continue {turn}`: another version of a reply that goes on where it ended; answered with its `item`.
    - `edit {turn, text}`: a new version of a turn; a message's is answered (`item`), a reply's is not.
    - `select {turn}`: the path through a turn, down to the leaf that was selected there last; a running reply too.
    - `undo {}`, `clear {}`: the selection before, answered with the `text` of a message that it took back; an empty
      path.
    - `forget {turn}`: erase a turn and all that follows it.
    - `settings {values}`: settings of the next reply, by name; what is not named stays.
    - `export {format, branches}`: answered with `name`, `type` and the file as a buffer.
    - `import {name}` with the file as a buffer: its turns become branches; answered with how many `turns` it had.
    - `code {turn}`: answered with Python as `text` that makes a reply again.
    - `pin {turn, index}`: what the reader has selected, None for nothing: a turn, or the token at a place in it.
    - `watch {on}`: whether frames shall bring token rows to this page.
    - `tokens {turn}`: for hosts that lose messages; answered with `tokens`, whose `data` is the buffer, or None.
    - `pieces {ids}`: answered with `pieces` by id, each as in `TokensState`.
    - `fork {turn, index, token}`: a version of a reply with another token there; answered with its `item`.
    - `explain {turn, index, values}`: how a token was chosen, or with some settings changed; see `Explained`.
    - `ranked {turn, index, first, count}`: answered with `places`, a list of `Placed`, from a rank on.
    - `chances {turn, index, text}`: answered with `places`, one for each token of a typed piece.
    - `inside {turn, index}`: see `Inside`.
    - `without {turn, turns}`: answered with the reply's `logprob` without these turns and `logprob_with` them.
    - `score {turn, text}`: answered with `tokens` as in `TokensState`, `data` the buffer, of a typed reply to a turn.
    - `replay {turn}`: answered with `same`, `first_difference` and `max_logprob_error`.
    - `share {}`: answered with the chat as one line of `text`.
    - `pace {mode, rate}`, `guessing {on}`: how the running reply and those after it are revealed; `finish` is the mode
      of the running one alone.
    - `step {}`, `back {}`: one token more, one less.
    - `force {text, token}`: what comes next instead, typed or by id; answered with its `ids`, one by one.
    - `guess {text, token}`: what the next token might be, typed or by id; answered as in `Guessed`.
    - `pick {nbest, place}`: one of several replies becomes a version in the tree and is selected.
    - `rank {nbest}`: ranks several replies again, by what chooses now; the list comes anew.
    - `rerank {values}`: how one of several is chosen, by the names of `RerankState`; what is not named stays.
    - `compare {turn, sides}`: answers a turn, None for the path's last message, as 2 to 6 sides would:
      `{label, values, model}`, settings by name and a model's name or None; answered with its `item`.
    - `choices {}`: ten of which the held token is one; answered as in `Choices`.
    """

    op: str
    id: str
    version: int
    rev: int
    text: str
    item: str
    model: str
    precision: str
    turn: int | None
    values: dict[str, Any]
    format: str
    branches: bool
    name: str
    index: int | None
    token: int | None
    ids: list[Any]
    turns: list[Any]
    first: int
    count: int
    on: bool
    mode: str
    rate: float
    nbest: int
    place: int
    sides: list[Any]


OPS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "mount": {"version": int},
    "send": {"text": str},
    "stop": {},
    "withdraw": {"item": str},
    "sync": {},
    "poll": {"rev": int},
    "retry": {},
    "use_model": {"model": str},
    "use_precision": {"precision": str},
    "regenerate": {"turn": int},
    "continue": {"turn": int},
    "edit": {"turn": int, "text": str},
    "select": {"turn": int},
    "undo": {},
    "clear": {},
    "forget": {"turn": int},
    "settings": {"values": dict},
    "export": {"format": str, "branches": bool},
    "import": {"name": str},
    "code": {"turn": int},
    "pin": {"turn": (int, type(None)), "index": (int, type(None))},
    "watch": {"on": bool},
    "tokens": {"turn": int},
    "pieces": {"ids": list},
    "fork": {"turn": int, "index": int, "token": int},
    "explain": {"turn": int, "index": int, "values": dict},
    "ranked": {"turn": int, "index": int, "first": int, "count": int},
    "chances": {"turn": int, "index": int, "text": str},
    "inside": {"turn": int, "index": int},
    "without": {"turn": int, "turns": list},
    "score": {"turn": int, "text": str},
    "replay": {"turn": int},
    "share": {},
    "pace": {"mode": str, "rate": (int, float)},
    "guessing": {"on": bool},
    "step": {},
    "back": {},
    "force": {"text": (str, type(None)), "token": (int, type(None))},
    "guess": {"text": (str, type(None)), "token": (int, type(None))},
    "choices": {},
    "pick": {"nbest": int, "place": int},
    "rank": {"nbest": int},
    "rerank": {"values": dict},
    "compare": {"turn": (int, type(None)), "sides": list},
}


class RequestError(ValueError):
    """A message that is not a request; its text is for the page."""


def request_id(content: Any) -> str | None:
    """The id under which a message is answered, whatever else is wrong with it; None if it has none."""
    own_id = content.get("id") if isinstance(content, dict) else None
    return well_formed(own_id) if isinstance(own_id, str) else None


def parse_request(content: Any) -> Request:
    """Checks a message from a page. Nothing that came over the wire travels further unchecked.

    Returns:
        The request with `op`, `id` and the arguments of its `op`, and nothing else.

    Raises:
        RequestError: the message is not a request of this protocol.
    """
    if not isinstance(content, dict):
        raise RequestError("a request is an object with op and id")
    op, own_id = content.get("op"), request_id(content)
    if own_id is None or not 0 < len(own_id) <= 64:
        raise RequestError("a request has an id of 1 to 64 characters")
    if not isinstance(op, str) or op not in OPS:
        raise RequestError(f"unknown request {ascii(op)[:40]}; this kernel knows {', '.join(OPS)}")
    request: dict[str, Any] = {"op": op, "id": own_id}
    for name, kind in OPS[op].items():
        value = content.get(name)
        if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
            kinds = kind if isinstance(kind, tuple) else (kind,)
            raise RequestError(f"{op} needs {name}: {' or '.join(one.__name__ for one in kinds)}")
        request[name] = well_formed(value) if isinstance(value, str) else value
    return request  # type: ignore[return-value]


# Answers: their content, beside `id`, `ok` and `rev`, which each has


@dataclass(frozen=True, slots=True)
class Answer(Generic[Content]):
    """What a request is answered with.

    Attributes:
        content: JSON.
        buffers: files.
    """

    content: Content
    buffers: list[bytes] = field(default_factory=list)


class Enqueued(TypedDict):
    """The answer to a request for a reply: the id of what waits in the queue until its turn comes."""

    item: str


class Text(TypedDict):
    """A text: a message that was taken back, or a chat or a reply as code."""

    text: str


class Download(TypedDict):
    """The answer to `export`: name and MIME type of the file that is the buffer."""

    name: str
    type: str


class Imported(TypedDict):
    """The answer to `import`: how many turns are new."""

    turns: int


class Forced(TypedDict):
    """The answer to `force`: the ids that are put there, one after the other."""

    ids: list[int]


class BufferedTokens(TypedDict):
    """A turn's tokens as `TokensState`, their rows in the answer's buffer, whose number is `data`."""

    wide: bool
    full: bool
    data: Literal[0]
    pieces: list[Piece]
    differs: int | None


class TokensOf(TypedDict):
    """The answer to `tokens` and `score`; None for a turn in other ids than the model's."""

    tokens: BufferedTokens | None


class Pieces(TypedDict):
    """The answer to `pieces`: the bytes of tokens, by id."""

    pieces: dict[str, Piece]


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
    pieces: dict[str, Piece]


class Placed(TypedDict):
    """A token's place in the model's own distribution."""

    token: int
    piece: Piece
    logprob: float
    rank: int


class Places(TypedDict):
    """The answer to `ranked` and `chances`."""

    places: list[Placed]


class Layer(TypedDict):
    """What one layer would say: its best guesses, their shares, and the chance of the token that was chosen."""

    ids: list[int]
    shares: list[float]
    chance: float


class Inside(TypedDict):
    """The answer to `inside`.

    `layers` go from the embedding up. `seen` are the ids before the token, the last of which is where the model stood;
    the buffer is attention as float16 `[layers, heads, seen]`.
    """

    layers: list[Layer]
    heads: int
    seen: list[int]
    pieces: dict[str, Piece]


class WithoutTurns(TypedDict):
    """The answer to `without`: a reply's log-probability without some turns, and with them, nat."""

    logprob: float
    logprob_with: float


class Replayed(TypedDict):
    """The answer to `replay`: whether the reply came out as recorded, and how far it did."""

    same: bool
    first_difference: int | None
    max_logprob_error: float


class Guessed(TypedDict):
    """The answer to `guess`: the id guessed and the one that it was, and how probable the guess was."""

    guess: int
    token: int
    rank: int
    bits: float
    right: bool
    pieces: dict[str, Piece]


class Choices(TypedDict):
    """The answer to `choices`: ids of which the held token is one, lowest first; they do not tell which."""

    ids: list[int]
    end: int
    pieces: dict[str, Piece]


class Sync(TypedDict):
    """The answer to `sync`: all of the running reply up to frame `seq`; `turn` is None when none is running.

    Its buffer, if it has one, are all its token rows. `drafts` are the texts of replies that are said side by side.
    """

    seq: int
    turn: int | None
    text: str
    drafts: list[str]


class Changes(TypedDict):
    """What changed after a revision: the one that is reached now, and the keys of the state by name.

    `state` is JSON: it has no `tokens_<id>`, for which a page asks with `tokens`.
    """

    rev: int
    state: dict[str, Any]


class Poll(TypedDict):
    """The answer to `poll`: what changed after revision `rev` was reached, and the running reply; see `Sync`."""

    rev: int
    state: dict[str, Any]
    seq: int
    turn: int | None
    text: str
    drafts: list[str]
