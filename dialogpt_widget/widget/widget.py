"""ChatWidget: a chat in a notebook cell."""

from __future__ import annotations

import base64
import functools
import logging
import time
import uuid
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, cast, overload

import anywidget
import traitlets
from IPython.core.getipython import get_ipython

from dialogpt_widget.chat.candidates import Sides, sides_of
from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.chat.chat_state import made_from
from dialogpt_widget.chat.reply import NBestRun
from dialogpt_widget.chat.reranking import Rerank, Reranking
from dialogpt_widget.dialogue import files
from dialogpt_widget.dialogue.conversation import Conversation
from dialogpt_widget.dialogue.nbest import NBest
from dialogpt_widget.dialogue.share import from_line
from dialogpt_widget.dialogue.turn import Turn, check_message
from dialogpt_widget.engine.loading.machine import release_helpers
from dialogpt_widget.engine.loading.names import MEDIUM
from dialogpt_widget.errors import explain_keywords
from dialogpt_widget.settings import Settings
from dialogpt_widget.widget import protocol, serialize, transcript
from dialogpt_widget.widget.jobs import Job
from dialogpt_widget.widget.protocol import SELECTION, key_of
from dialogpt_widget.widget.requests import At, carry_out
from dialogpt_widget.widget.session import Session
from dialogpt_widget.widget.transcript import TranscriptOutput, publish

if TYPE_CHECKING:
    from typing_extensions import Self

    from dialogpt_widget.engine.model import ChatModel

P = ParamSpec("P")
R = TypeVar("R")

_log = logging.getLogger(__name__)
_STATIC = Path(__file__).resolve().parent.parent / "static"
STARTERS = ("Hello, how are you?", "What do you like to do on weekends?", "Tell me something funny.")


def _packed(name: str) -> str:
    """A part of the page, deflated, in base64."""
    return base64.b64encode(zlib.compress((_STATIC / name).read_bytes(), 9)).decode("ascii")


def forward(
    method: Callable[Concatenate[Chat, P], R], shows: Sequence[str] = ()
) -> Callable[Concatenate[ChatWidget, P], R]:
    """The chat's method as one of its widget, with its signature and docstring.

    Args:
        method: of `Chat`.
        shows: keys of the page's state that the method changes.
    """

    @functools.wraps(method)
    def forwarded(self: ChatWidget, /, *args: P.args, **named: P.kwargs) -> R:
        result = method(self._session.chat, *args, **named)
        if shows:  # else it takes no lock
            self._session.state.show(*shows)
        return result

    return forwarded


class Forwarded(property, Generic[R]):
    """An attribute of the chat as one of its widget, with its docstring.

    Args:
        attribute: a property of `Chat`.
        shows: gives the keys of the page's state that change where a value is assigned; without, none can be.
    """

    def __init__(
        self, attribute: Callable[[Chat], R], shows: Callable[[ChatWidget], Iterable[str]] | None = None
    ) -> None:
        own = cast("property", attribute)

        def read(self: ChatWidget) -> Any:
            return own.__get__(self._session.chat)

        def write(self: ChatWidget, value: R) -> None:
            own.__set__(self._session.chat, value)
            if shows:
                self._session.state.show(*shows(self))

        super().__init__(read, write if shows else None)
        self.__doc__ = own.__doc__

    @overload
    def __get__(self, widget: None, owner: type, /) -> Forwarded[R]: ...

    @overload
    def __get__(self, widget: Any, owner: type | None = None, /) -> R: ...

    def __get__(self, widget: Any, owner: Any = None, /) -> Any:
        """The value of the chat's attribute; of the class, this."""
        return super().__get__(widget, owner)

    def __set__(self, widget: Any, value: R) -> None:
        """Assigns the chat's attribute and shows it."""
        super().__set__(widget, value)


