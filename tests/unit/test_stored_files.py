"""What earlier versions have stored still opens: files of both versions, shared lines, and a saved notebook.

The fixtures are as they were written then (`fixtures/make.py`) and are not made again: a change that needs new ones
would lose what people have kept.
"""

from __future__ import annotations

import base64
import html
import json
import re
import zlib
from pathlib import Path
from typing import Any

import pytest

from dialogpt_widget import Chat, ChatWidget

STORED = Path(__file__).parent / "fixtures"
BRANCHES = [  # of both files: id, parent, text, how many ids were taken over, the reply's number, what it saw
    (0, None, "Hello!", 0, None, ()),
    (1, 0, "Hi there! How are you?", 0, 0, (0,)),
    (2, 0, "Hello! How are you today?", 0, 1, (0,)),
    (3, 2, "Do you like music?", 0, None, ()),
    (4, 3, "I have no ears! What do you like?", 0, 2, (0, 2, 3)),
    (5, 2, "Do you like soup?", 0, None, ()),
    (6, 5, "I'm a program, so I have no favorites. What is yours?", 0, 3, (0, 2, 5)),
    (7, 0, "Written by hand.", 0, None, ()),
    (8, 7, "Pardon?", 0, None, ()),
    (9, 8, "I'm sorry, I can't do that. I can only chat.", 0, 4, (0, 7, 8)),
    (10, 1, "What did you do at the weekend?", 0, None, ()),
    (11, 10, "I have no plans, I only chat. What will you do?", 0, 5, (0, 1, 10)),
    (12, 10, "I not, I only chat. What about you?", 1, 5, (0, 1, 10)),
]
SINCE = [  # of the newer file alone
    (13, 12, "Tell me more.", 0, None, ()),
    (14, 13, "I have no", 0, 6, (0, 1, 10, 12, 13)),
    (15, 13, "I have no money, I", 3, 6, (0, 1, 10, 12, 13)),
    (16, 15, "That is good to hear.", 0, None, ()),
    (17, 16, "That's good to hear!", 0, 7, (13, 15, 16)),
    (18, 17, "Are you happy?", 0, None, ()),
    (19, 18, "I'm doing fine, thank you! And you?", 0, 8, (0, 1, 10, 12, 13, 15, 16, 17, 18)),
    (21, 18, "I'm very small: about six million numbers. Other models", 0, 10, (0, 1, 10, 12, 13, 15, 16, 17, 18)),
    (23, 21, "Where do you live?", 0, None, ()),
    (
        24,
        23,
        "I don't live anywhere. I run on your own computer.",
        0,
        11,
        (0, 1, 10, 12, 13, 15, 16, 17, 18, 21, 23),
    ),
    (28, 24, "Good night.", 0, None, ()),
]
PIZZA = "I can't taste anything, but I hear people like pizza."
WEEKENDS = "Not much, I only chat. What about you?"


def opened(name: str) -> Chat:
    return Chat.load(STORED / name, device="cpu", precision="float32")


def told(chat: Chat) -> list[Any]:
    return [(turn.id, turn.parent, turn.text, turn.begun, turn.reply, turn.context) for turn in chat.turns]


def test_a_file_of_version_1_opens() -> None:
    chat = opened("version-1.json")
    assert told(chat) == BRANCHES
    assert [turn.id for turn in chat.path] == [0, 1, 10, 12]
    assert (chat.model_name, chat.settings.temperature, chat.settings.candidates) == ("mini", 0.8, 1)
    assert all(chat.replay(turn).ok for turn in chat.turns if turn.reply is not None)
    with pytest.raises(ValueError, match="no list of replies"):
        chat.candidates()


def test_a_file_of_version_1_becomes_one_of_version_2(tmp_path: Path) -> None:
    chat = opened("version-1.json")
    chat.save(tmp_path / "chat.json")
    old, new = (json.loads(file.read_bytes()) for file in (STORED / "version-1.json", tmp_path / "chat.json"))
    assert (old["version"], new["version"], new["nbest"]) == (1, 2, [])
    assert old.keys() == new.keys() - {"nbest"}
    for key in ("turns", "tokens", "models", "leaf", "recent", "next"):
        assert new[key] == old[key]


def test_a_file_of_version_2_opens() -> None:
    chat = opened("version-2.json")
    assert told(chat) == BRANCHES + SINCE
    assert [turn.id for turn in chat.path] == [0, 1, 10, 12, 13, 15, 16, 17, 18, 21, 23, 24, 28]
    assert (chat.model_name, chat.settings.seed, chat.settings.max_context) == ("mini", 7, 256)
    find = chat.conversation.find
    assert find(12).ids == (41, 365, 12, 271, 804, 736, 14, 443, 375, 267, 31)
    assert {turn.stop for turn in chat.turns} == {None, "eos", "length"}
    assert (find(14).settings.max_new_tokens, find(17).settings.max_context) == (3, 40)
    assert chat.tokens["logprob"].dtype == "float32"
    assert float(find(1).rows["logprob"].sum()) == pytest.approx(-1.5880576)


