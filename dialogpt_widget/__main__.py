"""The chat in a terminal: `python -m dialogpt_widget [model]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from dialogpt_widget.chat import Chat
from dialogpt_widget.engine.errors import ModelError
from dialogpt_widget.engine.names import MEDIUM, title_of
from dialogpt_widget.settings import Settings

HELP = "Ctrl-C stops a reply, Ctrl-D ends the chat. /clear begins anew, /undo brings the last chat back."


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the chat until the input ends; returns the exit status."""
    options = vars(_parser().parse_args(arguments))
    chosen = {name: value for name, value in options.items() if value is not None and name in Settings().to_dict()}
    try:
        settings = Settings(**chosen)
        chat = Chat(options["model"], device=options["device"], precision=options["precision"], settings=settings)
        model = chat.load(_progress)
    except (ModelError, ValueError) as error:
        print(f"\r{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(f"\r{title_of(model.name)}, {model.precision} on {model.device}. {HELP}", file=sys.stderr)
    return _talk(chat)


def _talk(chat: Chat) -> int:
    commands = {"/clear": chat.clear, "/undo": chat.undo}
    while True:
        try:
            text = input("you: ").strip()
        except EOFError:
            print()
            return 0
        except KeyboardInterrupt:
            print("\nCtrl-D ends the chat.")
            continue
        if text in commands:
            commands[text]()
        elif text:
            _answer(chat, text)


def _answer(chat: Chat, text: str) -> None:
    print("bot: ", end="", flush=True)
    try:
        turn = chat.send(text, lambda piece: print(piece, end="", flush=True))
        print(" [...]" if turn.stop == "length" else "")
    except KeyboardInterrupt:
        print(" [stopped]")
    except (ModelError, ValueError) as error:
        print(f"\n{error}", file=sys.stderr)


def _progress(what: str, share: float | None) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{what}{'' if share is None else f' {share:.0%}'}", end="", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m dialogpt_widget", description=f"Chat in a terminal. {HELP}")
    parser.add_argument(
        "model", nargs="?", default=MEDIUM, help='a name on the hub, a folder, or "mini" (default: %(default)s)'
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: %(default)s)")
    parser.add_argument("--precision", default="auto", help="auto, float32, bfloat16 or float16 (default: %(default)s)")
    for row in Settings.schema():
        if row["name"] != "candidates":
            parser.add_argument(f"--{row['name'].replace('_', '-')}", **_argument(row))
    return parser


def _argument(row: dict[str, Any]) -> dict[str, Any]:
    if row["type"] == "bool":
        return {"action": argparse.BooleanOptionalAction, "help": row["help"]}
    kind = {"int": int, "float": float}[row["type"]]
    return {"type": kind, "metavar": row["type"].upper(), "help": f"{row['help']} (default: {row['default']})"}


if __name__ == "__main__":
    sys.exit(main())
