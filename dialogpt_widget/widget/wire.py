"""Every trait, frame, request and reply that crosses between kernel and browser.

`js/wire.js` mirrors this file; a test compares the two.

**State** lives in traits, one JSON value a key, and one key a settled turn (`turn_<id>`), so that a turn costs its
own bytes and not the conversation's. `leaf` names the last turn of the selected path; the path is found by following
`parent`. All ids are below `next_id`. `offline` is when a page without a kernel was saved, UTC epoch seconds, else
None. `view` marks the chat's transcript in the same document, which the live view hides.

**A running reply** travels in frames, custom messages of at most one each 40 ms. `seq` counts the frames of a widget
from 1; a page that mounts late or misses a number asks `sync` for the whole reply so far. `text` is appended. When
the reply has ended, its turn, `leaf`, `status` and `meter` come in one state update.

**A request** is `{"op", "id", ...}`; it is answered by `{"id", "ok": true, ...}` or `{"id", "error"}`, once, soon:
the answer says that a request was taken, not that its work is done.

**What is lost** is noticed by number: `rev` counts the updates of the state, and every answer carries it too. Some
hosts drop what the kernel says of its own accord; a page that misses an update there asks for it with `poll`.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from dialogpt_widget.dialogue.messages import well_formed
from dialogpt_widget.dialogue.turn import Role, Stop

VERSION = 1
FRAME_INTERVAL = 0.04  # seconds
TURN_KEY = "turn_"

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
    "formats",
    "height",
    "offline",
    "view",
    "rev",
)

Kind = Literal["message", "edit", "regenerate", "continue"]
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
    tokens a second of the last reply.
    """

    phase: Phase
    detail: str
    progress: float | None
    turn: int | None
    parent: int | None
    ahead: int
    speed: float | None


class Action(TypedDict):
    """A way out of an error: the request `op` with `model` as its argument, on a button named `label`."""

    label: str
    op: Literal["retry", "use_model"]
    model: str | None


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

    `cut` counts the tokens at the beginning of `first` that fell out too, because it alone is too long.
    """

    used: int
    window: int
    first: int | None
    cut: int


class Made(TypedDict):
    """How a reply was made: what differs from the default settings, the dice, and what ran."""

    settings: dict[str, Any]
    reply: int
    revision: str | None
    precision: str


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

    `made` is None for a user's turn and for a reply that was written by hand.
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


class Frame(TypedDict):
    """A piece of the reply that is being generated."""

    v: int
    seq: int
    turn: int
    text: str


class Sync(TypedDict):
    """The answer to `sync`: all of the running reply up to frame `seq`; `turn` is None when none is running."""

    id: str
    ok: Literal[True]
    seq: int
    turn: int | None
    text: str


class Poll(TypedDict):
    """The answer to `poll`: what changed after revision `rev` was reached, and the running reply as in `Sync`."""

    id: str
    ok: Literal[True]
    rev: int
    state: dict[str, Any]
    seq: int
    turn: int | None
    text: str


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
    - `regenerate {turn}`: another reply instead of this one, or to this message; answered with its `item`.
    - `continue {turn}`: another version of a reply that goes on where it ended; answered with its `item`.
    - `edit {turn, text}`: a new version of a turn; a message's is answered (`item`), a reply's is not.
    - `select {turn}`: the path through a turn, down to the leaf that was selected there last; a running reply too.
    - `undo {}`, `clear {}`: the selection before; an empty path.
    - `forget {turn}`: erase a turn and all that follows it.
    - `settings {values}`: settings of the next reply, by name; what is not named stays.
    - `export {format, branches}`: answered with `name`, `type` and the file as a buffer.
    - `import {name}` with the file as a buffer: its turns become branches; answered with how many `turns` it had.
    - `code {turn}`: answered with Python as `text` that makes a reply again.
    - `pin {turn}`: what the reader has selected, None for nothing.
    """

    op: str
    id: str
    version: int
    rev: int
    text: str
    item: str
    model: str
    turn: int | None
    values: dict[str, Any]
    format: str
    branches: bool
    name: str


OPS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "mount": {"version": int},
    "send": {"text": str},
    "stop": {},
    "withdraw": {"item": str},
    "sync": {},
    "poll": {"rev": int},
    "retry": {},
    "use_model": {"model": str},
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
    "pin": {"turn": (int, type(None))},
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
