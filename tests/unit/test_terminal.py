"""The chat in a terminal."""

from __future__ import annotations

import io
import itertools
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from builders import chat_model

import dialogpt_widget.__main__ as terminal
from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.chat.chat_state import ModelSource

Talk = Callable[..., list[str]]


@pytest.fixture
def chats(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Chat]]:
    """The chats that were made, all with a tiny model instead of the one named."""
    made: list[Chat] = []

    class Tiny(Chat):
        def __init__(self, model: str, **options: Any) -> None:
            super().__init__(model, **options)
            self.state.model.source = ModelSource(self.model_name, model=chat_model())
            made.append(self)

    monkeypatch.setattr(terminal, "Chat", Tiny)
    return made


@pytest.fixture
def talk(chats: list[Chat], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Talk:
    """Types lines and returns what was printed after each."""

    def type_in(*lines: str, options: tuple[str, ...] = ("mini", "--seed", "1", "--max-new-tokens", "3")) -> list[str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        assert terminal.main(options) == 0
        return capsys.readouterr().out.split("you: ")[1:]

    return type_in


def said(chat: Chat) -> list[str]:
    return [turn.text for turn in chat.conversation.turns if turn.role == "user"]


def test_an_unknown_command_is_answered_with_the_list_and_not_sent(talk: Talk, chats: list[Chat]) -> None:
    unknown, asked, _ = talk("/foo", "/help")
    assert unknown.startswith("There is no command /foo.")
    for answer in (unknown, asked):
        assert all(command in answer for command in ("/clear", "/undo", "/quit"))
    assert said(chats[0]) == []


@pytest.mark.parametrize(("line", "sent"), [("//foo", "/foo"), (" /foo", "/foo"), ("  hi ", "hi"), (" quit", "quit")])
def test_a_message_may_begin_with_a_slash_or_be_called_like_a_command(
    talk: Talk, chats: list[Chat], line: str, sent: str
) -> None:
    talk(line)
    assert said(chats[0]) == [sent]


@pytest.mark.parametrize("line", ["quit", "exit", "Quit"])
def test_who_wants_to_leave_is_told_how(talk: Talk, chats: list[Chat], line: str) -> None:
    told, _ = talk(line)
    assert "/quit or Ctrl-D ends the chat" in told
    assert said(chats[0]) == []


@pytest.mark.parametrize("line", ["/quit", "/exit"])
def test_the_chat_can_be_left(talk: Talk, chats: list[Chat], line: str) -> None:
    assert talk(line, "Hello") == [""]
    assert said(chats[0]) == []


def test_commands_say_what_they_did_and_when_there_is_nothing_to_do(talk: Talk, chats: list[Chat]) -> None:
    nothing, empty, _, cleared, back, to_start, no_more, _ = talk(
        "/undo", "/clear", "Hello", "/clear", "/undo", "/undo", "/undo"
    )
    assert nothing == no_more == "There is nothing to undo.\n"
    assert empty == "The chat is empty as it is.\n"
    assert cleared.startswith("The chat begins anew")
    assert back == f"The chat now ends with assistant: {chats[0].conversation.turns[-1].text}\n"
    assert to_start == "The chat is empty now.\n"


def test_mini_begins_with_the_settings_that_suit_it(talk: Talk, chats: list[Chat]) -> None:
    talk(options=("mini", "--top-k", "5"))
    talk(options=("medium",))
    small, medium = (chat.settings for chat in chats)
    assert (small.temperature, small.max_context, small.top_k) == (0.6, 256, 5)
    assert (medium.temperature, medium.max_context, medium.top_k) == (1.0, 1000, 40)


def test_help_names_the_models_and_their_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        terminal.main(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "small, medium or large" in text
    assert "(default: 1.0, for mini 0.6)" in text
    assert "(default: 1000, for mini 256)" in text
    assert "(default: 40)" in text


def test_a_wrong_name_ends_with_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert terminal.main(["minni"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(("tty", "drawn"), [(True, 11), (False, 0)])
def test_progress_is_redrawn_ten_times_a_second_and_only_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
    tty: bool,  # noqa: FBT001
    drawn: int,
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: tty)
    monkeypatch.setattr(sys, "stderr", stream)
    clock = itertools.count()
    monkeypatch.setattr(terminal.time, "monotonic", lambda: next(clock) / 64)
    monkeypatch.setattr(terminal, "REDRAW_INTERVAL", 6 / 64)
    progress = terminal._Progress()
    for step in range(65):
        progress("Loading", step / 64)
    terminal._note("Ready.")
    assert stream.getvalue().count("Loading") == drawn
    assert stream.getvalue().count("\r") == (drawn + 1 if tty else 0)
    assert stream.getvalue().endswith("Ready.\n")
