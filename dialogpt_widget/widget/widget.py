"""ChatWidget: a chat in a notebook cell."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets
from IPython.core.getipython import get_ipython

from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.chat.reranking import Rerank, Reranking
from dialogpt_widget.dialogue.conversation import Conversation
from dialogpt_widget.dialogue.share import from_line
from dialogpt_widget.dialogue.turn import check_message
from dialogpt_widget.engine.loading.machine import let_go
from dialogpt_widget.engine.loading.names import MEDIUM
from dialogpt_widget.errors import explain_keywords
from dialogpt_widget.settings import Settings
from dialogpt_widget.widget import present, questions, wire
from dialogpt_widget.widget.alone import Alone
from dialogpt_widget.widget.answers import Answer
from dialogpt_widget.widget.onclass import OnClass
from dialogpt_widget.widget.requests import carry_out
from dialogpt_widget.widget.session import Session
from dialogpt_widget.widget.transcript import TranscriptOutput, publish
from dialogpt_widget.widget.values import STATIC, Values, packed

if TYPE_CHECKING:
    from dialogpt_widget.engine.model import ChatModel

_log = logging.getLogger(__name__)
STARTERS = ("Hello, how are you?", "What do you like to do on weekends?", "Tell me something funny.")


class ChatWidget(Alone, anywidget.AnyWidget):  # type: ignore[misc]  # anywidget is not read for its types
    """A chat with a model in a notebook, and the conversation behind it.

    The model is loaded in the background when the widget is first shown, or when a method needs it. Widgets on the
    same model share one copy and answer in turn.

    Args:
        model: a name ("mini", "microsoft/DialoGPT-medium", a folder ...) or a loaded `ChatModel`.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        precision: "auto", "float32", "bfloat16", "float16" or, on a CPU, "int8".
        revision: a branch, tag or commit on the hub.
        settings: how replies are decoded; if not given, the defaults, or for "mini" what suits it.
        conversation: a conversation to go on with.
        rerank: what chooses one of several replies, as of `Chat`.
        starters: first messages to click on; none with an empty list.
        inspect: whether the page shows what is known of each token; without, it gets text alone.
        height: greatest height of the transcript in pixels.

    Example:
        >>> chat = ChatWidget("mini")
        >>> chat                                        # shows it
        >>> chat.send("Does money buy happiness?").text  # says something from code
    """

    _esm = (STATIC / "widget.js").read_text("utf-8")  # as text: given a path, anywidget keeps every widget for ever
    _css = (STATIC / "widget.css").read_text("utf-8")
    _inspector = packed("inspect.js")
    _decider = packed("decide.js")

    status = traitlets.Dict(
        help="What the kernel is doing: `phase`, `detail`, `progress`, `turn`, `parent`, `ahead`, `speed`."
    )
    error = traitlets.Dict(
        allow_none=True, default_value=None, help="What went wrong: `kind`, `title`, `message`, `actions`; or None."
    )
    selected = traitlets.Any(default_value=None, help="The turn or token that the reader has selected, or None.")
    height = traitlets.Int(
        allow_none=True, default_value=None, min=80, help="Greatest height of the transcript, pixels."
    )

    @explain_keywords
    def __init__(
        self,
        model: str | ChatModel = MEDIUM,
        *,
        device: str = "auto",
        precision: str = "auto",
        revision: str | None = None,
        settings: Settings | None = None,
        conversation: Conversation | None = None,
        rerank: Rerank | Reranking = None,
        starters: Iterable[str] | None = None,
        inspect: bool = True,
        height: int | None = None,
    ) -> None:
        chat = Chat(
            model,
            device=device,
            precision=precision,
            revision=revision,
            settings=settings,
            conversation=conversation,
            rerank=rerank,
        )
        starters = list(STARTERS if starters is None else map(check_message, starters))
        self._session = Session(chat, self, inspect=inspect)
        self._mark = uuid.uuid4().hex
        self._values = Values(
            self._session, self._mark, starters, {"inspector": self._inspector, "decider": self._decider}
        )
        self._transcript = TranscriptOutput(self._transcribed, f"dialogpt-{self._mark}")
        self._known = TranscriptOutput(self._kept_tokens, f"dialogpt-{self._mark}-tokens", rate=8000)
        super().__init__(height=height, status=present.status("idle", ""))
        self.on_msg(self._on_message)

    def __repr__(self) -> str:
        return f"<ChatWidget {self._session.chat.summary}>"

    def _ipython_display_(self) -> None:
        """Shows the view, and beside it the transcript for readers without a kernel."""
        shell: Any = get_ipython()
        if shell is not None:
            shell.events.register("post_run_cell", let_go)
        if self.comm is not None:
            shown = self._repr_mimebundle_()
            data, metadata = shown if isinstance(shown, tuple) else (shown, {})
            publish(data, metadata)
        self._transcript.display()
        if self._session.inspect:
            publish({"text/html": self._reader_code()}, {})
            self._known.display()

    open = OnClass("open_shared", "_open_channel")

    @classmethod
    def open_shared(cls, line: str, model: str | ChatModel | None = None, **options: Any) -> ChatWidget:
        """A widget with a chat from a line that `share` made; its probabilities are computed when the model is loaded.

        Replies of which this machine would choose another token say so, and from which token on.

        Args:
            line: all of it; white space in it does not matter.
            model: to go on with; the one that was shared if not given.
            **options: of the constructor, such as `device`.

        Raises:
            TypeError, ValueError: it is no such line, or damaged.
        """
        shared = from_line(line)
        options.setdefault("settings", shared.saved.settings)
        widget = cls(model or shared.saved.model or MEDIUM, conversation=shared.saved.conversation, **options)
        widget._session.chat.replayer.expect(shared)
        turn, index = shared.pinned
        widget._values.pinned = None if turn is None else [turn, index]
        widget._session.show("pinned")
        return widget

    def _open_channel(self) -> None:
        """Opens the channel to the page; ipywidgets calls this as `open`.

        ipykernel 7.4 answers a message of the page in the shell from which the widget spoke last, and if that is the
        main one it waits there for the running cell. What the page's own message says is what holds here.
        """
        super().open()
        if hasattr(self.comm, "_reply_subshell_for"):
            self.comm._reply_subshell_for = lambda _data, default: default  # noqa: SLF001

    def close(self) -> None:
        """Stops what runs, takes the view off the page and lets go of the model."""
        session = getattr(self, "_session", None)
        if session is None:  # refused by the constructor, which ipywidgets' finalizer does not know
            return
        session.close()
        self.selected = getattr(self.selected, "turn", self.selected)  # a token's row knows its model
        self._transcript.close()
        self._known.close()
        super().close()
        self.__dict__.pop("_ipython_display_", None)  # with which ipywidgets 7 hides what is closed

    # What crosses to the browser

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002
        """The state that a page gets: ipywidgets' own, the wire's traits, and one key a settled turn."""
        with self._session.lock:
            if key is None:
                base: dict[str, Any] = super().get_state(None, drop_defaults)
                return base | {name: self._value(name) for name in (*wire.TRAITS, *self._values.numbered())}
            keys = {key} if isinstance(key, str) else set(key)
            ours = {name for name in keys if name in wire.TRAITS or name in self._values}
            rest: dict[str, Any] = super().get_state(keys - ours, drop_defaults) if keys - ours else {}
            return rest | {name: self._value(name) for name in sorted(ours)}

    def _value(self, name: str) -> Any:
        return self._values[name] if name in self._values else getattr(self, name)

    def publish(self, keys: Iterable[str]) -> None:
        """Sends some keys of the state in one message."""
        names = set(keys)
        turns = [name.removeprefix(wire.TURN_KEY) for name in names if name.startswith(wire.TURN_KEY)]
        names |= {f"{wire.TOKENS_KEY}{turn}" for turn in turns}
        self._values.changes.note(names)
        if self.comm is not None:
            self.send_state(names | {"rev"})
        if any(name == "leaf" or name.startswith(wire.TURN_KEY) for name in names):
            self._transcript.changed()
            self._known.changed()

    def changed_since(self, revision: int) -> dict[str, Any]:
        """The revision of the state, and its keys that were published after an older one."""
        with self._session.lock:
            reached, names = self._values.changes.since(revision)
            names = [name for name in names if not name.startswith(wire.TOKENS_KEY)]
            return {"rev": reached, "state": self.get_state(names) if names else {}}

    def post(self, content: Any, buffers: list[bytes] | None = None) -> None:
        """Sends a frame or the answer to a request."""
        if self.comm is not None:
            anywidget.AnyWidget.send(self, content, buffers)

    @traitlets.observe("height")
    def _height_changed(self, _: object) -> None:
        self._session.show("height")

    def _on_message(self, _widget: object, content: Any, buffers: Sequence[Any]) -> None:
        answer = Answer()
        try:
            answer = carry_out(self, self._session, questions.parse_request(content), buffers)
            answer.content["ok"] = True
        except (ValueError, TypeError, RuntimeError, LookupError, ImportError) as error:
            answer.content["error"] = str(error)
        except Exception as error:
            _log.exception("A request from the page failed.")
            answer.content["error"] = f"The kernel could not do this ({type(error).__name__}: {error})."
        number = {"id": questions.request_id(content), "rev": self._values.changes.revision}
        self.post(number | answer.content, answer.buffers)