def test_its_lists_of_replies_are_there() -> None:
    chat = opened("version-2.json")
    sampled, beam, compared = (chat.candidates(turn) for turn in (18, 23, 28))
    assert (sampled.id, sampled.kind, [turn.id for turn in sampled.turns]) == (22, "sampled", [19, 20, 21])
    assert sampled.turns[1].text == "I'm very small, so I make many mistakes. Please don't"
    assert sampled.ranking is not None
    assert (sampled.ranking.rank, sampled.ranking.chosen, sampled.ranking.dropped) == ((1, 2, 3), 0, (None,) * 3)
    assert sampled.ranking.scores["MMI"].tolist() == pytest.approx([-1.24331398, -1.90456605, -2.09766303])
    assert (beam.id, beam.kind, [turn.id for turn in beam.turns]) == (27, "beam", [24, 25, 26])
    assert beam.beams == pytest.approx((-0.11420699, -0.16416293, -0.31261405))
    assert (compared.id, compared.kind, compared.labels) == (31, "compared", ("greedy", "hot"))
    assert [turn.text for turn in compared.turns] == ["Good night! Sweet dreams."] * 2
    assert compared.cross[0] == pytest.approx((-0.68147683, -1.49663283))
    assert compared.ranking is None
    assert chat.pick(sampled, 1).id == 20


def test_its_replies_are_made_again_id_for_id_and_it_goes_on() -> None:
    chat = opened("version-2.json")
    assert all(chat.replay(turn).ok for turn in chat.turns if turn.reply is not None)
    reply = chat.regenerate()
    assert (reply.id, reply.parent, reply.reply) == (34, 28, 13)


def test_saving_a_file_of_version_2_gives_the_same_bytes(tmp_path: Path) -> None:
    for made in (opened("version-2.json"), ChatWidget.load(STORED / "version-2.json")):
        made.save(tmp_path / "again.json")
        assert (tmp_path / "again.json").read_bytes() == (STORED / "version-2.json").read_bytes()


@pytest.mark.parametrize(("name", "pinned"), [("plain", None), ("pinned", [4, 1])])
def test_a_shared_line_opens_without_a_difference(name: str, pinned: list[int] | None) -> None:
    line = (STORED / f"{name}.line").read_text()
    chat = Chat.open(line, device="cpu", precision="float32")
    assert (chat.differences, chat.stranger) == ({}, False)
    assert [(turn.id, turn.parent, turn.text) for turn in chat.turns] == [
        (0, None, "Hello!"),
        (1, 0, "Hi there! How are you?"),
        (2, 1, "Do you like music?"),
        (3, 2, "I can't hear music, but I like to read about it. What do"),
        (4, 2, "I not."),
    ]
    assert [turn.id for turn in chat.path] == [0, 1, 2, 4]
    assert [turn.begun for turn in chat.turns] == [0, 0, 0, 0, 1]
    assert chat.share((None, None) if pinned is None else tuple(pinned)) == line.strip()
    assert ChatWidget.open(line).get_state("pinned") == {"pinned": pinned}


def stored_notebook() -> Any:
    return json.loads((STORED / "chat.ipynb").read_bytes())


def unfolded(text: str) -> Any:
    return json.loads(zlib.decompress(base64.b64decode(text)))


def test_a_saved_notebook_says_what_was_said() -> None:
    """The transcript is HTML that needs no script; the view beside it is found by its mark."""
    view, said, code, known = stored_notebook()["cells"][0]["outputs"]
    assert view["data"]["application/vnd.jupyter.widget-view+json"]["version_major"] == 2
    (mark,) = re.findall(r'<div data-dialogpt="(\w+)">', "".join(said["data"]["text/html"]))
    text = html.unescape("".join(said["data"]["text/html"]))
    assert re.findall(r"<p><strong>(\w+)</strong><br>(.*?)</p>", text) == [
        ("You", "Do you like pizza?"),
        ("Model", PIZZA),
        ("You", "What do you do on weekends?"),
        ("Model", WEEKENDS),
    ]
    assert f'data-dialogpt-reader="{mark}"' in "".join(code["data"]["text/html"])
    (folded,) = re.findall(rf'data-dialogpt-tokens="{mark}" data-tokens="([^"]*)"', "".join(known["data"]["text/html"]))
    state = unfolded(folded)
    assert [state[f"turn_{place}"]["text"] for place in range(4)] == [
        "Do you like pizza?",
        PIZZA,
        "What do you do on weekends?",
        WEEKENDS,
    ]
    assert (state["leaf"], state["tokens_1"]["full"], state["view"]) == (3, True, mark)
