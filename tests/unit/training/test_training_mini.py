"""The embedded model as it ships."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

import dialogpt_widget.training
from dialogpt_widget.training.data import encode_dialogue
from dialogpt_widget.training.evaluate import answer, load, prompts

MINI = Path(dialogpt_widget.training.__file__).parents[1] / "mini"
TOKENIZER = AutoTokenizer.from_pretrained(MINI)


@pytest.fixture(scope="module")
def mini() -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    return load(str(MINI), cpu=True)


def test_it_is_small_and_shaped_like_dialogpt(mini: tuple[PreTrainedModel, PreTrainedTokenizerBase]) -> None:
    model, tokenizer = mini
    assert (MINI / "model.safetensors").stat().st_size <= 12e6
    assert model.config.model_type == "gpt2"
    assert model.config.n_positions == 1024
    assert model.config.vocab_size == len(tokenizer)
    assert tokenizer.eos_token == tokenizer.bos_token == "<|endoftext|>"
    assert tokenizer.eos_token_id == model.config.eos_token_id == model.config.bos_token_id
    assert tokenizer.pad_token is None


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_its_vocabulary(text: str) -> None:
    ids = TOKENIZER.encode(text, split_special_tokens=True)
    assert TOKENIZER.eos_token_id not in ids
    assert TOKENIZER.decode(ids) == text


def test_it_ends_its_turns_and_says_what_it_is(mini: tuple[PreTrainedModel, PreTrainedTokenizerBase]) -> None:
    assert "mini" in answer(*mini, "What is your name?", sample=False)
    assert len(answer(*mini, "Hello!", sample=False)) < 120


def test_all_positions_of_its_window_can_be_used(mini: tuple[PreTrainedModel, PreTrainedTokenizerBase]) -> None:
    model, tokenizer = mini
    ids = torch.tensor([(encode_dialogue(tokenizer, ["Hello!", "Hi! How are you?"]) * 99)[:1024]])
    assert torch.isfinite(model(ids).logits).all()


def test_its_card_shows_every_prompt_of_the_gate() -> None:
    card = (MINI / "README.md").read_text(encoding="utf-8")
    assert "6 M parameters, not DialoGPT" in card
    assert [prompt for prompt in prompts() if f"| {prompt} |" not in card] == []
