"""Answers to many histories at once, as a data frame."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tqdm.auto import tqdm

from dialogpt_widget.chat.candidates import rerank_input
from dialogpt_widget.chat.chat_state import seeded
from dialogpt_widget.chat.reply import Reply, Step
from dialogpt_widget.chat.reranking import Rerank, Reranking, reranking_of
from dialogpt_widget.chat.turns import conversation_of
from dialogpt_widget.dialogue.context import Context, context_for
from dialogpt_widget.dialogue.exports import Messages, check_messages
from dialogpt_widget.dialogue.nbest import Ranking, logprob
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.errors import check_settings
from dialogpt_widget.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from dialogpt_widget.engine.model import ChatModel

BATCH = 32
DTYPES = {"history": object, "text": str, "ids": object, "stop": str, "logprob": float, "scores": object}

Histories = Iterable[Messages | str]


class Answerer(Protocol):
    """A chat, as far as it answers for `reply_many`."""

    @property
    def settings(self) -> Settings:
        """How replies are decoded."""

    @property
    def reranking(self) -> Reranking:
        """What chooses one of several."""

    def load_model(self) -> ChatModel:
        """The model, loaded now if it is not yet."""


def reply_many(
    chat: Answerer,
    histories: Histories,
    settings: Settings | None = None,
    rerank: Rerank | Reranking = None,
    *,
    batch_size: int = BATCH,
    progress: bool = True,
) -> pd.DataFrame:
    """Answers many histories, several side by side; neither the conversation nor the dice of the chat move.

    Each reply is what a chat with these messages would say with the same seed and number: the numbers of the replies
    to history `i` are `i * candidates` and those that follow. In float32 the ids are those of one reply after the
    other, but where two logits are so near that the order of additions decides. Ctrl-C ends it without a result.

    Args:
        chat: whose model answers.
        histories: lists of `{"role", "content"}`, of which the last is the user's; a string is one message of the user.
        settings: how replies are decoded, by default the chat's; without a seed one is drawn.
        rerank: scores the replies and chooses one of several, as for `Chat`; by default the chat's own chooses where
            `settings.candidates` is above 1, and nothing is scored where it is 1.
        batch_size: how many replies are decoded side by side; fewer take less memory.
        progress: whether to show a progress bar.

    Returns:
        A row a history, in the order given: `history`, the messages; `text`; `ids` without the EOS; `stop`, "eos" or
        "length"; `logprob` under the model's own distribution, nat, the EOS included; `scores` by scorer, empty where
        nothing was scored. These are of the chosen reply; with several candidates all of them are in `candidates`, as
        dictionaries with the same names, `dropped`, why a rule dropped it, and `rank`, 1 for the best and 0 for one
        that was dropped. The seed is in `attrs["seed"]`.

    Raises:
        ImportError: pandas is not installed.
        TypeError, ValueError: a history, the settings or what ranks cannot be used; the message says which and why.
        ModelError: the model could not be loaded, or memory ran out.
    """
    pandas = _pandas()
    settings = chat.settings if settings is None else check_settings(settings)
    if settings.num_beams > 1:
        raise ValueError(f"num_beams={settings.num_beams} searches for one reply at a time: set it to 1 for many.")
    if type(batch_size) is not int or batch_size < 1:
        raise ValueError(f"batch_size is how many replies are decoded side by side, at least 1; got {batch_size!r}.")
    model = chat.load_model()
    settings = seeded(settings)
    asked = [_asked(place, history, model, settings) for place, history in enumerate(_listed(histories))]
    several = settings.candidates > 1
    chooses = chat.reranking if rerank is None else reranking_of(rerank)
    reranker = chooses.of(model) if several or rerank is not None else None
    turns = _answered(model, asked, settings, batch_size, progress=progress)
    rows = []
    for place, one in enumerate(tqdm(asked, "Ranking", unit="history", disable=not progress or reranker is None)):
        own = turns[place * settings.candidates :][: settings.candidates]
        ranking = reranker.rank(*rerank_input(one.turn, one.context.ids, own, model)) if reranker else None
        rows.append(_row(one, own, ranking))
    dtypes = DTYPES | ({"candidates": object} if several else {})
    frame: pd.DataFrame = pandas.DataFrame(rows, columns=list(dtypes)).astype(dtypes)
    frame.attrs["seed"] = settings.seed
    return frame


@dataclass(frozen=True, slots=True)
class _Asked:
    """A history, its last turn, and what the model sees of it."""

    messages: Messages
    turn: Turn
    context: Context


def _listed(histories: Histories) -> list[Messages | str]:
    if isinstance(histories, (str, Mapping)) or not isinstance(histories, Iterable):
        raise TypeError(f"histories is a list of message lists or of strings, not {type(histories).__name__}.")
    return list(histories)


def _asked(place: int, history: Messages | str, model: ChatModel, settings: Settings) -> _Asked:
    """What a chat of its own would make of a history."""
    try:
        messages = _ending_with_the_user(history)
        path = conversation_of(messages, model).path
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"History {place}: {error}") from None
    return _Asked(messages, path[-1], context_for(model, path, settings))


def _ending_with_the_user(history: Messages | str) -> Messages:
    messages = check_messages([{"role": "user", "content": history}] if isinstance(history, str) else history)
    if not messages or messages[-1]["role"] != "user":
        raise ValueError("The last message must be the user's: that is what is answered.")
    return messages


def _answered(
    model: ChatModel, asked: Sequence[_Asked], settings: Settings, batch_size: int, *, progress: bool
) -> list[Turn]:
    """The replies to each history, in their order; those to histories of like length are said side by side."""
    replies = [
        Reply(0, one.turn, model, one.context, settings, place * settings.candidates + version, threading.Event())
        for place, one in enumerate(asked)
        for version in range(settings.candidates)
    ]
    order = sorted(replies, key=lambda reply: -len(reply.context.ids))  # what takes the most memory comes first
    with tqdm(total=len(order), desc="Replies", unit="reply", disable=not progress) as bar:
        for start in range(0, len(order), batch_size):
            for reply in _said(model, order[start : start + batch_size], settings):
                reply.close("length")
                bar.update()
    return [reply.turn() for reply in replies]


def _said(model: ChatModel, replies: Sequence[Reply], settings: Settings) -> Iterator[Reply]:
    """Has replies said side by side; yields each once it has its last token."""
    for reply in replies:
        reply.open()
    contexts, numbers = [reply.context.ids for reply in replies], [reply.number for reply in replies]
    for step in model.generate_batch(contexts, settings, replies=numbers):
        for row, token in step:
            replies[row].reveal(Step(token, None))
            if token.eos or len(replies[row].tokens) == replies[row].limit:
                yield replies[row]


def _row(asked: _Asked, turns: Sequence[Turn], ranking: Ranking | None) -> dict[str, Any]:
    found = [_told(turn, ranking, place) for place, turn in enumerate(turns)]
    return {"history": asked.messages, **found[ranking.chosen if ranking else 0], "candidates": found}


def _told(turn: Turn, ranking: Ranking | None, place: int) -> dict[str, Any]:
    scores = {name: float(values[place]) for name, values in ranking.scores.items()} if ranking else {}
    return {
        "text": turn.text,
        "ids": list(turn.ids),
        "stop": turn.stop,
        "logprob": logprob(turn),
        "scores": scores,
        "dropped": ranking.dropped[place] if ranking else None,
        "rank": ranking.rank[place] if ranking else 0,
    }


def _pandas() -> Any:
    try:
        return importlib.import_module("pandas")
    except ImportError as error:
        raise ImportError('This needs pandas: pip install "dialogpt-widget[data]".') from error
