"""What a page asks for, carried out. Each handler enqueues or looks up, and returns at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dialogpt_widget.dialogue import files
from dialogpt_widget.dialogue.messages import check_message
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.settings import Settings
from dialogpt_widget.widget import downloads, wire
from dialogpt_widget.widget.item import Item
from dialogpt_widget.widget.session import SELECTION, Session, key_of

MOST_BYTES = 50_000_000  # of a file that is taken over


@dataclass(slots=True)
class Answer:
    """What a request is answered with, beside its id.

    Attributes:
        content: JSON.
        buffers: files.
    """

    content: dict[str, Any] = field(default_factory=dict)
    buffers: list[bytes] = field(default_factory=list)


def carry_out(widget: Any, session: Session, request: wire.Request, buffers: Sequence[Any]) -> Answer:
    """Does what a page asks for.

    Raises:
        ValueError, TypeError, RuntimeError, LookupError: it cannot be done; the message is for the page.
    """
    if request["op"] == "import":
        return _import(session, buffers)
    done = _HANDLERS[request["op"]](widget, session, request)
    return done if isinstance(done, Answer) else Answer(done or {})


def _mount(_: Any, session: Session, request: wire.Request) -> None:
    if request["version"] != wire.VERSION:
        raise wire.RequestError("The page and the kernel run different versions: reload the page.")
    session.begin()


def _withdraw(_: Any, session: Session, request: wire.Request) -> dict[str, Any]:
    taken = session.withdraw(request["item"])
    if taken is None:
        raise wire.RequestError("This is being answered already.")
    return {"text": taken.text}


def _sync(_: Any, session: Session, __: wire.Request) -> dict[str, Any]:
    seq, turn, text = session.frames.snapshot()
    return {"seq": seq, "turn": turn, "text": text}


def _poll(widget: Any, session: Session, request: wire.Request) -> dict[str, Any]:
    session.frames.catch_up()
    changed: dict[str, Any] = widget.changed_since(request["rev"])
    return changed | _sync(widget, session, request)


def _put(session: Session, item: Item) -> dict[str, Any]:
    return {"item": session.put(item).id}


def _edit(_: Any, session: Session, request: wire.Request) -> dict[str, Any] | None:
    old, text = _turn(session, request), check_message(request["text"])
    if old.role == "user":
        return _put(session, Item("edit", text, old))
    _needs_model(session)
    session.show(key_of(session.chat.rewrite(old, text)), *SELECTION)
    return None


def _regenerate(_: Any, session: Session, request: wire.Request) -> dict[str, Any]:
    return _put(session, Item("regenerate", turn=session.chat.question(_turn(session, request))))


def _continue(_: Any, session: Session, request: wire.Request) -> dict[str, Any]:
    return _put(session, Item("continue", turn=session.chat.unfinished(_turn(session, request))))


def _select(change: Callable[[Session, wire.Request], object]) -> Callable[[Any, Session, wire.Request], None]:
    def handler(_: Any, session: Session, request: wire.Request) -> None:
        change(session, request)
        session.show(*SELECTION)

    return handler


def _settings(widget: Any, session: Session, request: wire.Request) -> None:
    widget.settings = Settings.from_dict(session.chat.settings.to_dict() | request["values"])


def _export(widget: Any, session: Session, request: wire.Request) -> Answer:
    if request["format"] in ("csv", "parquet"):
        _needs_model(session)
    made, content = downloads.make(widget, request["format"], branches=request["branches"])
    return Answer({"name": f"chat.{made.ending}", "type": made.type}, [content])


def _import(session: Session, buffers: Sequence[Any]) -> Answer:
    if len(buffers) != 1:
        raise wire.RequestError("import needs the file as its one buffer")
    data = bytes(buffers[0])
    if len(data) > MOST_BYTES:
        raise wire.RequestError(f"The file has {len(data) / 1e6:.0f} MB; at most {MOST_BYTES // 10**6} can be opened.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise wire.RequestError("This is neither a saved conversation nor a list of messages: it is no text.") from None
    if not files.is_saved(text):
        _needs_model(session)
    before = session.chat.conversation.next_id
    session.chat.take(text)
    new = [turn for turn in session.chat.turns if turn.id >= before]
    session.show(*map(key_of, new), *SELECTION)
    return Answer({"turns": len(new)})


def _code(_: Any, session: Session, request: wire.Request) -> dict[str, Any]:
    _needs_model(session)
    return {"text": session.chat.code(_turn(session, request))}


def _pin(widget: Any, session: Session, request: wire.Request) -> None:
    widget.selected = None if request["turn"] is None else _turn(session, request)


def _turn(session: Session, request: wire.Request) -> Turn:
    return session.chat.conversation[_id(request)]


def _id(request: wire.Request) -> int:
    turn = request["turn"]
    assert turn is not None
    return turn


def _needs_model(session: Session) -> None:
    if session.chat.model is None:
        raise wire.RequestError("This needs the model, which is not loaded yet: try again when it is.")


_HANDLERS: dict[str, Callable[[Any, Session, wire.Request], Answer | dict[str, Any] | None]] = {
    "mount": _mount,
    "send": lambda _, session, request: _put(session, Item("message", check_message(request["text"]))),
    "stop": lambda _, session, __: session.stop(),
    "withdraw": _withdraw,
    "sync": _sync,
    "poll": _poll,
    "retry": lambda _, session, __: session.retry(),
    "use_model": lambda _, session, request: session.use(request["model"]),
    "regenerate": _regenerate,
    "continue": _continue,
    "edit": _edit,
    "select": _select(lambda session, request: session.chat.select(_id(request))),
    "undo": _select(lambda session, _: session.chat.undo()),
    "clear": _select(lambda session, _: session.chat.clear()),
    "forget": lambda widget, session, request: widget.forget(_turn(session, request)),
    "settings": _settings,
    "export": _export,
    "code": _code,
    "pin": _pin,
}
