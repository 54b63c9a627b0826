"""Writes the dialogues of ``own/`` from the templates: ``python corpus/expand.py``.

A template file holds word lists and dialogues. ``=food pizza | soup`` names a list; ``{food}`` takes a word from it,
the same one everywhere in a dialogue (``{food2}`` a different one). A dialogue is a run of lines up to a blank one;
``u`` and ``m`` lines are the user's and mini's turns, and ``|`` separates ways of saying a turn. Every dialogue is
written out several times, each with other choices. What a gate prompt says is left out.
"""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

HERE = Path(__file__).parent
SLOT = re.compile(r"\{([a-z]+)(\d?)\}")
SENTENCE = re.compile(r"(?:^|(?<=[.!?] ))[a-z]")
GATE = HERE.parent / "dialogpt_widget" / "training" / "gate.json"
"""Prompts that are kept out, so that the gate asks what was never seen."""

MOST = 160
"""Variants a dialogue is written out in at most."""


class Template:
    """One dialogue with its alternatives."""

    def __init__(self, lines: list[str]) -> None:
        self.turns = [[way.strip() for way in line[2:].split(" | ")] for line in lines]
        speakers = "".join(line[0] for line in lines)
        if speakers != "um" * (len(lines) // 2):
            raise ValueError(f"turns must alternate and end with m: {lines}")

    def variants(self, lists: dict[str, list[str]]) -> int:
        """How many to write: enough to meet every way and every word a few times."""
        slots = {name for ways in self.turns for way in ways for name, _ in SLOT.findall(way)}
        ways = max(len(ways) for ways in self.turns)
        return min(MOST, 3 * ways + 4 * max((len(lists[name]) for name in slots), default=0))

    def write(self, lists: dict[str, list[str]], dice: random.Random) -> list[str]:
        """One variant."""
        chosen: dict[str, str] = {}
        taken: dict[str, set[str]] = {}

        def fill(match: re.Match[str]) -> str:
            name, number = match.groups()
            key = name + number
            if key not in chosen:
                used = taken.setdefault(name, set())
                chosen[key] = dice.choice([word for word in lists[name] if word not in used])
                used.add(chosen[key])
            return chosen[key]

        turns = [SLOT.sub(fill, dice.choice(ways)) for ways in self.turns]
        return [SENTENCE.sub(lambda match: match.group().upper(), turn) for turn in turns]


def word_lists(text: str) -> dict[str, list[str]]:
    """The named lists of a template file."""
    lists = {}
    for line in text.splitlines():
        if line.startswith("="):
            name, _, words = line[1:].partition(" ")
            lists[name] = [word.strip() for word in words.split("|")]
    return lists


def parse(text: str) -> list[Template]:
    """The dialogues of a template file."""
    templates: list[Template] = []
    lines: list[str] = []
    for line in [*text.splitlines(), ""]:
        if line.startswith(("u ", "m ")):
            lines.append(line)
        elif lines and not line.strip():
            templates.append(Template(lines))
            lines = []
    return templates


def expand(text: str, lists: dict[str, list[str]], dice: random.Random) -> list[list[str]]:
    """All dialogues of a template file, each once."""
    dialogues: dict[str, list[str]] = {}
    for template in parse(text):
        for _ in range(template.variants(lists)):
            turns = template.write(lists, dice)
            turns[::2] = [casual(turn, dice) for turn in turns[::2]]
            dialogues.setdefault("\n".join(turns), turns)
    return list(dialogues.values())


def plain(turn: str) -> str:
    """The turn without case and punctuation."""
    return " ".join(re.findall(r"[a-z0-9]+", turn.lower()))


def casual(turn: str, dice: random.Random) -> str:
    """The turn as it may be typed: mostly as it is, else without a final stop, in small letters, or both."""
    hurry = dice.random()
    if hurry < 0.2:
        turn = turn.rstrip(".!?") or turn
    return turn.lower() if 0.1 < hurry < 0.3 else turn


def main() -> None:
    """Writes ``own/NAME.jsonl`` for every ``templates/NAME.txt``."""
    paths = sorted((HERE / "templates").glob("*.txt"))
    texts = {path.stem: path.read_text(encoding="utf-8") for path in paths}
    lists = word_lists("\n".join(texts.values()))
    gate = {plain(prompt) for prompt in json.loads(GATE.read_text(encoding="utf-8"))}
    for name, text in texts.items():
        dialogues = expand(text, lists, random.Random(name))
        dialogues = [turns for turns in dialogues if gate.isdisjoint(map(plain, turns))]
        with (HERE / "own" / f"{name}.jsonl").open("w", encoding="utf-8") as out:
            out.writelines(json.dumps({"turns": turns}) + "\n" for turns in dialogues)
        print(f"{name}: {len(dialogues)} dialogues")


if __name__ == "__main__":
    main()
