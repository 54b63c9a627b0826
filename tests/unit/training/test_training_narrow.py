from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dialogpt_widget.training.__main__ import main
from dialogpt_widget.training.data import read_dialogues
from dialogpt_widget.training.evaluate import prompts
from dialogpt_widget.training.narrow import (
    Diet,
    answer_forms,
    common_words,
    is_plain,
    narrow,
    reanswer,
    windows,
    without,
)

WORDS = "do you like soup yes i it is good with bread he then we talk of dogs so"
COMMON = frozenset(WORDS.split())


def test_names_are_not_common_words() -> None:
    words = common_words([["we met Anna and met bread", "so Anna ate bread"]], 10)
    assert "bread" in words
    assert "anna" not in words


@pytest.mark.parametrize("turn", ["Do you like 3 soup", "Do you like sushi", "DO you like soup", "...", "soup " * 9])
def test_rare_words_digits_shouting_and_long_turns_are_not_plain(turn: str) -> None:
    assert is_plain("Do you like soup?", Diet(words=8), COMMON)
    assert not is_plain(turn, Diet(words=8), COMMON)


def test_windows_end_with_a_reply_that_a_program_could_say() -> None:
    turns = ["Do you like soup?", "Yes, it is good.", "With bread?", "I am with dogs."]
    assert list(windows(turns, Diet(), COMMON)) == [turns[:2], turns[1:3]]


def test_standalone_windows_do_not_open_with_an_answer() -> None:
    turns = ["Yes it is.", "So you like soup?", "Do you like soup?", "Yes, with bread."]
    assert list(windows(turns, Diet(standalone=True), COMMON)) == [turns[2:]]


def test_the_same_window_is_kept_once() -> None:
    said = ["so we talk", "of bread and soup"]
    assert len(list(narrow([said, said, said], Diet()))) == 1


def test_stock_answers_are_replaced_in_turn() -> None:
    pairs = [["Hi", "Hello."], ["Hey", "Hello."], ["Hm", "Okay."]]
    assert list(reanswer(pairs, {"Hello.": ["One", "Two"]})) == [["Hi", "One"], ["Hey", "Two"]]


def test_the_gate_is_sixty_prompts_and_stays_out_of_the_diet() -> None:
    assert len(prompts()) == len(set(prompts())) == 60
    shouted = prompts()[0].upper().rstrip("?")
    assert list(without([[shouted, "Fine."], ["Something else", "Fine."]], prompts())) == [["Something else", "Fine."]]


def test_the_command_writes_what_it_keeps(write: Callable[..., Path], tmp_path: Path) -> None:
    answers, out = tmp_path / "answers.json", tmp_path / "out.jsonl"
    answers.write_text(json.dumps({"Hi there.": ["Hello, I'm new."]}))
    assert main(["narrow", "--data", str(write()), "--out", str(out), "--answers", str(answers)]) == 0
    assert list(read_dialogues(out)) == [["Hello!", "Hello, I'm new."]]


def test_sentences_are_answered_by_their_form() -> None:
    forms = [(r"^i like\b", ["Why?", "Since when?"]), (r"\?$", ["No idea."])]
    said = [["I like soup.", "I like bread.", "I like soup!"], ["Good soup?", "She is good?", "Bread it is."]]
    many = [[turn.lower() for turn in turns] for turns in said] * 2
    answered = list(answer_forms(said + many, forms, Diet(), most=2))
    assert answered == [["I like soup.", "Why?"], ["I like bread.", "Since when?"], ["Good soup?", "No idea."]]


def test_a_broken_table_of_answers_is_an_error_for_people(
    write: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--data", str(write()), "--out", str(tmp_path / "out.jsonl"), "--forms", str(tmp_path / "none.json")]
    assert main(["narrow", *options]) == 1
    assert "none.json: cannot be read as JSON" in capsys.readouterr().err
