"""A reply as code that makes it again."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from dialogpt_widget.dialogue.tokens import ORIGINS
from dialogpt_widget.settings import Settings

if TYPE_CHECKING:
    from dialogpt_widget.chat.inspector import Inspection
    from dialogpt_widget.dialogue.turn import Turn


def as_python(chat: Inspection, turn: Turn) -> str:
    """Code that decodes a reply again, id for id: the same model, context ids, settings and dice.

    Raises:
        ValueError: that is no reply of a model, or of another one than the chat is with now.
    """
    context = chat.seen(turn)
    assert turn.settings is not None
    assert turn.rows is not None
    lines = [
        "from itertools import islice",
        "",
        "from dialogpt_widget import ChatModel, Settings",
        "",
        f"model = ChatModel.from_pretrained({_model_arguments(turn)})",
        f"settings = Settings({_changes(turn.settings)})",
        f"context = {list(context)}  # {len(turn.context)} turns, each with its end",
    ]
    options = f", reply={turn.reply}"
    new = len(turn.ids) - turn.begun
    if turn.begun:
        lines.append(f"begun = {list(turn.ids[: turn.begun])}  # what the reply begins with")
        options += ", prefix=begun"
    forced = {
        place: int(turn.rows["id"][place])
        for place in range(turn.begun, len(turn.rows))
        if turn.rows["origin"][place] == ORIGINS.index("forced")
    }
    if forced:
        options += f", forced={forced}"
    lines += [
        f"tokens = islice(model.generate(context, settings{options}), {new})",
        f"ids = {'begun + ' if turn.begun else ''}[token.id for token in tokens]",
        "print(model.decode(ids))",
    ]
    return "\n".join(lines) + "\n"


def _model_arguments(turn: Turn) -> str:
    arguments = [repr(turn.model)]
    if turn.revision:
        arguments.append(f"revision={turn.revision!r}")
    return ", ".join([*arguments, f"precision={turn.precision!r}"])


def _changes(settings: Settings) -> str:
    fields = ((spec.name, spec.default) for spec in dataclasses.fields(settings))
    return ", ".join(
        f"{name}={getattr(settings, name)!r}" for name, usual in fields if getattr(settings, name) != usual
    )
