"""What a page may ask for, and the check of what it sends."""

from __future__ import annotations

from typing import Any, TypedDict

from dialogpt_widget.dialogue.turn import well_formed


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
