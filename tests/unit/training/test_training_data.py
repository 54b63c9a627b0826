from __future__ import annotations

import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from dialogpt_widget.training.data import (
    IGNORED,
    DataError,
    PackedDialogues,
    encode_dialogue,
    pack,
    parse_dialogue,
    read_dialogues,
    read_mixture,
    reverse_pairs,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)
turns = st.lists(texts, min_size=1, max_size=5)
EOS = 0
encoded = st.lists(st.lists(st.integers(1, 9), max_size=6).map(lambda ids: [*ids, EOS]), min_size=1, max_size=20)


@given(said=turns, ascii_only=st.booleans())
def test_a_line_gives_back_the_turns_that_were_written(said: list[str], *, ascii_only: bool) -> None:
    line = json.dumps({"turns": said, "source": "test"}, ensure_ascii=ascii_only)
    assert parse_dialogue(line) == [turn.strip() for turn in said]


@given(st.text())
def test_any_text_is_a_dialogue_or_a_clear_error(line: str) -> None:
    try:
        parsed = parse_dialogue(line)
    except DataError as error:
        parsed = [str(error)]
    assert all(parsed)


@pytest.mark.parametrize(
    "line",
    ["[1]", "{}", '{"turns": []}', '{"turns": "Hi"}', '{"turns": [1]}', '{"turns": ["Hi", " "]}', "x", "[" * 10**5],
)
def test_what_is_no_dialogue_is_refused(line: str) -> None:
    with pytest.raises(DataError):
        parse_dialogue(line)


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(DataError, match="surrogate"):
        parse_dialogue(r'{"turns": ["\ud83d"]}')


@pytest.mark.parametrize(
    ("suffix", "compress"), [(".jsonl", bytes), (".jsonl.gz", gzip.compress), (".jsonl.xz", lzma.compress)]
)
def test_plain_and_packed_files_read_alike(tmp_path: Path, suffix: str, compress: Callable[[bytes], bytes]) -> None:
    path = tmp_path / f"dialogues{suffix}"
    path.write_bytes(compress('{"turns": ["Hi", "Grüezi"]}\n\n{"turns": ["Bye"]}\n'.encode()))
    assert list(read_dialogues(path)) == [["Hi", "Grüezi"], ["Bye"]]


def test_a_bad_line_is_named_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "dialogues.jsonl"
    path.write_text('{"turns": ["Hi"]}\n\n{"turn": ["Hi"]}\n')
    with pytest.raises(DataError, match=r"dialogues\.jsonl, line 3: expected an object"):
        list(read_dialogues(path))


def test_missing_empty_and_damaged_files_say_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        list(read_dialogues(tmp_path / "none.jsonl"))
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(DataError, match="holds no dialogues"):
        list(read_dialogues(tmp_path / "empty.jsonl"))
    for name in ("a.jsonl.xz", "a.jsonl.gz"):
        (tmp_path / name).write_bytes(b"not packed")
        with pytest.raises(DataError, match="cannot be read"):
            list(read_dialogues(tmp_path / name))


def test_a_file_is_read_as_often_as_it_asks(write: Callable[..., Path]) -> None:
    once, thrice = write([["a"]], "once.jsonl"), write([["b"]], "thrice.jsonl")
    assert read_mixture([str(once), f"{thrice}@3"]) == [["a"], ["b"], ["b"], ["b"]]


def test_every_turn_is_followed_by_eos(tiny: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    ids = encode_dialogue(tokenizer, ["Hello!", "Hi there."])
    ends = [place for place, token in enumerate(ids) if token == tokenizer.eos_token_id]
    assert len(ends) == 2
    assert ends[-1] == len(ids) - 1
    assert tokenizer.decode(ids[: ends[0]]) == "Hello!"
    assert tokenizer.decode(ids[ends[0] + 1 : ends[1]]) == "Hi there."


def test_a_typed_end_of_text_makes_no_turn(tiny: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    ids = encode_dialogue(tokenizer, ["a <|endoftext|> b"])
    assert ids.count(tokenizer.eos_token_id) == 1
    assert tokenizer.decode(ids[:-1]) == "a <|endoftext|> b"


@given(encoded, st.integers(7, 30), st.floats(0, 1), st.integers(0, 99))
def test_packing_keeps_every_dialogue_whole_once_a_pass(
    said: list[list[int]], block: int, joined: float, seed: int
) -> None:
    blocks = pack(said, EOS, block, positions=64, joined=joined, passes=2, seed=seed)
    scored = sum(int((row != IGNORED).sum()) for row in blocks.labels)
    longest = 2 * sum(len(ids) - 1 for ids in said)
    assert scored <= longest
    if joined == 0:
        assert scored == longest
    assert blocks.input_ids.shape == blocks.position_ids.shape == blocks.labels.shape
    assert blocks.input_ids.shape[1] == block
    known = blocks.labels != IGNORED
    assert np.array_equal(blocks.labels[known], blocks.input_ids[known])
    assert blocks.position_ids.min() >= 0
    assert blocks.position_ids.max() < 64


def test_plain_blocks_restart_positions_and_joined_ones_run_on() -> None:
    said = [[1, 2, EOS, 3, EOS], [4, EOS, 5, EOS]]
    plain = pack(said, EOS, 10, joined=0)
    assert plain.position_ids.tolist() == [[0, 1, 2, 3, 4, 0, 1, 2, 3, 0]] or plain.position_ids.tolist() == [
        [0, 1, 2, 3, 0, 1, 2, 3, 4, 0]
    ]
    joined = pack(said, EOS, 10, positions=100, joined=1)
    steps = np.diff(joined.position_ids.astype(int))
    assert (steps == 1).all()
    second = joined.input_ids[0].tolist().index(EOS, joined.input_ids[0].tolist().index(EOS) + 1) + 1
    assert joined.labels[0, second] == IGNORED, "the opening of a later dialogue carries no loss"


def test_a_backward_model_reads_each_answer_before_its_source() -> None:
    assert reverse_pairs([["a", "b", "c"], ["alone"]]) == [["b", "a"], ["c", "b"]]


def test_a_given_opening_carries_no_loss() -> None:
    blocks = pack([[1, 2, EOS, 3, EOS], [4, EOS, 5, EOS]], EOS, 10, joined=0, opening_given=True)
    assert sorted(blocks.labels[blocks.labels != IGNORED].tolist()) == sorted([3, EOS, 5, EOS])


def test_the_trainer_gets_integer_tensors() -> None:
    item = PackedDialogues(pack([[1, EOS]], EOS, 4))[0]
    assert set(item) == {"input_ids", "position_ids", "labels"}
    assert all(list(value.shape) == [4] and not value.is_floating_point() for value in item.values())
