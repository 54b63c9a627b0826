"""The chat in a terminal: `python -m dialogpt_widget [model]`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Any

from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.chat.reranking import RERANKERS
from dialogpt_widget.engine.loading.names import MEDIUM, MINI, recommended, title_of
from dialogpt_widget.errors import ModelError
from dialogpt_widget.settings import Settings

LEAVE = "/quit or Ctrl-D ends the chat."
HELP = f"Ctrl-C stops a reply. /clear begins anew, /undo takes the last step back. {LEAVE}"
SLASH = "A message that begins with a slash is written with two."
REDRAW_INTERVAL = 0.1  # seconds


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the chat until the input ends; returns the exit status."""
    options = vars(_parser().parse_args(arguments))
    chosen = {name: value for name, value in options.items() if value is not None and name in Settings().to_dict()}
    try:
        chat = Chat(
            options["model"], device=options["device"], precision=options["precision"], rerank=options["rerank"]
        )
        chat.settings = chat.settings.replace(**chosen)
        model = chat.load_model(_Progress())
    except (ModelError, ValueError) as error:
        _note(str(error))
        return 1
    except KeyboardInterrupt:
        _note("Stopped.")
        return 130
    _note(f"{title_of(model.name)}, {model.precision} on {model.device}. {HELP}")
    return _talk(chat)


def _talk(chat: Chat) -> int:
    while True:
        try:
            line = input("you: ").rstrip()
        except EOFError:
            print()
            return 0
        except KeyboardInterrupt:
            print(f"\n{LEAVE}")
            continue
        if line in ("/quit", "/exit"):
            return 0
        if line.lower() in ("quit", "exit"):
            print(f'{LEAVE} To say "{line}", write a space before it.')
        elif line.startswith("/") and not line.startswith("//"):
            print(_command(chat, line))
        elif line:
            _answer(chat, line.removeprefix("/").strip())


def _command(chat: Chat, command: str) -> str:
    """Carries out a command; returns what is said of it."""
    before = chat.path
    if command == "/clear":
        chat.clear()
        return "The chat begins anew; /undo brings the last one back." if before else "The chat is empty as it is."
    if command == "/undo":
        chat.undo()
        if chat.path == before:
            return "There is nothing to undo."
        last = chat.messages[-1] if chat.path else None
        return f"The chat now ends with {last['role']}: {last['content']}" if last else "The chat is empty now."
    asked = "" if command == "/help" else f"There is no command {command}. "
    return f"{asked}{HELP} {SLASH}"


def _answer(chat: Chat, text: str) -> None:
    print("bot: ", end="", flush=True)
    try:
        turn = chat.send(text, lambda piece: print(piece, end="", flush=True))
        print(" [...]" if turn.stop == "length" else "")
    except KeyboardInterrupt:
        print(" [stopped]")
    except (ModelError, ValueError) as error:
        print(f"\n{error}", file=sys.stderr)


def _note(text: str) -> None:
    """Writes a line in place of the progress shown last."""
    print(f"\r\x1b[K{text}" if sys.stderr.isatty() else text, file=sys.stderr)


class _Progress:
    """Shows how far loading is, in one line that is redrawn; only on a terminal."""

    def __init__(self) -> None:
        self._drawn = -REDRAW_INTERVAL

    def __call__(self, what: str, share: float | None) -> None:
        now = time.monotonic()
        if sys.stderr.isatty() and now - self._drawn >= REDRAW_INTERVAL:
            self._drawn = now
            print(f"\r\x1b[K{what}{'' if share is None else f' {share:.0%}'}", end="", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m dialogpt_widget", description=f"Chat in a terminal. {HELP}")
    names = "mini (embedded, no download), small, medium or large (DialoGPT), a name on the hub, or a folder"
    parser.add_argument("model", nargs="?", default=MEDIUM, help=f"{names} (default: medium)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: %(default)s)")
    parser.add_argument(
        "--precision", default="auto", help="auto, float32, bfloat16, float16 or int8 (default: %(default)s)"
    )
    parser.add_argument("--rerank", choices=[*RERANKERS], help="what chooses one of several candidates")
    for row in Settings.schema():
        parser.add_argument(f"--{row['name'].replace('_', '-')}", **_argument(row))
    return parser


def _argument(row: dict[str, Any]) -> dict[str, Any]:
    usual, minis = row["default"], recommended(MINI).to_dict()[row["name"]]
    default = "none" if usual is None else usual
    text = f"{row['help']} (default: {default}{'' if minis == usual else f', for mini {minis}'})"
    if row["type"] == "bool":
        return {"action": argparse.BooleanOptionalAction, "help": text}
    kind = {"int": int, "float": float}[row["type"]]
    return {"type": kind, "metavar": row["type"].upper(), "help": text}


if __name__ == "__main__":
    sys.exit(main())
