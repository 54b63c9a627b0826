"""A narrower diet for a small model: short windows of dialogues, in common words, that a program could have said.

Six million parameters and an afternoon cannot learn the world. What they can learn is how people answer each other
about everyday things, so that is what this keeps: windows of two to six short turns, every word among the most common
ones, no names, numbers, films or matches, and no reply in which the speaker has a body, a family or a job.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .data import DataError, Dialogue

WORD = re.compile(r"[A-Za-z]+(?:'[a-z]+)?")

_TRIVIA = (
    "movie movies film films actor actors actress director album albums band bands song songs lyrics singer cast "
    "scene scenes plot trailer oscar soundtrack netflix concert concerts rock metal rap genre genres guitar vocals "
    "producer quarterback qb nfl nba mlb super bowl superbowl team teams players player coach season league playoffs "
    "game games pads fumbled drummer episode episodes series sequel sequels franchise character characters hero "
    "superhero villain president election trump politics political republican democrat government vote war marvel "
    "batman invented founded century mturk turk hit hits survey requester amazon google facebook fact killed murder "
    "dead kill gun guns wife husband"
)
TRIVIA = frozenset(_TRIVIA.split())
"""Common words of talk that needs knowledge which a small model cannot hold, or that it should not start."""

_KIN = (
    "wife husband kids? sons? daughters? child(?:ren)? mom mum mother dad father parents brothers? sisters? "
    "siblings? family grandma grandpa grandmother grandfather aunt uncle cousins? girlfriend boyfriend fiance "
    "dogs? cats? puppy pets? house apartment job boss car truck school college class(?:es)? major roommates? hair "
    "body back town hometown city state bab(?:y|ies) church birthday age degree friends? garden home room bed "
    "childhood professor teacher"
)
_DEEDS = (
    "live lived work worked went grew drive drove bought ate was saw moved graduated studied study teach play "
    "played own used cook cooked eat drink smoke run ran swim hike sing dance travel traveled visited sleep slept "
    "woke wear married have had am"
)
_STATES = (
    "an? from in at on going married single majoring studying taking vegan vegetarian retired working living eating "
    "watching drinking sitting cooking allergic getting planning trying hoping"
)
HUMAN = re.compile(
    rf"\b(?:my|our) (?:{_KIN.replace(' ', '|')})\b"
    rf"|\bI (?:{_DEEDS.replace(' ', '|')})\b"
    rf"|\bI(?:'m| am) (?:{_STATES.replace(' ', '|')})\b"
    r"|\bI've (?:been|had|seen|got|never|always|heard)\b"
    r"|\bI (?:like|love|enjoy) (?:to (?!chat|talk|think|hear|know)\w+|(?!chatting|talking|hearing)\w+ing)\b"
    r"|\bwe (?:live|went|have|had|got|moved|are|were|used)\b",
    re.IGNORECASE,
)
"""What only a person says of themself."""

DANGLING = re.compile(
    r"\b(?:he|she|him|her|his|they|them|their|it|its|it's|he's|she's|they're|those|these|that|that's|there|one|ones)\b"
    r"|^(?:yes|no|yeah|yep|nope|yea|and|but|so|or|because|same|me too|true|exactly|agreed|well|also|then|right|ok|okay"
    r"|oh|ah|aw|haha|lol|of course|definitely|absolutely|really|wow|cool|nice|great|awesome|not|i know|i agree"
    r"|i think so|i don't|i do|i did|i didn't|me neither|for sure|totally|sounds|which|what about|how about)\b",
    re.IGNORECASE,
)
"""An opening that answers something which is not there."""

ABSENT = re.compile(r"\b(?:he|she|him|her|his|he's|she's)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Diet:
    """What may stay.

    Attributes:
        words: The longest turn, in words.
        turns: The longest window, in turns; windows are even, so that each ends with a reply.
        vocabulary: How many of the most common words count as common.
        standalone: Keep only windows whose opening needs nothing before it.
    """

    words: int = 18
    turns: int = 6
    vocabulary: int = 3000
    standalone: bool = False


def common_words(dialogues: Iterable[Sequence[str]], size: int) -> frozenset[str]:
    """The most common lower-case words; those mostly written with a capital inside a sentence count as names."""
    lower: Counter[str] = Counter()
    names: Counter[str] = Counter()
    for turns in dialogues:
        for turn in turns:
            for match in WORD.finditer(turn):
                word = match.group()
                if word.islower():
                    lower[word] += 1
                elif match.start() > 1 and turn[match.start() - 2] not in ".!?":
                    names[word.lower()] += 1
    kept = Counter({word: count for word, count in lower.items() if count >= 0.7 * names[word]})
    return frozenset(word for word, _ in kept.most_common(size)) | {"i", "i'm", "i've", "i'd", "i'll"}


def is_plain(turn: str, diet: Diet, common: frozenset[str]) -> bool:
    """Whether a turn is short and made of common words, without digits, names or trivia."""
    words = WORD.findall(turn)
    if not 1 <= len(words) <= diet.words or any(char.isdigit() for char in turn):
        return False
    if any(len(word) > 1 and word.isupper() and word not in {"OK", "TV", "LOL"} for word in words):
        return False
    return all(word.lower() in common and word.lower() not in TRIVIA for word in words)


def windows(turns: Sequence[str], diet: Diet, common: frozenset[str]) -> Iterator[Dialogue]:
    """The stretches of a dialogue that the diet allows, each starting with somebody's turn and ending with a reply."""
    plain = [is_plain(turn, diet, common) for turn in turns]
    spoken = [not HUMAN.search(turn) and not ABSENT.search(turn) for turn in turns]
    start = 0
    while start < len(turns) - 1:
        if diet.standalone and DANGLING.search(turns[start]):
            start += 1
            continue
        end = start
        while end < min(len(turns), start + diet.turns) and plain[end] and (spoken[end] or (end - start) % 2 == 0):
            end += 1
        length = (end - start) // 2 * 2
        if length:
            yield list(turns[start : start + length])
        start += max(1, length - 1)


