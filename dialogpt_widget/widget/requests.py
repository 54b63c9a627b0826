"""What a page asks for, carried out. Each handler enqueues, or looks up with one forward pass at most, and returns.

A new request has its arguments in `protocol.OPS` and its answer beside them, its handler here, and its call in the
front end.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from dialogpt_widget.chat.candidates import sides_of
from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.chat.pace import GUESS_FIRST, PaceCommand
from dialogpt_widget.chat.reranking import Reranking
from dialogpt_widget.dialogue import files
from dialogpt_widget.dialogue.tokens import FILTERS
from dialogpt_widget.dialogue.turn import Turn, check_message
from dialogpt_widget.engine.loading.machine import release_helpers
from dialogpt_widget.engine.rerank.rules import Rules
from dialogpt_widget.errors import check_text
from dialogpt_widget.settings import Settings
from dialogpt_widget.widget import downloads, protocol
from dialogpt_widget.widget.jobs import Job
from dialogpt_widget.widget.protocol import SELECTION, Answer, Request, RequestError, key_of
from dialogpt_widget.widget.session import Session
from dialogpt_widget.widget.streaming import is_wide, pack, pieces_of, shown, tokens_state

if TYPE_CHECKING:
    from dialogpt_widget.engine.introspection import Place

MOST_BYTES = 50_000_000  # of a file that is taken over
MOST_FORCED = 20  # tokens at once
MOST_IDS = 4000  # in one request
MOST_RANKS = 200
OPTIONS = 10  # to guess from
NOT_LOADED = "This needs the model, which is not loaded yet: try again when it is."
RULES = tuple(spec.name for spec in dataclasses.fields(Rules))


class Widget(downloads.Page, Protocol):
    """What requests need of the widget."""

    selected: Any
    settings: Settings

    def share(self) -> str:
        """The chat as a line."""

    def forget(self, turn: Turn | int) -> None:
        """Erases a turn and all that follows it."""


@dataclass(frozen=True, slots=True)
class At:
    """Where a request is carried out.

    Attributes:
        widget: that the page shows.
        session: behind it.
        buffers: that came with the request.
    """

    widget: Widget
    session: Session
    buffers: Sequence[Any]

    @property
    def chat(self) -> Chat:
        """The chat."""
        return self.session.chat

    def put(self, job: Job) -> protocol.Enqueued:
        """Enqueues a job; returns the answer, with its id."""
        return {"item": self.session.put(job).id}

    def needs_model(self) -> None:
        """Raises RequestError as long as no model is loaded."""
        if self.chat.model is None:
            raise RequestError(NOT_LOADED)


Handler = Callable[[At, Request], "Answer[Any] | Mapping[str, Any] | None"]
Question = Callable[[Chat, Request], Answer[Any]]


def carry_out(at: At, request: Request) -> Answer[Any]:
    """Does what a page asks for.

    Raises:
        ValueError, TypeError, RuntimeError, LookupError: it cannot be done; the message is for the page.
    """
    op = request["op"]
    if op not in QUESTIONS:
        done = HANDLERS[op](at, request)
        return done if isinstance(done, Answer) else Answer(done or {})
    at.needs_model()
    try:
        return QUESTIONS[op](at.chat, request)
    finally:
        release_helpers()


# A page comes and catches up


def _mount(at: At, request: Request) -> None:
    if request["version"] != protocol.VERSION:
        raise RequestError("The page and the kernel run different versions: reload the page.")
    at.session.begin()


def _watch(at: At, request: Request) -> None:
    at.session.frames.watch(request["id"].rpartition(".")[0], on=request["on"])


def _sync(at: At, _: Request) -> Answer[protocol.Sync]:
    now = at.session.frames.snapshot()
    content: protocol.Sync = {"seq": now.seq, "turn": now.turn, "text": now.text, "drafts": now.drafts}
    return Answer(content, [] if now.rows is None else [now.rows])


def _poll(at: At, request: Request) -> Answer[protocol.Poll]:
    at.session.frames.catch_up()
    changed = at.session.state.changed_since(request["rev"])
    answer = _sync(at, request)
    return Answer({**changed, **answer.content}, answer.buffers)


# The conversation


def _send(at: At, request: Request) -> protocol.Enqueued:
    return at.put(Job("message", check_message(request["text"])))


def _withdraw(at: At, request: Request) -> protocol.Text:
    taken = at.session.withdraw(request["item"])
    if taken is None:
        raise RequestError("This is being answered already.")
    return {"text": taken.text}


def _edit(at: At, request: Request) -> protocol.Enqueued | None:
    old, text = _turn(at.chat, request), check_message(request["text"])
    if old.role == "user":
        return at.put(Job("edit", text, old))
    at.needs_model()
    at.session.state.show(key_of(at.chat.runner.rewrite(old, text)), *SELECTION)
    return None


def _regenerate(at: At, request: Request) -> protocol.Enqueued:
    return at.put(Job("regenerate", turn=at.chat.conversation.question(_turn(at.chat, request))))


def _continue(at: At, request: Request) -> protocol.Enqueued:
    return at.put(Job("continue", turn=at.chat.planner.unfinished(_turn(at.chat, request))))


def _fork(at: At, request: Request) -> protocol.Enqueued:
    at.needs_model()
    turn, index, token = _turn(at.chat, request), _index(request), request["token"]
    assert token is not None
    at.chat.planner.check_fork(turn, index, token)
    return at.put(Job("fork", turn=turn, index=index, token=token))


def _select(at: At, request: Request) -> None:
    at.chat.select(_id(request))
    at.session.state.show(*SELECTION)


def _clear(at: At, _: Request) -> None:
    at.chat.clear()
    at.session.state.show(*SELECTION)


def _undo(at: At, _: Request) -> protocol.Text:
    before = at.chat.path
    after = at.chat.undo()
    at.session.state.show(*SELECTION)
    unsaid = before[len(after) :] if before[: len(after)] == tuple(after) else ()
    return {"text": unsaid[0].text if 0 < len(unsaid) <= 2 and unsaid[0].role == "user" else ""}


def _pin(at: At, request: Request) -> None:
    turn, index = None if request["turn"] is None else _turn(at.chat, request), request["index"]
    at.widget.selected = turn if turn is None or index is None else at.chat.inspector.pinned(turn, index)


def _settings(at: At, request: Request) -> None:
    at.widget.settings = Settings.from_dict(at.chat.settings.to_dict() | request["values"])


# Files


def _export(at: At, request: Request) -> Answer[protocol.Download]:
    if request["format"] in ("csv", "parquet"):
        at.needs_model()
    made, content = downloads.make(at.widget, request["format"], branches=request["branches"])
    return Answer({"name": f"chat.{made.ending}", "type": made.type}, [content])


def _import(at: At, _: Request) -> protocol.Imported:
    if len(at.buffers) != 1:
        raise RequestError("import needs the file as its one buffer")
    data = bytes(at.buffers[0])
    if len(data) > MOST_BYTES:
        raise RequestError(f"The file has {len(data) / 1e6:.0f} MB; at most {MOST_BYTES // 10**6} can be opened.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RequestError("This is neither a saved conversation nor a list of messages: it is no text.") from None
    if not files.is_saved(text):
        at.needs_model()
    before = at.chat.conversation.next_id
    at.chat.take(text)
    new = [turn for turn in at.chat.turns if turn.id >= before]
    at.session.state.show(*map(key_of, new), *SELECTION)
    return {"turns": len(new)}


def _code(at: At, request: Request) -> protocol.Text:
    at.needs_model()
    return {"text": at.chat.code(_turn(at.chat, request))}


def _share(at: At, _: Request) -> protocol.Text:
    at.needs_model()
    return {"text": at.widget.share()}


# Slow motion


def _pace(at: At, request: Request) -> None:
    pace = at.chat.pace
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


def _guessing(at: At, request: Request) -> None:
    at.chat.pace.guessing = request["on"]


def _step(at: At, _: Request) -> None:
    if at.chat.pace.guessing:
        raise RuntimeError(GUESS_FIRST)
    at.session.ask(PaceCommand("reveal"))


def _back(at: At, _: Request) -> None:
    if at.chat.running is None:
        raise RuntimeError("No reply is running.")
    at.session.ask(PaceCommand("back"))


def _force(at: At, request: Request) -> protocol.Forced:
    text, token = request["text"], request["token"]
    if (text is None) == (token is None):
        raise RequestError("force needs text: str, or token: int")
    at.needs_model()
    chat = at.chat
    ids = [chat.slow_motion.check_token(token)] if token is not None else chat.load_model().encode(check_text(text))
    if not ids:
        raise RequestError("Type at least one character.")
    if len(ids) > MOST_FORCED:
        raise RequestError(f"At most {MOST_FORCED} tokens can be put there at once; these are {len(ids)}.")
    if len(ids) > 1 and chat.running is None:
        raise RequestError("A reply begins with one token: make a step first.")
    for own in ids:
        at.session.ask(PaceCommand("force", own))
    return {"ids": ids}


def _guess(at: At, request: Request) -> protocol.Guessed:
    text, token = request["text"], request["token"]
    guess = token if text is None else text
    if guess is None:
        raise RequestError("guess needs text: str, or token: int")
    at.needs_model()
    slow_motion = at.chat.slow_motion
    made, _ = slow_motion.judge(slow_motion.guessed_token(guess))
    pieces = _named(at.chat, [made.guess, made.token])
    return {
        "guess": made.guess,
        "token": made.token,
        "rank": made.rank,
        "bits": made.bits,
        "right": made.right,
        "pieces": pieces,
    }


def _choices(at: At, _: Request) -> protocol.Choices:
    at.needs_model()
    ids = at.chat.slow_motion.guess_options(OPTIONS)
    return {"ids": ids, "end": at.chat.load_model().eos, "pieces": _named(at.chat, ids)}


# Several replies


def _pick(at: At, request: Request) -> None:
    at.session.pick(request["nbest"], request["place"])


def _rank(at: At, request: Request) -> None:
    at.needs_model()
    at.session.rank(request["nbest"])


def _rerank(at: At, request: Request) -> None:
    at.chat.rerank = _changed(at.chat.reranking, request["values"])
    at.session.state.show("rerank", "rerankers")


def _changed(reranking: Reranking, values: Mapping[str, Any]) -> Reranking:
    """The same with some values of `RerankState` changed."""
    unknown = values.keys() - {"name", "temperature", *RULES}
    if unknown:
        raise RequestError(f"rerank has no {', '.join(sorted(unknown))}")
    rules = {name: values[name] for name in RULES if name in values}
    for name, value in rules.items():
        if name != "words" and type(value) is not bool:
            raise RequestError(f"{name} is true or false")
    if not all(isinstance(word, str) for word in rules.get("words", ())):
        raise RequestError("words are a list of texts")
    made = dataclasses.replace(reranking.rules, **rules)
    rerank = reranking.rerank if values.get("name", "own") == "own" else values["name"]
    return reranking.changed(rerank=rerank, rules=made, temperature=values.get("temperature", reranking.temperature))


def _compare(at: At, request: Request) -> protocol.Enqueued:
    asked = at.chat.conversation.question(request["turn"])
    sides = sides_of(_asked_sides(at.chat, request["sides"]), at.chat.settings)
    return at.put(Job("compare", turn=asked, sides=sides))


def _asked_sides(chat: Chat, sides: list[Any]) -> dict[str, tuple[str, Settings] | Settings]:
    """What a page wants compared, by their labels; for `sides_of`."""
    made: dict[str, tuple[str, Settings] | Settings] = {}
    for side in sides:
        if not isinstance(side, dict) or not isinstance(side.get("values"), dict):
            raise RequestError("a side has label, values and model")
        label, model = side.get("label"), side.get("model")
        if not isinstance(label, str) or not label or not isinstance(model, (str, type(None))):
            raise RequestError("a side has a label, and a model's name or none")
        settings = chat.settings.replace(**side["values"]) if side["values"] else chat.settings
        if label in made:
            raise RequestError(f"two sides are called {label!r}")
        made[label] = settings if model is None else (model, settings)
    return made


HANDLERS: dict[str, Handler] = {
    "mount": _mount,
    "send": _send,
    "stop": lambda at, _: at.session.stop(),
    "withdraw": _withdraw,
    "sync": _sync,
    "poll": _poll,
    "retry": lambda at, _: at.session.retry(),
    "use_model": lambda at, request: at.session.use(request["model"]),
    "use_precision": lambda at, request: at.session.use(at.chat.model_name, request["precision"]),
    "regenerate": _regenerate,
    "continue": _continue,
    "edit": _edit,
    "select": _select,
    "undo": _undo,
    "clear": _clear,
    "forget": lambda at, request: at.widget.forget(_turn(at.chat, request)),
    "settings": _settings,
    "export": _export,
    "import": _import,
    "code": _code,
    "pin": _pin,
    "fork": _fork,
    "watch": _watch,
    "share": _share,
    "pace": _pace,
    "guessing": _guessing,
    "step": _step,
    "back": _back,
    "force": _force,
    "guess": _guess,
    "choices": _choices,
    "pick": _pick,
    "rank": _rank,
    "rerank": _rerank,
    "compare": _compare,
}


# Questions about tokens


def _tokens(chat: Chat, request: Request) -> Answer[protocol.TokensOf]:
    turn = _anywhere(chat, _id(request))
    model = chat.load_model()
    if turn.model != model.name:
        return Answer({"tokens": None})
    state = tokens_state(turn, model)
    return Answer({"tokens": {**state, "data": 0}}, [state["data"]])


def _anywhere(chat: Chat, turn_id: int) -> Turn:
    """A turn of the tree, or one of several replies that was not picked."""
    made = None if turn_id in chat.conversation else chat.conversation.nbests.with_turn(turn_id)
    if made is None:
        return chat.conversation[turn_id]
    return next(turn for turn in made.turns if turn.id == turn_id)


def _pieces(chat: Chat, request: Request) -> Answer[protocol.Pieces]:
    ids = request["ids"]
    vocabulary = chat.load_model().vocabulary
    if len(ids) > MOST_IDS or not all(type(token) is int and 0 <= token < vocabulary for token in ids):
        raise RequestError(f"pieces needs ids: at most {MOST_IDS} numbers from 0 to {vocabulary - 1}")
    return Answer({"pieces": _named(chat, ids)})


def _explain(chat: Chat, request: Request) -> Answer[protocol.Explained]:
    choice = chat.explain(_id(request), _index(request), **request["values"])
    token = choice.token
    mentioned = {token.id, *token.alt_id, *(own for stage in choice.stages for own in stage.ids)}
    return Answer(
        {
            "chosen": token.id,
            "logprob": token.logprob,
            "logprob_used": _finite(token.logprob_used),
            "rank": token.rank,
            "kept": token.kept,
            "draw": _finite(token.draw),
            "stages": [
                {
                    "name": stage.name,
                    "count": stage.count,
                    "ids": list(stage.ids),
                    "shares": [round(share, 7) for share in stage.probabilities],
                }
                for stage in choice.stages
            ],
            "cut_count": dict(zip(FILTERS, token.cut_count, strict=True)),
            "cut_mass": dict(zip(FILTERS, token.cut_mass, strict=True)),
            "span": None if math.isnan(choice.span[0]) else list(choice.span),
            "lead": _finite(choice.lead),
            "pieces": _named(chat, sorted(mentioned)),
        }
    )


def _ranked(chat: Chat, request: Request) -> Answer[protocol.Places]:
    count = min(request["count"], MOST_RANKS)
    return _placed(chat, chat.ranked(_id(request), _index(request), request["first"], count))


def _chances(chat: Chat, request: Request) -> Answer[protocol.Places]:
    return _placed(chat, chat.chances(_id(request), _index(request), request["text"]))


def _inside(chat: Chat, request: Request) -> Answer[protocol.Inside]:
    turn, index = _id(request), _index(request)
    depth = chat.inside(turn, index)
    seen = [*chat.state.seen(turn, index), *chat.conversation[turn].ids[:index]]
    guesses, chances = depth.guesses.tolist(), depth.chances.tolist()
    layers: list[protocol.Layer] = [
        {"ids": ids, "shares": [round(share, 5) for share in shares], "chance": chance}
        for ids, shares, chance in zip(guesses, depth.probabilities.tolist(), chances, strict=True)
    ]
    mentioned = sorted({*seen, *(token for ids in guesses for token in ids)})
    attention = depth.attention.numpy().astype("<f2")
    content: protocol.Inside = {
        "layers": layers,
        "heads": attention.shape[1],
        "seen": seen,
        "pieces": _named(chat, mentioned),
    }
    return Answer(content, [attention.tobytes()])


def _without(chat: Chat, request: Request) -> Answer[protocol.WithoutTurns]:
    if not all(type(turn) is int for turn in request["turns"]):
        raise RequestError("without needs turns: their ids")
    less = chat.without(_id(request), request["turns"])
    return Answer({"logprob": less.logprob, "logprob_with": less.logprob_with})


def _score(chat: Chat, request: Request) -> Answer[protocol.TokensOf]:
    model = chat.load_model()
    rows = chat.score(request["text"], _id(request)).rows
    lengths = np.zeros(len(rows), int)
    mentioned = dict.fromkeys(np.concatenate([rows["id"][:, None].astype(int), rows["alt_id"]], 1).ravel().tolist())
    pieces = [shown(model.piece(token)) for token in mentioned if token >= 0]
    return Answer(
        {"tokens": {"wide": is_wide(rows), "full": True, "data": 0, "pieces": pieces, "differs": None}},
        [pack(rows, lengths.tolist())],
    )


def _replay(chat: Chat, request: Request) -> Answer[protocol.Replayed]:
    again = chat.replay(_id(request))
    return Answer(
        {
            "same": again.ok,
            "first_difference": again.first_difference,
            "max_logprob_error": again.max_logprob_error,
        }
    )


QUESTIONS: dict[str, Question] = {
    "tokens": _tokens,
    "pieces": _pieces,
    "explain": _explain,
    "ranked": _ranked,
    "chances": _chances,
    "inside": _inside,
    "without": _without,
    "score": _score,
    "replay": _replay,
}


def _placed(chat: Chat, places: Iterable[Place]) -> Answer[protocol.Places]:
    piece = chat.load_model().piece
    return Answer(
        {
            "places": [
                {"token": one.id, "piece": shown(piece(one.id)), "logprob": one.logprob, "rank": one.rank}
                for one in places
            ]
        }
    )


def _named(chat: Chat, ids: Sequence[int]) -> dict[str, protocol.Piece]:
    return pieces_of(ids, chat.load_model().piece)


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _turn(chat: Chat, request: Request) -> Turn:
    return chat.conversation[_id(request)]


def _id(request: Request) -> int:
    turn = request["turn"]
    assert turn is not None
    return turn


def _index(request: Request) -> int:
    index = request["index"]
    assert index is not None
    return index