class _ClassOrInstance:
    """One name for two methods: of the class, and of its instances.

    ipywidgets calls `open` on every instance to open its channel; `ChatWidget.open` opens a shared chat.

    Args:
        on_class: name of the class method.
        on_instance: name of the instance's method.
    """

    def __init__(self, on_class: str, on_instance: str) -> None:
        self.on_class, self.on_instance = on_class, on_instance

    def __get__(self, instance: object, owner: type) -> Any:
        return getattr(owner, self.on_class) if instance is None else getattr(instance, self.on_instance)


class ChatWidget(anywidget.AnyWidget):  # type: ignore[misc]  # anywidget is not read for its types
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

    _esm = (_STATIC / "widget.js").read_text("utf-8")  # as text: given a path, anywidget keeps every widget for ever
    _css = (_STATIC / "widget.css").read_text("utf-8")
    _inspector = _packed("inspect.js")
    _decider = _packed("decide.js")

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
        first = list(STARTERS if starters is None else map(check_message, starters))
        self._mark = mark = uuid.uuid4().hex
        inspector, decider = self._inspector if inspect else "", self._decider
        constants: dict[str, Callable[[], Any]] = {
            "starters": lambda: list(first),
            "view": lambda: mark,
            "inspector": lambda: inspector,
            "decider": lambda: decider,
        }
        self._session = Session(chat, self, constants, inspect=inspect)
        self._transcript = TranscriptOutput(self._transcribed, f"dialogpt-{mark}")
        self._tokens_output = TranscriptOutput(self._transcribed_tokens, f"dialogpt-{mark}-tokens", rate=8000)
        super().__init__(height=height, status=serialize.status("idle", ""))
        self.on_msg(self._on_message)

    def __repr__(self) -> str:
        return f"<ChatWidget {self._session.chat.summary}>"

    # What the chat does and is, as it does and is it

    model = Forwarded(Chat.model)
    conversation = Forwarded(Chat.conversation)
    turns = Forwarded(Chat.turns)
    path = Forwarded(Chat.path)
    tokens = Forwarded(Chat.tokens)
    saved = Forwarded(Chat.saved)
    pace = Forwarded(Chat.pace)
    settings = Forwarded(Chat.settings, lambda _: ("settings", "meter"))
    messages = Forwarded(Chat.messages, lambda widget: (*map(key_of, widget.path), *SELECTION))

    clear = forward(Chat.clear, SELECTION)
    undo = forward(Chat.undo, SELECTION)
    select = forward(Chat.select, SELECTION)
    siblings = forward(Chat.siblings)
    candidates = forward(Chat.candidates)

    explain = forward(Chat.explain)  # type: ignore[arg-type]  # mypy fears a setting called `self`
    ranked = forward(Chat.ranked)
    chances = forward(Chat.chances)
    inside = forward(Chat.inside)
    score = forward(Chat.score)
    without = forward(Chat.without)
    replay = forward(Chat.replay)
    code = forward(Chat.code)

    step = forward(Chat.step)
    force = forward(Chat.force)
    back = forward(Chat.back)
    guess = forward(Chat.guess)
    finish = forward(Chat.finish)

    on_token = forward(Chat.on_token)
    on_turn = forward(Chat.on_turn)

    save = forward(Chat.save)
    export_markdown = forward(Chat.export_markdown)
    export_messages = forward(Chat.export_messages)
    export_dataset = forward(Chat.export_dataset)
    export_tokens = forward(Chat.export_tokens)

    # What waits for its turn at the model

    def send(self, text: str) -> Turn:
        """Says something, streams the reply into the view and returns it. Ctrl-C stops it and keeps what was said.

        Raises:
            TypeError: not a string.
            ValueError: empty, or too long.
            ModelError: the model could not be loaded or run.
        """
        return self._wait(Job("message", check_message(text)))

    async def asend(self, text: str) -> Turn:
        """`send` for asyncio; cancelling it stops the reply."""
        return await self._session.wait_async(self._session.put(Job("message", check_message(text), awaited=True)))

    def say(self, text: str) -> Turn:
        """Says something and leaves it unanswered, for `step` or `regenerate`; the model is loaded if it is not yet.

        Raises:
            TypeError: not a string.
            ValueError: empty, or too long.
            ModelError: the model could not be loaded.
        """
        said = self._session.chat.say(text)
        self._session.state.show(key_of(said), *SELECTION)
        return said

    def regenerate(self, turn: Turn | int | None = None) -> Turn:
        """Answers again: another version of a reply, by default of the last."""
        return self._wait(Job("regenerate", turn=self.conversation.question(turn)))

    def continue_(self, turn: Turn | int) -> Turn:
        """Goes on with a reply that was cut off, written or imported, as a new version of it."""
        return self._wait(Job("continue", turn=self._session.chat.planner.unfinished(turn)))

    def fork(self, turn: Turn | int, index: int, token: int) -> Turn:
        """Puts another token at a place of a reply and lets the model go on from there, as a new version of it."""
        old = self.conversation.find(turn)
        self._session.chat.planner.check_fork(old, index, token)
        return self._wait(Job("fork", turn=old, index=index, token=token))

    def edit(self, turn: Turn | int, text: str) -> Turn:
        """Says a turn in other words, as a new version of it; what followed stays with the old one.

        Returns:
            For a user's turn the reply to its new version, for a reply the new version itself.
        """
        old = self.conversation.find(turn)
        if old.role == "user":
            return self._wait(Job("edit", check_message(text), old))
        changed = self._session.chat.runner.rewrite(old, text)
        self._session.state.show(key_of(changed), *SELECTION)
        return changed

    def compare(self, sides: Sides, turn: Turn | int | None = None) -> NBest:
        """Answers a turn as several settings or models would, with the same dice; see `Chat.compare`."""
        job = Job("compare", turn=self.conversation.question(turn), sides=sides_of(sides, self.settings))
        self._wait(job)
        assert isinstance(job.made, NBestRun)
        return job.made.result()

    def _wait(self, job: Job) -> Turn:
        job.awaited = job.paced = True
        return self._session.wait(self._session.put(job))

    def stop(self) -> None:
        """Stops the running reply before the model's next step; what was said is kept."""
        self._session.stop()

    # What is done and shown

    def use(self, model: str | ChatModel) -> None:
        """Goes on with another model; the conversation stays."""
        self._session.use(model)

    def pick(self, made: NBest | int, place: int) -> Turn:
        """Makes one of several replies a version in the tree, if it is none yet, and selects it."""
        return self._session.pick(made, place)

    def rank(self, made: NBest | int | None = None) -> NBest:
        """Ranks several replies anew by what chooses now; what is selected stays as it is."""
        return self._session.rank(made)

    @property
    def rerank(self) -> Rerank:
        """What chooses one of several replies; assign a name, a scorer, a function, several; see `Reranking`."""
        return self._session.chat.rerank

    @rerank.setter
    def rerank(self, rerank: Rerank | Reranking) -> None:
        self._session.chat.rerank = rerank
        self._session.state.show("rerank", "rerankers")

    def forget(self, turn: Turn | int) -> None:
        """Erases a turn with all that follows it, for good: `undo` does not bring it back.

        Raises:
            RuntimeError: a reply is running there.
            UnknownTurnError: it is not in this conversation, or no longer.
        """
        gone = self._session.forget(turn)
        if getattr(self.selected, "turn", self.selected) in gone:
            self.selected = None

    # Files and lines

    @classmethod
    def load(cls, path: str | Path, model: str | ChatModel | None = None, **options: Any) -> Self:
        """A chat from a file that `save` wrote.

        Args:
            path: of the file.
            model: to go on with; the one that it was saved with if not given.
            **options: of the constructor, such as `device`.

        Raises:
            ValueError: the file is damaged, of a newer version, or no saved conversation; nothing is loaded by halves.
            OSError: it cannot be read, or there is none.
        """
        return made_from(cls, files.load(path), model, options)

    open = _ClassOrInstance("open_shared", "_open_channel")

    @classmethod
    def open_shared(cls, line: str, model: str | ChatModel | None = None, **options: Any) -> Self:
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
        widget: Self = made_from(cls, shared.saved, model, options)
        widget._session.open(shared)
        return widget

    def share(self) -> str:
        """This chat, with what is selected in the view, as one line for `ChatWidget.open` on another machine."""
        at, index = self.selected, getattr(self.selected, "index", None)
        turn = getattr(at, "turn", at)
        return self._session.chat.share((None if turn is None else turn.id, index))

    def export_html(self, path: str | Path, *, branches: bool = False) -> None:
        """Writes one web page with the chat, to be read offline in any browser.

        Raises:
            OSError: it cannot be written.
        """
        files.write(path, self.page(branches=branches))

    def page(self, *, branches: bool = False) -> str:
        """The web page that `export_html` writes."""
        path = self.path
        state = self._session.state.offline(path, self.turns if branches else path, time.time())
        return transcript.page(state, path, self._title, self._esm, self._css)

    @property
    def _title(self) -> str:
        return serialize.info(self._session.chat.model_name)["title"]

    # What a notebook shows

    def _ipython_display_(self) -> None:
        """Shows the view, and beside it the transcript for readers without a kernel."""
        shell: Any = get_ipython()
        if shell is not None:
            shell.events.register("post_run_cell", release_helpers)
        if self.comm is not None:
            shown = self._repr_mimebundle_()
            data, metadata = shown if isinstance(shown, tuple) else (shown, {})
            publish(data, metadata)
        self._transcript.display()
        if self._session.state.inspect:
            publish({"text/html": transcript.reader_code(self._mark, self._esm, self._css, self._inspector)}, {})
            self._tokens_output.display()

    def _transcribed(self) -> str:
        return transcript.transcript(self.path, self._title, self._mark)

    def _transcribed_tokens(self) -> str:
        path = self.path
        state = self._session.state.offline(path, path, path[-1].created if path else 0)
        lists = any(name.startswith(protocol.NBEST_KEY) for name in state)
        without = {"inspector": ""} if lists else {"inspector": "", "decider": ""}
        return transcript.reader_tokens(self._mark, state | without | {"rev": 0})

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
        self._tokens_output.close()
        super().close()
        self.__dict__.pop("_ipython_display_", None)  # with which ipywidgets 7 hides what is closed

    # What crosses to the page

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002
        """The state that a page gets: ipywidgets' own, the protocol's traits, and one key a settled turn."""
        state = self._session.state
        with state.lock:
            if key is None:
                base: dict[str, Any] = super().get_state(None, drop_defaults)
                return base | state.read()
            keys = {key} if isinstance(key, str) else set(key)
            ours = {name for name in keys if name in state}
            rest: dict[str, Any] = super().get_state(keys - ours, drop_defaults) if keys - ours else {}
            return rest | state.read(ours)

    def publish(self, keys: Iterable[str]) -> None:
        """Sends some keys of the state in one message."""
        names = set(keys)
        if self.comm is not None:
            self.send_state(names)
        if any(name == "leaf" or name.startswith(protocol.TURN_KEY) for name in names):
            self._transcript.changed()
            self._tokens_output.changed()

    def post(self, content: Any, buffers: list[bytes] | None = None) -> None:
        """Sends a frame or the answer to a request."""
        if self.comm is not None:
            anywidget.AnyWidget.send(self, content, buffers)

    @traitlets.observe("height")
    def _height_changed(self, _: object) -> None:
        self._session.state.show("height")

    def _on_message(self, _widget: object, content: Any, buffers: Sequence[Any]) -> None:
        files: list[bytes] = []
        try:
            answer = carry_out(At(self, self._session, buffers), protocol.parse_request(content))
            said, files = {**answer.content, "ok": True}, answer.buffers
        except (ValueError, TypeError, RuntimeError, LookupError, ImportError) as error:
            said = {"error": str(error)}
        except Exception as error:
            _log.exception("A request from the page failed.")
            said = {"error": f"The kernel could not do this ({type(error).__name__}: {error})."}
        number = {"id": protocol.request_id(content), "rev": self._session.state.revision}
        self.post(number | said, files)
