"""Dialogues from files, a vocabulary learned from them, and their packing into training blocks.

A dialogue is a list of turns. For the model it is every turn's ids followed by EOS, exactly as DialoGPT reads it.
"""

from __future__ import annotations

import gzip
import json
import lzma
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import IO, Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor, from_numpy
from torch.utils.data import Dataset
from transformers import PreTrainedTokenizerFast

IGNORED = -100
"""The label that the loss skips."""

Dialogue = list[str]


class DataError(ValueError):
    """A file of dialogues cannot be used; the message says which line and why."""


class Encoder(Protocol):
    """What is needed of a tokenizer."""

    @property
    def eos_token_id(self) -> int:
        """The id that ends a turn."""

    def encode(self, text: str, *, add_special_tokens: bool = ..., split_special_tokens: bool = ...) -> list[int]:
        """The ids of a text."""


def open_text(path: Path) -> IO[str]:
    """Opens a text file for reading, unpacking ``.xz`` and ``.gz``."""
    if path.suffix == ".xz":
        return lzma.open(path, "rt", encoding="utf-8")
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")


def parse_dialogue(line: str) -> Dialogue:
    """Reads one line of JSONL.

    Args:
        line: A JSON object with a list of strings under ``turns``; other keys are ignored.

    Returns:
        The turns, stripped of surrounding blanks.

    Raises:
        DataError: The line is not such an object, or a turn is empty.
    """
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"not valid JSON ({error})") from None
    turns = record.get("turns") if isinstance(record, dict) else None
    if not isinstance(turns, list) or not turns:
        raise DataError('expected an object like {"turns": ["Hello!", "Hi there."]}')
    for number, turn in enumerate(turns, 1):
        if not isinstance(turn, str) or not turn.strip():
            raise DataError(f"turn {number} is empty or not a string")
        if any("\ud800" <= char <= "\udfff" for char in turn):
            raise DataError(f"turn {number} holds half of a surrogate pair, which is no text")
    return [turn.strip() for turn in turns]


def read_dialogues(path: str | Path) -> Iterator[Dialogue]:
    """Yields the dialogues of a JSONL file, plain or ``.gz`` or ``.xz``, one a line; blank lines are skipped.

    Raises:
        DataError: The file is missing, cannot be unpacked, holds a bad line (named by its number), or is empty.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    empty = True
    try:
        with open_text(path) as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                try:
                    dialogue = parse_dialogue(line)
                except DataError as error:
                    raise DataError(f"{path}, line {number}: {error}") from None
                empty = False
                yield dialogue
    except (OSError, EOFError, lzma.LZMAError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error
    if empty:
        raise DataError(f"{path}: holds no dialogues")


def read_mixture(sources: Iterable[str]) -> list[Dialogue]:
    """Reads several files, each as often as it asks for.

    Args:
        sources: Paths, each optionally followed by ``@N`` to read that file N times.
    """
    mixture: list[Dialogue] = []
    for source in sources:
        path, repeats = path_and_repeats(source)
        mixture += list(read_dialogues(path)) * repeats
    return mixture


def path_and_repeats(source: str) -> tuple[str, int]:
    """Splits ``FILE@3``; a plain path is read once."""
    path, at, times = source.rpartition("@")
    return (path, int(times)) if at and times.isdigit() else (source, 1)


def encode_dialogue(tokenizer: Encoder, turns: Iterable[str]) -> list[int]:
    """The ids of a dialogue: each turn's, followed by EOS."""
    ids: list[int] = []
    for turn in turns:
        ids += tokenizer.encode(turn, add_special_tokens=False, split_special_tokens=True)
        ids.append(tokenizer.eos_token_id)
    return ids


def reverse_pairs(dialogues: Iterable[Dialogue]) -> list[Dialogue]:
    """What a backward model reads: of each two turns that follow each other the second, then the first."""
    return [[answer, source] for dialogue in dialogues for source, answer in pairwise(dialogue)]


@dataclass(frozen=True)
class Blocks:
    """Packed dialogues, every array of shape [blocks, block]."""

    input_ids: NDArray[np.int32]
    position_ids: NDArray[np.int16]
    labels: NDArray[np.int32]


