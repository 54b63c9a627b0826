"""ChatWidget: a chat in a notebook cell."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from dialogpt_widget.chat import Chat
from dialogpt_widget.dialogue.conversation import Conversation, Turn
from dialogpt_widget.dialogue.messages import check_message
from dialogpt_widget.dialogue.tokens import TokenTable
from dialogpt_widget.engine.names import MEDIUM
from dialogpt_widget.settings import Settings
from dialogpt_widget.widget import present, wire
from dialogpt_widget.widget.item import Item
from dialogpt_widget.widget.session import Session

if TYPE_CHECKING:
    from dialogpt_widget.engine.decoding import Token
    from dialogpt_widget.engine.model import ChatModel

_log = logging.getLogger(__name__)
_STATIC = Path(__file__).resolve().parent.parent / "static"
STARTERS = ("Hello, how are you?", "What do you like to do on weekends?", "Tell me something funny.")


class ChatWidget(anywidget.AnyWidget):  # type: ignore[misc]  # anywidget is not read for its types
    """A chat with a model in a notebook, and the conversation behind it.

    The model is loaded in the background when the widget is first shown, or when a method needs it. Widgets on the
    same model share one copy and answer in turn.

    Args:
        model: a name ("mini", "microsoft/DialoGPT-medium", a folder ...) or a loaded `ChatModel`.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        precision: "auto", "float32", "bfloat16" or "float16".
        revision: a branch, tag or commit on the hub.
        settings: how replies are decoded; if not given, the defaults, or for "mini" what suits it.
        conversation: a conversation to go on with.
        starters: first messages to click on; none with an empty list.
        height: greatest height of the transcript in pixels.

    Example:
        >>> chat = ChatWidget("mini")
        >>> chat                                        # shows it
        >>> chat.send("Does money buy happiness?").text  # says something from code
    """

    _esm = (_STATIC / "widget.js").read_text("utf-8")  # as text: given a path, anywidget keeps every widget for ever
    _css = (_STATIC / "widget.css").read_text("utf-8")

    status = traitlets.Dict(help="What the kernel is doing; see `wire.Status`.")
    error = traitlets.Dict(allow_none=True, default_value=None, help="What went wrong, or None; see `wire.Error`.")
    height = traitlets.Int(
        allow_none=True, default_value=None, min=80, help="Greatest height of the transcript, pixels."
    )

    def __init__(
        self,
        model: str | ChatModel = MEDIUM,
        *,
        device: str = "auto",
        precision: str = "auto",
        revision: str | None = None,
        settings: Settings | None = None,
        conversation: Conversation | None = None,
        starters: Iterable[str] | None = None,
        height: int | None = None,
    ) -> None:
        chat = Chat(
            model, device=device, precision=precision, revision=revision, settings=settings, conversation=conversation
        )
        self._starters = list(STARTERS if starters is None else map(check_message, starters))
        self._session = Session(chat, self)
        super().__init__(height=height, status=present.status("idle", ""))
        self.on_msg(self._on_message)

    # What a notebook calls

    def send(self, text: str) -> Turn:
        """Says something, streams the reply into the view and returns it. Ctrl-C stops it and keeps what was said.

        Raises:
            TypeError: not a string.
            ValueError: empty, or too long.
            ModelError: the model could not be loaded or run.
        """
        return self._session.wait(self._session.put(Item(check_message(text), awaited=True, paced=True)))

    async def asend(self, text: str) -> Turn:
        """`send` for asyncio; cancelling it stops the reply."""
        return await self._session.wait_async(self._session.put(Item(check_message(text), awaited=True)))

    def regenerate(self, turn: Turn | None = None) -> Turn:
        """Answers again: another version of a reply, by default of the last."""
        answered = self._session.chat.question(turn)
        return self._session.wait(self._session.put(Item(None, answered, awaited=True, paced=True)))

    def stop(self) -> None:
        """Stops the running reply before the model's next step; what was said is kept."""
        self._session.stop()

    def use(self, model: str | ChatModel) -> None:
        """Goes on with another model; the conversation stays."""
        self._session.use(model)

    def clear(self) -> None:
        """Selects an empty path; `undo` brings the conversation back."""
        self._session.chat.clear()
        self._session.show_path()

    def undo(self) -> Sequence[Turn]:
        """Restores the previous selection of the conversation's tree; returns the path."""
        path = self._session.chat.undo()
        self._session.show_path()
        return path

    def select(self, turn: Turn | int) -> Sequence[Turn]:
        """Selects the path through a turn; returns it."""
        path = self._session.chat.select(turn)
        self._session.show_path()
        return path

    @property
    def conversation(self) -> Conversation:
        """All turns ever said, as a tree."""
        return self._session.chat.conversation

    @property
    def messages(self) -> list[dict[str, str]]:
        """The settled turns of the selected path as `[{"role", "content"}]`."""
        return self._session.chat.messages

    @property
    def tokens(self) -> TokenTable:
        """One row a token of the selected path, EOS included."""
        return self._session.chat.tokens

    @property
    def settings(self) -> Settings:
        """How the next reply is decoded; assign `Settings(...)` or `chat.settings.replace(...)`."""
        return self._session.chat.settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        self._session.chat.settings = settings
        self._session.show_path("settings")

    def on_token(self, listener: Callable[[Token], Any]) -> Callable[[], None]:
        """Calls `listener(token)` for each token of each reply; returns a function that ends that."""
        return self._session.chat.on_token(listener)

    def on_turn(self, listener: Callable[[Turn], Any]) -> Callable[[], None]:
        """Calls `listener(turn)` for each turn that settles; returns a function that ends that."""
        return self._session.chat.on_turn(listener)

    def open(self) -> None:
        """Opens the channel to the page; ipywidgets calls this.

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
        super().close()

    # What crosses to the browser

    def get_state(self, key: Any = None, drop_defaults: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002
        """The state that a page gets: ipywidgets' own, the wire's traits, and one key a settled turn."""
        if key is None:
            turns = [f"{wire.TURN_KEY}{turn.id}" for turn in self.conversation.turns]
            base: dict[str, Any] = super().get_state(None, drop_defaults)
            return base | {name: self._value(name) for name in (*wire.TRAITS, *turns)}
        keys = {key} if isinstance(key, str) else set(key)
        ours = {name for name in keys if name in wire.TRAITS or name.startswith(wire.TURN_KEY)}
        rest: dict[str, Any] = super().get_state(keys - ours, drop_defaults) if keys - ours else {}
        return rest | {name: self._value(name) for name in sorted(ours)}

    def _value(self, name: str) -> Any:
        if name.startswith(wire.TURN_KEY):
            return present.turn(self.conversation[int(name.removeprefix(wire.TURN_KEY))])
        session = self._session
        chat = session.chat
        match name:
            case "info":
                return present.info(chat.model_name, chat.model)
            case "queue":
                return session.waiting()
            case "meter":
                return present.meter(chat.context if chat.model else None)
            case "leaf":
                return chat.conversation.leaf
            case "starters":
                return self._starters
            case "settings":
                return chat.settings.to_dict()
            case "settings_schema":
                return Settings.schema()
        return getattr(self, name)

    def publish(self, keys: Iterable[str]) -> None:
        """Sends some keys of the state in one message."""
        if self.comm is not None:
            self.send_state(set(keys))

    def post(self, content: Any) -> None:
        """Sends a frame or the answer to a request."""
        if self.comm is not None:
            super().send(content)

    @traitlets.observe("height")
    def _height_changed(self, _: object) -> None:
        self.publish(["height"])

    def _on_message(self, _widget: object, content: Any, _buffers: object) -> None:
        answer: dict[str, Any] = {"id": wire.request_id(content)}
        try:
            answer |= {"ok": True} | self._do(wire.parse_request(content))
        except (ValueError, TypeError, RuntimeError) as error:
            answer["error"] = str(error)
        except Exception as error:
            _log.exception("A request from the page failed.")
            answer["error"] = f"The kernel could not do this ({type(error).__name__}: {error})."
        self.post(answer)

    def _do(self, request: wire.Request) -> dict[str, Any]:
        """Carries out a request of the page; what it returns is added to the answer."""
        session = self._session
        match request["op"]:
            case "mount":
                if request["version"] != wire.VERSION:
                    raise wire.RequestError("The page and the kernel run different versions: reload the page.")
                session.begin()
            case "send":
                item = session.put(Item(check_message(request["text"])))
                return {"item": item.id}
            case "stop":
                session.stop()
            case "withdraw":
                taken = session.withdraw(request["item"])
                if taken is None:
                    raise wire.RequestError("This message is being answered already.")
                return {"text": taken.text}
            case "sync":
                seq, turn, text = session.frames.snapshot()
                return {"seq": seq, "turn": turn, "text": text}
            case "retry":
                session.retry()
            case "use_model":
                session.use(request["model"])
        return {}
