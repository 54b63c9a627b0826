"""A conversation in other tools' formats: Markdown, message lists, rows of a conversational dataset."""

from __future__ import annotations

import json
import re
import reprlib
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from dialogpt_widget.dialogue.conversation import Conversation
from dialogpt_widget.dialogue.turn import Turn

Messages = list[dict[str, str]]
SPEAKERS = {"user": "You", "assistant": "Model"}
_LIVE = re.compile(r"([\\`*_\[\]<>&#|~$])")  # what Markdown, HTML or mathematics would read as markup
_OPENING = re.compile(r"(\s*)([-+=:]|\d+[.)])")  # a list, a rule, a heading or a table, at the start of a line
_BREAK = re.compile(r"\r\n?|\n")


def messages_of(path: Sequence[Turn]) -> Messages:
    """The turns of a path as `[{"role", "content"}]`, as the Hugging Face stack has them."""
    return [{"role": turn.role, "content": turn.text} for turn in path]


def branches_of(conversation: Conversation, *, all_branches: bool) -> list[tuple[Turn, ...]]:
    """The paths to write: the selected one, or one to every turn that nothing follows."""
    if not all_branches:
        return [conversation.path]
    return [conversation.path_to(turn) for turn in conversation.turns if not conversation.children(turn)]


def to_markdown(conversation: Conversation, *, branches: bool = False) -> str:
    """Markdown that shows each turn's text as it was said; nothing in it becomes markup."""
    paths = branches_of(conversation, all_branches=branches)
    parts = []
    for number, path in enumerate(paths):
        if len(paths) > 1:
            parts.append(f"## Branch {number + 1} of {len(paths)}\n")
        parts += [f"**{SPEAKERS[turn.role]}**{_origin(turn)}\n\n{_plain(turn.text)}\n" for turn in path]
    return "\n".join(parts)


def to_messages(conversation: Conversation, *, branches: bool = False) -> str:
    """JSON: the selected path's list of messages; with branches a list of such lists."""
    paths = [messages_of(path) for path in branches_of(conversation, all_branches=branches)]
    return json.dumps(paths if branches else paths[0], ensure_ascii=False, indent=1) + "\n"


def to_dataset(conversation: Conversation, *, branches: bool = False) -> str:
    """JSON lines, a row `{"messages": [...]}` a branch: what `datasets.load_dataset("json", ...)` and TRL read."""
    rows = ({"messages": messages_of(path)} for path in branches_of(conversation, all_branches=branches))
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def read_messages(text: str) -> list[Messages]:
    """The message lists in what `to_messages` or `to_dataset` wrote, or other tools in the same formats.

    Raises:
        ValueError: it is neither.
    """
    try:
        content = json.loads(text)
        found = content if isinstance(content, list) and content and isinstance(content[0], list) else [content]
    except (ValueError, RecursionError):
        try:
            found = [json.loads(line) for line in text.split("\n") if line.strip()]
        except (ValueError, RecursionError):
            found = []
    lists = [item.get("messages") if isinstance(item, dict) else item for item in found]
    if not lists:
        raise ValueError("This is neither a saved conversation nor a list of messages.")
    try:
        return [check_messages(messages) for messages in lists]
    except TypeError as error:
        raise ValueError(f"This is neither a saved conversation nor a list of messages. {error}") from None


def check_messages(messages: Any) -> Messages:
    """A list of messages, checked.

    Raises:
        TypeError: it is none.
        ValueError: it has a role that a chat of two does not know.
    """
    if not isinstance(messages, Sequence) or isinstance(messages, (str, bytes)):
        raise TypeError('Messages are a list of {"role": "user" or "assistant", "content": "..."}.')
    for place, message in enumerate(messages):
        if isinstance(message, dict) and not isinstance(message.get("content", ""), str):
            raise TypeError(f"Message {place}: its content is a string, not {reprlib.repr(message['content'])}.")
        if not isinstance(message, dict) or "content" not in message:
            raise TypeError(f'Message {place} is not {{"role": ..., "content": "..."}} but {reprlib.repr(message)}.')
        role = message.get("role")
        if role not in tuple(SPEAKERS):
            raise ValueError(
                f"Message {place} has the role {reprlib.repr(role)}; DialoGPT knows user and assistant alone."
            )
    return [{"role": message["role"], "content": message["content"]} for message in messages]


def _origin(turn: Turn) -> str:
    if turn.role == "user":
        return ""
    when = datetime.fromtimestamp(turn.created, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    return f" ({_plain(turn.model)}, {when})" if turn.settings else f" (not generated here, {when})"


def _plain(text: str) -> str:
    *lines, last = _BREAK.split(text)
    return "".join(f"{_line(line)}\\\n" for line in lines) + (_line(last) if last.strip() else "&nbsp;")


def _line(text: str) -> str:
    inked = text.lstrip(" \t")
    indent = "&nbsp;" * (len(text) - len(inked))  # four spaces would make it code
    escaped = _LIVE.sub(r"\\\1", inked)
    opening = _OPENING.match(escaped)
    return indent + (f"{escaped[: opening.end() - 1]}\\{escaped[opening.end() - 1 :]}" if opening else escaped)