def pack(
    dialogues: Sequence[Sequence[int]],
    eos: int,
    block: int,
    *,
    positions: int | None = None,
    joined: float = 0.25,
    passes: int = 1,
    seed: int = 0,
    opening_given: bool = False,
) -> Blocks:
    """Packs encoded dialogues into blocks of equal length; only one that is longer than a block is cut.

    In a plain block each dialogue starts at position 0 and sees only itself. In a joined one the dialogues follow each
    other as a chat that changes its topic: positions run on, in half of these blocks from 0 and in half from anywhere
    in the window, so that all positions are learned, and the opening turn of each later dialogue, which nothing before
    it announces, carries no loss. Space that nothing fits is filled with EOS, without loss.

    Args:
        dialogues: Ids of each dialogue, EOS after every turn.
        eos: The id of EOS.
        block: Tokens a block.
        positions: The model's window, within which joined blocks start; the block alone by default.
        joined: The share of joined blocks.
        passes: How often every dialogue is used, each time in a new order.
        seed: Orders the dialogues.
        opening_given: Whether every dialogue's opening turn carries no loss, as in `reverse_pairs`.
    """
    dice = random.Random(seed)
    rows: list[tuple[list[int], list[int], list[int]]] = []
    for _ in range(passes):
        queue = [list(ids[:block]) for ids in dialogues]
        dice.shuffle(queue)
        while queue:
            anywhere = dice.randrange((positions or block) - block + 1)
            offset = dice.choice((0, anywhere)) if dice.random() < joined else None
            rows.append(_fill(queue, eos, block, offset, opening_given=opening_given))
    return Blocks(
        np.array([row[0] for row in rows], np.int32).reshape(-1, block),
        np.array([row[1] for row in rows], np.int16).reshape(-1, block),
        np.array([row[2] for row in rows], np.int32).reshape(-1, block),
    )


def _fill(
    queue: list[list[int]], eos: int, block: int, offset: int | None, *, opening_given: bool, lookahead: int = 64
) -> tuple[list[int], list[int], list[int]]:
    """Takes dialogues off the queue's end, the first of a few that fits, until the block is full.

    With an offset the block is a joined one whose positions start there.
    """
    ids: list[int] = []
    places: list[int] = []
    labels: list[int] = []

    def place(count: int) -> range:
        start = 0 if offset is None else offset + len(ids)
        return range(start, start + count)

    while queue and len(ids) < block:
        room = block - len(ids)
        fitting = (i for i in range(len(queue) - 1, max(-1, len(queue) - 1 - lookahead), -1) if len(queue[i]) <= room)
        index = next(fitting, None)
        if index is None:
            break
        dialogue = queue.pop(index)
        unannounced = offset is not None and bool(ids)
        silent = dialogue.index(eos) + 1 if (opening_given or unannounced) and eos in dialogue else 1
        places += place(len(dialogue))
        labels += [IGNORED] * silent + dialogue[silent:]
        ids += dialogue
    rest = block - len(ids)
    return ids + [eos] * rest, [*places, *place(rest)], labels + [IGNORED] * rest


class PackedDialogues(Dataset[dict[str, Tensor]]):
    """Blocks as the Trainer wants them; transformers keeps the dialogues of a block apart where positions restart."""

    def __init__(self, blocks: Blocks) -> None:
        self.blocks = blocks

    def __len__(self) -> int:
        return len(self.blocks.input_ids)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {
            "input_ids": from_numpy(self.blocks.input_ids[index].astype(np.int64)),
            "position_ids": from_numpy(self.blocks.position_ids[index].astype(np.int64)),
            "labels": from_numpy(self.blocks.labels[index].astype(np.int64)),
        }


EOS = "<|endoftext|>"
"""Ends every turn; as in GPT-2 also the beginning of text."""


def learn_vocabulary(turns: Iterable[str], size: int = 3584, positions: int = 1024) -> PreTrainedTokenizerFast:
    """Learns a vocabulary like GPT-2's: any text is representable, EOS = BOS, no pad token.

    Args:
        turns: The texts to learn from.
        size: Entries, the 256 bytes and EOS included; fewer if the texts do not offer as many merges.
        positions: The model's longest input, in tokens.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[EOS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(turns, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=EOS,
        eos_token=EOS,
        model_max_length=positions,
        clean_up_tokenization_spaces=False,
    )
