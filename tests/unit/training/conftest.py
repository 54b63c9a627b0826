"""A few dialogues and a GPT-2 of two narrow layers: everything here takes seconds and no network."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from dialogpt_widget.training.data import learn_vocabulary

DIALOGUES = [
    ["Hello!", "Hi there."],
    ["How are you?", "I'm fine, thanks.", "Good.", "And you?"],
    ["Do you like soup?", "Yes, I do!"],
    ["Good night", "Sleep well."],
]


@pytest.fixture
def dialogues() -> list[list[str]]:
    """Four short dialogues."""
    return DIALOGUES


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes dialogues as JSONL and returns the path."""

    def write(dialogues: list[list[str]] = DIALOGUES, name: str = "dialogues.jsonl") -> Path:
        path = tmp_path / name
        path.write_text("".join(json.dumps({"turns": turns}) + "\n" for turns in dialogues), encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random two-layer GPT-2 and its tokenizer."""
    folder = tmp_path_factory.mktemp("tiny")
    tokenizer = learn_vocabulary((turn for turns in DIALOGUES for turn in turns), 300, 64)
    torch.manual_seed(0)
    shape = GPT2Config(vocab_size=len(tokenizer), n_positions=64, n_embd=32, n_layer=2, n_head=2)
    shape.bos_token_id = shape.eos_token_id = 0
    model = GPT2LMHeadModel(shape)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
