"""Tiny random models: two narrow layers over bytes, built in a fixture, seconds to make and no network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from dialogpt_widget import ChatModel
from dialogpt_widget.engine.loading import Loaded

torch.set_num_threads(1)  # models this small only wait for a second thread
EOS = "<|endoftext|>"


def byte_tokenizer() -> PreTrainedTokenizerFast:
    """One id a byte, and EOS as the last."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(models.BPE(vocab={symbol: place for place, symbol in enumerate(alphabet)}, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=core, eos_token=EOS, bos_token=EOS)


def random_gpt2(seed: int = 0, *, positions: int = 1024, eagerness: float = 1.0) -> GPT2LMHeadModel:
    """A GPT-2 over bytes. `eagerness` scales the EOS row: the larger, the more often replies end."""
    torch.manual_seed(seed)
    shape = GPT2Config(
        vocab_size=257, n_positions=positions, n_embd=48, n_layer=2, n_head=3, bos_token_id=256, eos_token_id=256
    )
    model = GPT2LMHeadModel(shape).eval()
    with torch.no_grad():
        model.transformer.wte.weight.mul_(4)  # sharper distributions than the initialisation's
        model.transformer.wte.weight[256].mul_(eagerness)
    return model


@pytest.fixture(scope="session")
def make_model() -> Callable[..., ChatModel]:
    """Builds a tiny `ChatModel`; see `random_gpt2` for the arguments."""
    tokenizer = byte_tokenizer()

    def make(seed: int = 0, **shape: float) -> ChatModel:
        model = random_gpt2(seed, **shape)
        return ChatModel(Loaded(model, tokenizer, "tiny", None, torch.device("cpu"), "float32"))

    return make


@pytest.fixture
def tiny(make_model: Callable[..., ChatModel]) -> ChatModel:
    """A tiny model whose replies end now and then."""
    return make_model(eagerness=1.5)


@pytest.fixture(scope="session")
def mini() -> ChatModel:
    """The embedded model."""
    return ChatModel.from_pretrained("mini")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a tiny model as safetensors, and its tokenizer."""
    random_gpt2().save_pretrained(tmp_path)
    byte_tokenizer().save_pretrained(tmp_path)
    return tmp_path
