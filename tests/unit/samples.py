"""Chats in which all that can happen has happened."""

from __future__ import annotations

import contextlib
import functools
import itertools

from builders import before_each_step, chat_model

from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.dialogue import files
from dialogpt_widget.dialogue.conversation import Conversation
from dialogpt_widget.settings import Settings

TEXTS = ("Hello", "naïve café 😀", 'a "quoted"\nline\u2028of \\ two')


def stop_after(chat: Chat, tokens: int) -> None:
    """Stops the chat's next replies by hand, as soon as they have that many new tokens."""
    said: list[int] = []

    def listen(token: object) -> None:
        said.append(1)
        if len(said) == tokens:
            chat.stop()

    end = chat.on_token(listen)
    chat.on_turn(lambda turn: end() if turn.role == "assistant" else None)


def fail_at_step(chat: Chat, number: int) -> None:
    """Says something to which the reply breaks off."""
    steps = itertools.count(1)

    def step() -> None:
        if next(steps) == number:
            raise RuntimeError("broken")

    end = before_each_step(chat.load_model(), step)
    with contextlib.suppress(RuntimeError):
        chat.send("Fail")
    end()


def well_used() -> Chat:
    """A chat with branches, replies that ended in every way, edits, a continuation, a gap, a window that overflowed."""
    chat = Chat(chat_model(), settings=Settings(seed=3, max_new_tokens=9, max_context=60))
    for text in TEXTS:
        chat.send(text)
    chat.settings = chat.settings.replace(do_sample=False, max_new_tokens=5)
    cut = chat.regenerate()
    chat.continue_(cut)
    written = chat.edit(cut, "Written by hand.")
    stop_after(chat, 2)
    chat.send("Stop")
    never = chat.planner.reply(chat.say("never answered"))
    never.stop.set()
    chat.runner.run(never)
    chat.edit(chat.path[0], "Another beginning")
    chat.use(chat_model(1, eagerness=5))
    chat.settings = chat.settings.replace(do_sample=True, temperature=0.7, min_new_tokens=0)
    for text in TEXTS:
        chat.send(text)
    chat.settings = chat.settings.replace(candidates=3)
    chat.send("Several")
    chat.pick(chat.candidates(), 1)
    chat.pick(chat.candidates(), 2)
    chat.compare({"dull": chat.settings.replace(temperature=0.3), "as now": chat.settings})
    chat.settings = chat.settings.replace(candidates=1)
    chat.settings = chat.settings.replace(min_new_tokens=3)
    fail_at_step(chat, 3)
    chat.select(written)
    return chat


@functools.cache
def saved_text() -> str:
    """The file of a well used chat."""
    return files.dump(well_used().saved)


def contents(conversation: Conversation) -> list[object]:
    """Every field of every turn, the bytes of token rows among them, the lists of replies, and what is selected."""
    listed = [turn for made in conversation.nbests for turn in made.turns]
    turns = [
        (turn, None if turn.rows is None else (turn.rows.dtype, turn.rows.tobytes()))
        for turn in (*conversation.turns, *listed)
    ]
    lists = [(made.id, made.parent, made.kind, made.labels, made.cross) for made in conversation.nbests]
    ranked = [
        ({name: row.tobytes() for name, row in made.ranking.scores.items()}, made.ranking.rank, made.ranking.chosen)
        for made in conversation.nbests
        if made.ranking
    ]
    return [turns, lists, ranked, conversation.leaf, conversation.recent, conversation.next_id]
