"""From a run to a folder that ships: half precision, tokenizer and configuration, nothing of the training."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig
from transformers.trainer_utils import get_last_checkpoint

from .data import DataError

PORTABLE = {"bos_token", "eos_token", "clean_up_tokenization_spaces", "model_max_length"}
"""What any version of transformers needs to know of a tokenizer; the rest describes the one that wrote it."""


def find_model(run: str | Path) -> Path:
    """The folder with the weights: the given one, else its ``final``, else its newest checkpoint.

    Raises:
        DataError: There is none.
    """
    run = Path(run)
    if not run.is_dir():
        raise DataError(f"{run}: no such folder")
    checkpoint = get_last_checkpoint(str(run))
    for folder in (run, run / "final", Path(checkpoint) if checkpoint else run):
        if (folder / "config.json").is_file():
            return folder
    raise DataError(f"{run}: holds no model and no checkpoint")


def export(run: str | Path, target: str | Path) -> int:
    """Writes weights (float16), tokenizer and configuration; other files in ``target`` stay.

    Every file is written beside its place and then moved there, so that readers never see half of one.

    Args:
        run: A run's folder, a checkpoint or any model folder.
        target: Where to; made if needed.

    Returns:
        The size of the weights in bytes.
    """
    source = find_model(run)
    model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float16)
    tokenizer = AutoTokenizer.from_pretrained(source)
    target = Path(target)
    target.mkdir(parents=True, exist_ok=True)
    eos = tokenizer.eos_token_id
    model.config.use_cache = True
    model.generation_config = GenerationConfig(bos_token_id=eos, eos_token_id=eos)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        settings = Path(folder, "tokenizer_config.json")
        kept = {key: value for key, value in json.loads(settings.read_text()).items() if key in PORTABLE}
        kept["tokenizer_class"] = "PreTrainedTokenizerFast"
        settings.write_text(json.dumps(kept, indent=2) + "\n")
        for file in sorted(Path(folder).iterdir()):
            file.chmod(0o644)
            shutil.move(file, target / file.name)
    return (target / "model.safetensors").stat().st_size