def bare(turn: str) -> str:
    """The turn without case and punctuation."""
    return " ".join(re.findall(r"[a-z0-9]+", turn.lower()))


def without(dialogues: Iterable[Dialogue], texts: Iterable[str]) -> Iterator[Dialogue]:
    """The dialogues in which no turn is one of the texts, case and punctuation aside; keeps test prompts out."""
    absent = {bare(text) for text in texts}
    return (turns for turns in dialogues if absent.isdisjoint(map(bare, turns)))


def narrow(dialogues: Sequence[Dialogue], diet: Diet) -> Iterator[Dialogue]:
    """Windows of all dialogues, each text once."""
    common = common_words(dialogues, diet.vocabulary)
    seen: set[str] = set()
    for turns in dialogues:
        for window in windows(turns, diet, common):
            key = "\n".join(window).lower()
            if key not in seen:
                seen.add(key)
                yield window


def reanswer(dialogues: Iterable[Dialogue], answers: dict[str, list[str]]) -> Iterator[Dialogue]:
    """Gives one-question dialogues new answers.

    Args:
        dialogues: Pairs of a question and a stock answer.
        answers: For a stock answer, the better ones, used in turn; questions whose answer is not listed are left out.
    """
    used: Counter[str] = Counter()
    for turns in dialogues:
        choices = answers.get(turns[-1])
        if len(turns) == 2 and choices:
            yield [turns[0], choices[used[turns[-1]] % len(choices)]]
            used[turns[-1]] += 1


def answer_forms(
    dialogues: Sequence[Sequence[str]], forms: Sequence[tuple[str, list[str]]], diet: Diet, most: int = 500
) -> Iterator[Dialogue]:
    """Pairs every plain one-sentence turn that has a known form with an answer that fits the form.

    Args:
        dialogues: Where the turns come from.
        forms: Regular expressions, the first that matches counts, with answers to use in turn.
        diet: What may stay of the turns.
        most: Pairs a form gives at most.
    """
    common = common_words(dialogues, diet.vocabulary)
    known = [(re.compile(pattern, re.IGNORECASE), answers) for pattern, answers in forms]
    used: Counter[str] = Counter()
    seen: set[str] = set()
    for turn in (turn for turns in dialogues for turn in turns):
        key = bare(turn)
        if key in seen or ABSENT.search(turn) or not is_plain(turn, diet, common):
            continue
        seen.add(key)
        match = next(((form, answers) for form, answers in known if form.search(turn)), None)
        if match and used[match[0].pattern] < most:
            form, answers = match
            yield [turn, answers[used[form.pattern] % len(answers)]]
            used[form.pattern] += 1


def read_json(path: str) -> Any:
    """Reads a JSON file.

    Raises:
        DataError: It is missing or no JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as JSON ({error})") from None


def write_dialogues(dialogues: Iterable[Dialogue], path: Path) -> int:
    """Writes JSONL and returns how many lines."""
    lines = [json.dumps({"turns": turns}, ensure_ascii=False) + "\n" for turns in dialogues]
    path.write_text("".join(lines), encoding="utf-8")
    return len(lines)
