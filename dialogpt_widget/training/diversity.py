"""How varied replies are: distinct-n and entropy-n of what decoders answer to the same held-out contexts."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.chat.reply_many import reply_many
from dialogpt_widget.chat.reranking import MEAN, MMI_NAME
from dialogpt_widget.settings import Settings

from .data import DataError, Dialogue

LONGEST = 3  # turns of a context
_WORD = re.compile(r"\w+(?:'\w+)*|[^\w\s]")


@dataclass(frozen=True)
class Diversity:
    """Of the replies of one decoder.

    Attributes:
        name: Of the decoder.
        distinct: Share of different ones among all pairs of neighbouring words (distinct-2; Li et al., 2016, "A
            Diversity-Promoting Objective Function for Neural Conversation Models").
        entropy: Of the distribution of runs of four words, in nats (entropy-4; Zhang et al., 2018, "Generating
            Informative and Diverse Conversational Responses via Adversarial Information Maximization").
        words: Mean length of a reply, punctuation counted.
    """

    name: str
    distinct: float
    entropy: float
    words: float


def contexts_of(dialogues: Iterable[Dialogue], count: int) -> tuple[list[list[dict[str, str]]], list[str]]:
    """One context a dialogue, and what a person answered.

    A context is a dialogue's first three turns, or its first where it has fewer than four.

    Returns:
        Message lists that end with the user's, and as many texts.

    Raises:
        DataError: There are not that many dialogues with an answer.
    """
    histories: list[list[dict[str, str]]] = []
    answers: list[str] = []
    for turns in dialogues:
        length = LONGEST if len(turns) > LONGEST else 1
        if len(turns) > length and len(histories) < count:
            roles = ("user", "assistant")
            histories.append([{"role": roles[place % 2], "content": text} for place, text in enumerate(turns[:length])])
            answers.append(turns[length])
    if len(histories) < count:
        raise DataError(f"{count} contexts are wanted, and there are {len(histories)} dialogues with an answer")
    return histories, answers


def diversity(name: str, replies: Sequence[str]) -> Diversity:
    """The figures of some replies; NaN where they are too short for one.

    Args:
        name: Of what made them.
        replies: Their texts.
    """
    words = [_WORD.findall(reply.lower()) for reply in replies]
    pairs, fours = (Counter(run for said in words for run in _runs(said, size)) for size in (2, 4))
    whole = fours.total()
    entropy = -sum(count / whole * math.log(count / whole) for count in fours.values()) if whole else math.nan
    distinct = len(pairs) / pairs.total() if pairs else math.nan
    return Diversity(name, distinct, entropy, sum(map(len, words)) / max(1, len(words)))


def compare(chat: Chat, dialogues: Iterable[Dialogue], count: int, candidates: int) -> Iterator[Diversity]:
    """Greedy decoding, sampling, the likeliest of some samples, the one that MMI chooses, and people.

    Args:
        chat: Whose model answers, with the settings that it samples with and a seed.
        dialogues: That the model never saw.
        count: How many contexts.
        candidates: How many samples are chosen between.
    """
    histories, answers = contexts_of(dialogues, count)
    sampled = chat.settings.replace(candidates=1, num_beams=1)
    several = sampled.replace(candidates=candidates)
    systems: list[tuple[str, Settings, str | None]] = [
        ("greedy", sampled.replace(do_sample=False), None),
        ("sampled", sampled, None),
        (f"the likeliest of {candidates}", several, MEAN),
        (f"MMI, of {candidates}", several, MMI_NAME),
    ]
    for name, settings, rerank in systems:
        yield diversity(name, list(reply_many(chat, histories, settings, rerank)["text"]))
    yield diversity("people", answers)


def _runs(words: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    return (tuple(words[start : start + size]) for start in range(len(words) - size + 1))
