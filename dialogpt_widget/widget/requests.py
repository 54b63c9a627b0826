"""What a page asks for, carried out. Each handler enqueues or looks up, and returns at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dialogpt_widget.chat.candidates import sides_of
from dialogpt_widget.dialogue import files
from dialogpt_widget.dialogue.turn import Turn, check_message
from dialogpt_widget.engine.loading.machine import let_go
from dialogpt_widget.settings import Settings
from dialogpt_widget.widget import asking, candidates, downloads, slow_motion, wire
from dialogpt_widget.widget.answers import Answer
from dialogpt_widget.widget.item import Item
from dialogpt_widget.widget.keys import SELECTION, key_of
from dialogpt_widget.widget.questions import Request, RequestError
from dialogpt_widget.widget.session import Session

MOST_BYTES = 50_000_000  # of a file that is taken over


def carry_out(widget: Any, session: Session, request: Request, buffers: Sequence[Any]) -> Answer:
    """Does what a page asks for.

    Raises:
        ValueError, TypeError, RuntimeError, LookupError: it cannot be done; the message is for the page.
    """
    if request["op"] == "import":
        return _import(session, buffers)
    done = _HANDLERS[request["op"]](widget, session, request)
    return done if isinstance(done, Answer) else Answer(done or {})


def _mount(_: Any, session: Session, request: Request) -> None:
    if request["version"] != wire.VERSION:
        raise RequestError("The page and the kernel run different versions: reload the page.")
    session.begin()


def _withdraw(_: Any, session: Session, request: Request) -> dict[str, Any]:
    taken = session.withdraw(request["item"])
    if taken is None:
        raise RequestError("This is being answered already.")
    return {"text": taken.text}


def _sync(_: Any, session: Session, __: Request) -> Answer:
    now = session.frames.snapshot()
    content = {"seq": now.seq, "turn": now.turn, "text": now.text, "drafts": now.drafts}
    return Answer(content, [] if now.rows is None else [now.rows])


def _poll(widget: Any, session: Session, request: Request) -> Answer:
    session.frames.catch_up()
    changed: dict[str, Any] = widget.changed_since(request["rev"])
    answer = _sync(widget, session, request)
    return Answer(changed | answer.content, answer.buffers)


def _put(session: Session, item: Item) -> dict[str, Any]:
    return {"item": session.put(item).id}


def _edit(_: Any, session: Session, request: Request) -> dict[str, Any] | None:
    old, text = _turn(session, request), check_message(request["text"])
    if old.role == "user":
        return _put(session, Item("edit", text, old))
    _needs_model(session)
    session.show(key_of(session.chat.runner.rewrite(old, text)), *SELECTION)
    return None


def _regenerate(_: Any, session: Session, request: Request) -> dict[str, Any]:
    return _put(session, Item("regenerate", turn=session.chat.conversation.question(_turn(session, request))))


def _continue(_: Any, session: Session, request: Request) -> dict[str, Any]:
    return _put(session, Item("continue", turn=session.chat.planner.unfinished(_turn(session, request))))


def _select(
    change: Callable[[Session, Request], object],
) -> Callable[[Any, Session, Request], None]:
    def handler(_: Any, session: Session, request: Request) -> None:
        change(session, request)
        session.show(*SELECTION)

    return handler


def _undo(_: Any, session: Session, __: Request) -> dict[str, Any]:
    before = session.chat.path
    after = session.chat.undo()
    session.show(*SELECTION)
    unsaid = before[len(after) :] if before[: len(after)] == tuple(after) else ()
    return {"text": unsaid[0].text if 0 < len(unsaid) <= 2 and unsaid[0].role == "user" else ""}


def _settings(widget: Any, session: Session, request: Request) -> None:
    widget.settings = Settings.from_dict(session.chat.settings.to_dict() | request["values"])


def _export(widget: Any, session: Session, request: Request) -> Answer:
    if request["format"] in ("csv", "parquet"):
        _needs_model(session)
    made, content = downloads.make(widget, request["format"], branches=request["branches"])
    return Answer({"name": f"chat.{made.ending}", "type": made.type}, [content])


def _import(session: Session, buffers: Sequence[Any]) -> Answer:
    if len(buffers) != 1:
        raise RequestError("import needs the file as its one buffer")
    data = bytes(buffers[0])
    if len(data) > MOST_BYTES:
        raise RequestError(f"The file has {len(data) / 1e6:.0f} MB; at most {MOST_BYTES // 10**6} can be opened.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RequestError("This is neither a saved conversation nor a list of messages: it is no text.") from None
    if not files.is_saved(text):
        _needs_model(session)
    before = session.chat.conversation.next_id
    session.chat.take(text)
    new = [turn for turn in session.chat.turns if turn.id >= before]
    session.show(*map(key_of, new), *SELECTION)
    return Answer({"turns": len(new)})


def _code(_: Any, session: Session, request: Request) -> dict[str, Any]:
    _needs_model(session)
    return {"text": session.chat.code(_turn(session, request))}


def _pin(widget: Any, session: Session, request: Request) -> None:
    turn, index = None if request["turn"] is None else _turn(session, request), request["index"]
    widget.selected = turn if turn is None or index is None else session.chat.inspector.pinned(turn, index)


def _fork(_: Any, session: Session, request: Request) -> dict[str, Any]:
    _needs_model(session)
    turn, index, token = _turn(session, request), request["index"], request["token"]
    assert index is not None
    assert token is not None
    session.chat.planner.check_fork(turn, index, token)
    return _put(session, Item("fork", turn=turn, index=index, token=token))


def _share(widget: Any, session: Session, _: Request) -> dict[str, Any]:
    _needs_model(session)
    return {"text": widget.share()}


def _watch(_: Any, session: Session, request: Request) -> None:
    session.frames.watch(request["id"].rpartition(".")[0], on=request["on"])


def _ask(question: Callable[[Any, Request], Answer]) -> Callable[[Any, Session, Request], Answer]:
    def handler(_: Any, session: Session, request: Request) -> Answer:
        _needs_model(session)
        try:
            return question(session.chat, request)
        finally:
            let_go()

    return handler


def _pick(_: Any, session: Session, request: Request) -> None:
    session.pick(request["nbest"], request["place"])


def _rank(_: Any, session: Session, request: Request) -> None:
    _needs_model(session)
    session.rank(request["nbest"])


def _rerank(_: Any, session: Session, request: Request) -> None:
    session.chat.rerank = candidates.changed(session.chat.reranking, request["values"])
    session.show("rerank", "rerankers")


def _compare(_: Any, session: Session, request: Request) -> dict[str, Any]:
    chat = session.chat
    asked = chat.conversation.question(request["turn"])
    sides = sides_of(candidates.asked_sides(chat, request["sides"]), chat.settings)
    return _put(session, Item("compare", turn=asked, sides=sides))


def _slow(act: Callable[[Session, Request], dict[str, Any] | None]) -> Callable[[Any, Session, Request], Any]:
    return lambda _, session, request: act(session, request)


def _turn(session: Session, request: Request) -> Turn:
    return session.chat.conversation[_id(request)]


def _id(request: Request) -> int:
    turn = request["turn"]
    assert turn is not None
    return turn


def _needs_model(session: Session) -> None:
    if session.chat.model is None:
        raise RequestError(slow_motion.NOT_LOADED)


_HANDLERS: dict[str, Callable[[Any, Session, Request], Answer | dict[str, Any] | None]] = {
    "mount": _mount,
    "send": lambda _, session, request: _put(session, Item("message", check_message(request["text"]))),
    "stop": lambda _, session, __: session.stop(),
    "withdraw": _withdraw,
    "sync": _sync,
    "poll": _poll,
    "retry": lambda _, session, __: session.retry(),
    "use_model": lambda _, session, request: session.use(request["model"]),
    "use_precision": lambda _, session, request: session.use(session.chat.model_name, request["precision"]),
    "regenerate": _regenerate,
    "continue": _continue,
    "edit": _edit,
    "select": _select(lambda session, request: session.chat.select(_id(request))),
    "undo": _undo,
    "clear": _select(lambda session, _: session.chat.clear()),
    "forget": lambda widget, session, request: widget.forget(_turn(session, request)),
    "settings": _settings,
    "export": _export,
    "code": _code,
    "pin": _pin,
    "fork": _fork,
    "watch": _watch,
    "share": _share,
    "pick": _pick,
    "rank": _rank,
    "rerank": _rerank,
    "compare": _compare,
    **{op: _ask(question) for op, question in asking.QUESTIONS.items()},
    **{op: _slow(act) for op, act in slow_motion.HANDLERS.items()},
}
