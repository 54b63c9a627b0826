"""The lean forward pass is GPT-2's, and reads the same files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from builders import byte_tokenizer, gpt2_tokenizer, lean, random_gpt2, save_folder
from replies import some_ids
from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel

from dialogpt_widget.engine.loading.checkpoint import read_fast_tokenizer, read_shape, read_weights
from dialogpt_widget.engine.loading.loader import load
from dialogpt_widget.engine.models.gpt2 import GPT2
from dialogpt_widget.engine.models.kv_cache import KVCache
from dialogpt_widget.engine.models.transformers_network import TransformersCausalLM

CPU = torch.device("cpu")


def expected(network: Any, ids: list[int]) -> torch.Tensor:
    return network(torch.tensor([ids])).logits[0]  # type: ignore[no-any-return]


def _logits(network: Any, ids: list[int]) -> torch.Tensor:
    return network.unembed(network.states(ids))  # type: ignore[no-any-return]


@torch.inference_mode()
@pytest.mark.parametrize("seed", range(5))
def test_logits_equal_transformers(seed: int) -> None:
    network = random_gpt2(seed, spread=0.2)
    for ids in ([7], some_ids(100, seed), some_ids(256, seed)):
        torch.testing.assert_close(_logits(lean(network), ids), expected(network, ids), rtol=1e-4, atol=1e-4)


@torch.inference_mode()
@pytest.mark.parametrize("pieces", [[1] * 40, [40], [3, 1, 30, 6], [130, 1, 100, 25]])
def test_pieces_give_what_the_whole_gives(pieces: list[int]) -> None:
    network = random_gpt2(1)
    ids = some_ids(sum(pieces))
    engine, read = lean(network), 0
    for size in pieces:
        logits = engine.advance(ids[read : read + size])
        read += size
        torch.testing.assert_close(logits, expected(network, ids[:read])[-1], rtol=1e-4, atol=1e-4)


@torch.inference_mode()
def test_a_cropped_cache_goes_on_from_what_it_keeps() -> None:
    network = random_gpt2(2)
    engine, ids = lean(network), some_ids(60)
    engine.advance(ids)
    engine.crop(20)
    other = [*ids[:20], *some_ids(15, 9)]
    torch.testing.assert_close(engine.advance(other[20:]), expected(network, other)[-1], rtol=1e-4, atol=1e-4)


@torch.inference_mode()
def test_sequences_of_one_batch_do_not_mix() -> None:
    network = random_gpt2(3)
    engine, cache = lean(network), KVCache()
    batch = torch.tensor([some_ids(30, 1), some_ids(30, 2), some_ids(30, 3)])
    hidden = torch.cat([engine.forward(batch[:, :25], cache), engine.forward(batch[:, 25:], cache)], 1)
    torch.testing.assert_close(engine.unembed(hidden), network(batch).logits, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "unusual",
    [
        {"activation_function": "relu"},
        {"scale_attn_by_inverse_layer_idx": True},
        {"scale_attn_weights": False},
    ],
)
def test_an_unusual_gpt2_is_left_to_transformers(tmp_path: Path, unusual: dict[str, Any]) -> None:
    config = GPT2Config(n_layer=1, n_embd=16, n_head=2, vocab_size=300, eos_token_id=299, **unusual)
    network = GPT2LMHeadModel(config).eval()
    folder = save_folder(tmp_path, network, byte_tokenizer())
    assert read_shape(folder) is None
    loaded = load(str(folder), device="cpu")
    assert isinstance(loaded.network, TransformersCausalLM)
    torch.testing.assert_close(_logits(loaded.network, [1, 2, 3]), expected(network, [1, 2, 3]))


def test_an_output_layer_of_its_own_is_used(tmp_path: Path) -> None:
    config = GPT2Config(n_layer=1, n_embd=16, n_head=2, n_inner=40, vocab_size=300, tie_word_embeddings=False)
    network = GPT2LMHeadModel(config).eval()
    torch.nn.init.normal_(network.lm_head.weight)
    loaded = load(str(save_folder(tmp_path, network, byte_tokenizer())), device="cpu")
    assert isinstance(loaded.network, GPT2)
    torch.testing.assert_close(_logits(loaded.network, [1, 2, 3]), expected(network, [1, 2, 3]))
    assert loaded.network.parameters == sum(weight.numel() for weight in network.parameters())


def test_shards_and_their_progress(tmp_path: Path) -> None:
    network = random_gpt2(4)
    network.save_pretrained(tmp_path, max_shard_size="40KB")
    files = sorted(tmp_path.glob("model-*.safetensors"))
    shape, told = read_shape(tmp_path), []
    assert shape is not None
    assert len(files) > 1
    engine = GPT2(shape, read_weights(files, shape, torch.float32, CPU, told.append))
    torch.testing.assert_close(_logits(engine, [1, 2, 3]), expected(network, [1, 2, 3]), rtol=1e-4, atol=1e-4)
    assert told == sorted(told)
    assert told[-1] == 1.0
    with pytest.raises(ValueError, match="of its weights are missing"):
        read_weights(files[1:], shape, torch.float32, CPU, told.append)


def published(folder: Path) -> Path:
    """DialoGPT's tokenizer files as they are on the hub: vocabulary and merges, no tokenizer.json."""
    core = json.loads(gpt2_tokenizer().backend_tokenizer.to_str())["model"]
    (folder / "vocab.json").write_text(json.dumps(core["vocab"]))
    merges = "\n".join(" ".join(pair) if isinstance(pair, list) else pair for pair in core["merges"])
    (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}\n")
    (folder / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    return folder


@pytest.mark.parametrize("config", [None, {"model_max_length": 1024}, {"tokenizer_class": "GPT2Tokenizer"}])
def test_vocabulary_and_merges_read_as_transformers_reads_them(tmp_path: Path, config: dict[str, Any] | None) -> None:
    folder = published(tmp_path)
    if config is not None:
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
    codec, theirs = read_fast_tokenizer(folder, 50257), AutoTokenizer.from_pretrained(folder)
    assert codec is not None
    assert codec.eos == theirs.eos_token_id == 50256
    for text in ("Hi there!", "  two  spaces\n\n", "naïve 😀", "don't", "<|endoftext|>", "١٢٣ a1b2"):
        assert codec.encode(text) == theirs(text, split_special_tokens=True)["input_ids"]
        assert codec.decode(codec.encode(text)) == text


@pytest.mark.parametrize(
    "config",
    [
        {"tokenizer_class": "BertTokenizer"},
        {"add_prefix_space": True},
        {"tokenizer_class": "PreTrainedTokenizerFast"},
        {"eos_token": "<end>"},
        {"added_tokens_decoder": {"7": {"content": "<|endoftext|>"}}},
    ],
)
def test_a_tokenizer_that_is_meant_in_another_way_is_left_to_transformers(
    tmp_path: Path, config: dict[str, Any]
) -> None:
    folder = published(tmp_path)
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    assert read_fast_tokenizer(folder, 50257) is None


def test_an_end_of_text_beyond_the_vocabulary_is_not_used(tmp_path: Path) -> None:
    assert read_fast_tokenizer(published(tmp_path), 50256) is None


def test_the_embedded_model_needs_no_modelling_code_of_transformers() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from dialogpt_widget import Chat; Chat('mini').send('Hi!');"
        "print([name for name in sys.modules if 'transformers' in name and 'modeling' in name])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
