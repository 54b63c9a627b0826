"""A conversation comes back from its file bit for bit, or not at all."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import path_of, turn
from samples import contents, saved_text, well_used

from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.dialogue import files
from dialogpt_widget.dialogue.conversation import Conversation
from dialogpt_widget.dialogue.files import Saved
from dialogpt_widget.dialogue.tokens import given_rows
from dialogpt_widget.engine.model import ChatModel
from dialogpt_widget.settings import Settings


def holding(*turns: Any) -> Conversation:
    conversation = Conversation(next_id=1 + max(one.id for one in turns))
    for one in turns:
        conversation.add(one)
    return conversation


def test_all_of_a_conversation_comes_back(tmp_path: Path) -> None:
    chat = well_used()
    ends = {turn.stop for turn in chat.turns}
    assert ends >= {"eos", "length", "user", "error", None}, "the sample holds every way in which a reply ends"
    assert any(turn.begun for turn in chat.turns)
    assert any(len(chat.conversation.path_to(turn)) - 1 > len(turn.context) > 0 for turn in chat.turns)
    files.save(chat.saved, tmp_path / "chat.json")
    back = files.load(tmp_path / "chat.json")
    assert contents(back.conversation) == contents(chat.conversation)
    assert (back.model, back.settings) == ("tiny-1", chat.settings)
    assert not back.conversation.can_undo


def test_saving_what_was_loaded_gives_the_same_bytes() -> None:
    assert files.dump(files.parse(saved_text())) == saved_text()


def test_the_selected_path_alone_can_be_saved() -> None:
    chat = well_used()
    text = files.dump(chat.saved, branches=False)
    alone = files.parse(text).conversation
    assert alone.turns == alone.path == chat.path
    assert alone.select(chat.path[0]) == chat.path
    assert files.dump(files.parse(text), branches=False) == text
    other = next(turn for turn in chat.turns if turn not in chat.path)
    assert json.dumps(other.text, ensure_ascii=False) not in text


def test_an_empty_conversation_can_be_saved() -> None:
    back = files.parse(files.dump(Saved(Conversation())))
    assert (back.conversation.turns, back.model, back.settings) == ((), None, None)


def test_ids_of_a_large_vocabulary_keep_their_value() -> None:
    rows = given_rows([100_000, 5], 262_144)
    rows["logprob"] = [-0.1, np.nextafter(np.float32(-1), np.float32(0))]
    reply = turn(1, (100_000, 5), 0, "assistant", settings=Settings(), reply=0, stop="length", context=(0,), rows=rows)
    back = files.parse(files.dump(Saved(holding(turn(0, (70_000,)), reply)))).conversation
    assert back[1].rows is not None
    assert back[1].rows.tobytes() == rows.tobytes()
    assert back[0].ids == (70_000,)


def test_a_path_deeper_than_the_recursion_limit_is_no_harm() -> None:
    deep = holding(*path_of([1] * 3000))
    assert len(files.parse(files.dump(Saved(deep))).conversation.path) == 3000


def test_a_token_with_all_of_its_row_takes_at_most_150_bytes(mini: ChatModel) -> None:
    chat = Chat(mini, settings=Settings(seed=1, max_new_tokens=100, min_new_tokens=100))
    for _ in range(3):
        chat.send("Does money buy happiness?")
    assert sum(len(turn.rows) for turn in chat.turns if turn.rows is not None) == 300
    assert len(files.dump(chat.saved).encode()) <= 300 * 150


def test_settings_and_models_are_written_once() -> None:
    content = json.loads(saved_text())
    assert len(content["settings"]) < sum(entry.get("settings") is not None for entry in content["turns"])
    assert content["models"] == [["tiny-0", None, "float32"], ["tiny-1", None, "float32"]]


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "3", '"x"', '{"format": "other"}', "[" * 100_000])
def test_what_is_no_such_file_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="This is no saved conversation"):
        files.parse(text)


def test_values_nested_as_deep_as_python_goes_are_refused() -> None:
    shallow = files.dump(Saved(Conversation()))
    for depth in range(700, 1000):
        with pytest.raises(ValueError, match=r"This (is no saved conversation|saved conversation is damaged)"):
            files.parse(shallow.replace('"leaf":null', f'"leaf":{"[" * depth}{"]" * depth}'))


def test_a_newer_file_is_refused_with_the_way_out() -> None:
    newer = json.loads(saved_text()) | {"version": files.VERSION + 1}
    with pytest.raises(ValueError, match=r"newer version .* pip install --upgrade dialogpt-widget"):
        files.parse(json.dumps(newer))
    for version in (0, "1", None, 1.5):
        with pytest.raises(ValueError, match="damaged"):
            files.parse(json.dumps(newer | {"version": version}))


def change(path: str, value: Any) -> str:
    content = json.loads(saved_text())
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    at = content
    for step in way:
        at = at[step]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return json.dumps(content)


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("turns", ..., "'turns' is missing"),
        ("turns.0.role", "system", "role 'system'"),
        ("turns.1.stop", "tired", "'tired'"),
        ("turns.1.settings", None, "half a reply"),
        ("turns.1.parent", 99, "There is no turn 99 in this conversation"),
        ("turns.1.id", 0, "taken"),
        ("turns.1.begun", 1000, "beginning is 1000"),
        ("turns.1.reply", -1, "number is -1"),
        ("turns.1.rows", 3, "rows"),
        ("turns.1.saw", 5, "not in"),
        ("turns.0.model", 7, "index out of range"),
        ("turns.0.created", 1e300, "time is 1e[+]300"),
        ("turns.0.created", float("nan"), "time is nan"),
        ("turns.0.text", "\ud800", "surrogates"),
        ("turns.0.text", None, "text is None"),
        ("turns.0.ids.0", 2**40, "token id is 1099511627776"),
        ("turns.0.ids.0", True, "token id is True"),
        ("turns.0.ids.0", 70_000, "turn 0 holds the token 70000, which its model does not have"),
        ("leaf", 99, "no turn 99"),
        ("recent.0", [None, 5], "elsewhere"),
        ("next", 3, "not reserved"),
        ("settings.0.temperature", 0, "temperature is from"),
        ("settings.0.mood", 1, "'mood' is not a setting"),
        ("models.0", ["tiny"], "a model is not"),
        ("tokens.columns.ms", ..., "other columns"),
        ("tokens.columns.ms", "AAAA", "ms of the token rows cannot be read"),
        ("tokens.count", 10**12, "number of token rows"),
        ("chat.settings.top_k", "x", "top_k is a whole number"),
    ],
)
def test_a_damaged_file_is_refused_with_the_reason(path: str, value: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=rf"^This saved conversation is damaged: .*{reason}.*\. Nothing was loaded\.$"):
        files.parse(change(path, value))


def test_words_that_no_token_table_knows_are_refused() -> None:
    rows = given_rows([1, 2], 300)
    rows["origin"] = 9
    reply = turn(1, (1, 2), 0, "assistant", settings=Settings(), reply=0, stop="length", rows=rows)
    with pytest.raises(ValueError, match="origin of the token rows has unknown values"):
        files.parse(files.dump(Saved(holding(turn(0), reply))))


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=rf"^There is no folder {tmp_path}/nowhere\.$"):
        files.write(tmp_path / "nowhere" / "chat.json", "")
    with pytest.raises(IsADirectoryError, match=rf"^{tmp_path} is a folder: name a file in it\.$"):
        files.write(tmp_path, "")


def test_the_message_names_the_file(tmp_path: Path) -> None:
    for name, data in (("cut.json", saved_text().encode()[:-9]), ("picture.json", b"\x89PNG\xff\xfe")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ValueError, match=rf"{name}: This is no saved conversation"):
            files.load(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        files.load(tmp_path / "nowhere.json")


def test_a_failure_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "chat.json"
    files.write(target, "old")

    def fail(*_: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        files.write(target, "new")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no permission bits")
def test_a_file_may_be_read_by_whom_the_umask_lets(tmp_path: Path) -> None:
    files.write(tmp_path / "ours", b"")
    (tmp_path / "theirs").touch()
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("ours", "theirs")]
    assert modes[0] == modes[1]
