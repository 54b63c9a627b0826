"""GPT-2 from a checkpoint's files, without transformers: configuration, weights, tokenizer.

Importing transformers' modelling and tokenizer modules takes longer than everything else between a name and a first
word. What is unusual in a folder is left to transformers: the functions here return None for it.
"""

from __future__ import annotations

import json
import threading
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers.utils import logging as transformers_logging

from dialogpt_widget.engine.models.base import GPT2Shape
from dialogpt_widget.engine.tokenizer import FastTokenizer, TransformersTokenizer

_GELU = ("gelu_new", "gelu_pytorch_tanh")
_USUAL = {"scale_attn_weights": True, "scale_attn_by_inverse_layer_idx": False, "add_cross_attention": False}
_GPT2_TOKENIZERS = (None, "GPT2Tokenizer", "GPT2TokenizerFast")
_ANY_FAST = ("PreTrainedTokenizerFast", "TokenizersBackend")
_EOS = "<|endoftext|>"


def read_shape(folder: Path) -> GPT2Shape | None:
    """The shape of the GPT-2 in a folder; None if it is another architecture or an unusual GPT-2.

    Raises:
        ValueError: config.json is damaged.
    """
    config = _json(folder / "config.json")
    if config.get("model_type") != "gpt2" or config.get("activation_function", _GELU[0]) not in _GELU:
        return None
    if any(config.get(name, usual) != usual for name, usual in _USUAL.items()) or "quantization_config" in config:
        return None
    width = int(config.get("n_embd", 768))
    return GPT2Shape(
        layers=int(config.get("n_layer", 12)),
        width=width,
        heads=int(config.get("n_head", 12)),
        inner=int(config.get("n_inner") or 4 * width),
        positions=int(config.get("n_positions", 1024)),
        vocabulary=int(config.get("vocab_size", 50257)),
        epsilon=float(config.get("layer_norm_epsilon", 1e-5)),
        tied=bool(config.get("tie_word_embeddings", True)),
    )


def read_weights(
    files: Iterable[Path], shape: GPT2Shape, dtype: torch.dtype | None, device: torch.device, advance: Advance
) -> dict[str, torch.Tensor]:
    """The weights of a GPT-2, by the names of `GPT2Shape.weights`, read and converted one by one.

    What is neither converted nor moved stays mapped from its file.

    Args:
        files: safetensors, or pickles, which are read with `weights_only`.
        shape: what they must fit.
        dtype: to convert to; None leaves them as they are stored.
        device: to put them on.
        advance: called with the share that has been read.

    Raises:
        ValueError: weights are missing or of another shape.
        Exception: what torch and safetensors raise for damaged files.
    """
    wanted, found = shape.weights(), {}
    for stored_name, weight in _stored(files):
        name = stored_name.removeprefix("transformer.")
        if name in wanted and name not in found and tuple(weight.shape) == wanted[name]:
            found[name] = weight.to(device, dtype or weight.dtype)
            advance(len(found) / len(wanted))
    lacking = sorted(wanted.keys() - found.keys())
    if lacking:
        raise ValueError(f"{len(lacking)} of its weights are missing or of another shape, {lacking[0]} for one.")
    return found


def read_state_dict(file: Path) -> dict[str, torch.Tensor]:
    """The weights in a file by the names of `GPT2Shape.weights`, as they are stored.

    The output layer of DialoGPT's own backward models is called `lm_head.decoder`.

    Raises:
        Exception: what torch and safetensors raise for damaged files.
    """
    return {
        name.removeprefix("transformer.").replace("lm_head.decoder.", "lm_head."): weight
        for name, weight in _stored([file])
    }


def read_weight(files: Iterable[Path], wanted: str) -> torch.Tensor:
    """One weight by the name under which it is stored.

    Raises:
        ValueError: it is not there.
    """
    for name, weight in _stored(files):
        if name == wanted:
            return weight.clone()
    raise ValueError(f"Its {wanted} is missing.")


