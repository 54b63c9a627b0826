"""Every trait, frame, request and reply that crosses between kernel and browser.

`js/wire.js` mirrors this file; a test compares the two.

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
a frame brings the token rows from `row` on as its buffer (see `rows.py`); what they had beyond is void. When the reply
has ended, its turn, `leaf`, `status` and `meter` come in one state update. While several replies are said side by
side, `status.turn` is the id of their list, and a frame brings `more`: the places of those that go on, with their text.

**A request** is `{"op", "id", ...}`; it is answered by `{"id", "ok": true, ...}` or `{"id", "error"}`, once, soon:
the answer says that a request was taken, not that its work is done, but for those that ask about tokens. All of them
are in `questions.py`, their answers in `answers.py`.

**What is lost** is noticed by number: `rev` counts the updates of the state, and every answer carries it too. Some
hosts drop what the kernel says of its own accord; a page that misses an update there asks for it with `poll`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict

from dialogpt_widget.dialogue.turn import Role, Stop

if TYPE_CHECKING:
    from typing_extensions import NotRequired

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

    `data` are rows as `rows.py` packs them, with two-byte ids or `wide`, `full` where the model chose some of them.
    `pieces` are the bytes of each id that occurs, alternatives included, in the order in which they do: as text, or as
    the bytes' numbers where they are no valid UTF-8 alone. `differs` is the place of the first token that this machine
    would choose otherwise, of a reply from a chat that was shared by another.
    """

    wide: bool
    full: bool
    data: bytes
    pieces: list[str | list[int]]
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