def read_fast_tokenizer(folder: Path, vocabulary: int) -> FastTokenizer | None:
    """The tokenizer in a folder; None if only transformers knows how it is meant.

    Args:
        folder: with `tokenizer.json`, or `vocab.json` and `merges.txt`.
        vocabulary: number of ids that the model knows.

    Raises:
        Exception: what tokenizers raises for damaged files.
    """
    config = _json(folder / "tokenizer_config.json") | _json(folder / "special_tokens_map.json")
    kind, whole = config.get("tokenizer_class"), folder / "tokenizer.json"
    if kind not in (*_GPT2_TOKENIZERS, *_ANY_FAST) or config.get("add_prefix_space"):
        return None
    spelled = config.get("eos_token", _EOS if kind in _GPT2_TOKENIZERS else None)
    eos = spelled.get("content") if isinstance(spelled, dict) else spelled
    tokenizer = Tokenizer.from_file(str(whole)) if whole.is_file() else _from_merges(folder, eos)
    if tokenizer is None or eos is None:
        return None
    for own_id, token in (config.get("added_tokens_decoder") or {}).items():
        if tokenizer.token_to_id(token["content"]) != int(own_id):
            return None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    eos_id = tokenizer.token_to_id(eos)
    if eos_id is None or eos_id >= vocabulary:
        return None
    tokenizer.add_special_tokens([AddedToken(eos, normalized=False)])
    return FastTokenizer(tokenizer, eos_id)


def _from_merges(folder: Path, eos: str | None) -> Tokenizer | None:
    vocabulary, merges = folder / "vocab.json", folder / "merges.txt"
    if not (vocabulary.is_file() and merges.is_file()) or eos not in _json(vocabulary):
        return None
    tokenizer = Tokenizer(models.BPE.from_file(str(vocabulary), str(merges)))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _stored(files: Iterable[Path]) -> Iterator[tuple[str, torch.Tensor]]:
    for file in files:
        if file.suffix == ".safetensors":
            with safe_open(file, "pt") as tensors:
                for name in tensors.keys():  # noqa: SIM118 - it is no mapping
                    yield name, tensors.get_tensor(name)
        else:
            mapped = zipfile.is_zipfile(file)  # pickles older than PyTorch 1.6 cannot be mapped
            yield from torch.load(file, map_location="cpu", weights_only=True, mmap=mapped).items()


def _json(file: Path) -> dict[str, Any]:
    content = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    if not isinstance(content, dict):
        raise ValueError(f"{file.name} is not a JSON object.")  # noqa: TRY004 - a file's content, not an argument
    return content


_bars = threading.Lock()


def read_config(folder: Path) -> Any:
    """The model's configuration.

    Raises:
        Exception: what transformers raises for damaged and unknown ones.
    """
    from transformers import AutoConfig

    return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def read_tokenizer(folder: Path) -> Any:
    """The tokenizer of transformers.

    Raises:
        Exception: what transformers raises for damaged and unknown ones.
    """
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def wrap_tokenizer(tokenizer: Any) -> TransformersTokenizer | None:
    """The tokenizer of a tokenizer; None where nothing ends a text, so that it cannot hold a conversation."""
    return None if tokenizer.eos_token_id is None else TransformersTokenizer(tokenizer)


def read_model(folder: Path, config: Any, dtype: torch.dtype, *, safetensors: bool, advance: Advance) -> Any:
    """The model on the CPU, in evaluation mode.

    Args:
        folder: holds its weights; pickles are read with `weights_only`.
        config: from `read_config`.
        dtype: to convert to.
        safetensors: whether its weights are safetensors.
        advance: called with the share of the weights that is loaded.

    Raises:
        ValueError: weights are missing or of another shape, which transformers would make up at random.
        Exception: what transformers raises for damaged files.
    """
    from transformers import AutoModelForCausalLM

    with _bars, _reporting(advance):
        model, report = AutoModelForCausalLM.from_pretrained(
            folder,
            config=config,
            dtype=dtype,
            local_files_only=True,
            trust_remote_code=False,
            weights_only=True,
            use_safetensors=safetensors,
            output_loading_info=True,
        )
    lacking = sorted(map(str, [*report["missing_keys"], *report["mismatched_keys"]]))
    if lacking:
        raise ValueError(f"{len(lacking)} of its weights are missing or of another shape, {lacking[0]} for one.")
    return model.eval()


@contextmanager
def _reporting(advance: Advance) -> Iterator[None]:
    """Turns transformers' progress bar into calls of `advance`, for as long as weights are loaded."""
    hook = getattr(transformers_logging, "set_tqdm_hook", None)
    shown = transformers_logging.is_progress_bar_enabled()

    def make(factory: Any, args: Any, options: Any) -> Any:
        items = list(args[0]) if args and args[0] is not None else []

        def walk() -> Iterator[Any]:
            for done, item in enumerate(items):
                yield item
                advance((done + 1) / len(items))

        return walk() if items else factory(*args, **options)

    transformers_logging.disable_progress_bar()
    before = hook(make) if hook else None
    try:
        yield
    finally:
        if hook:
            hook(before)
        if shown:
            transformers_logging.enable_progress_bar()


Advance = Callable[[float], None]
