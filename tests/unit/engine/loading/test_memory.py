"""Memory that a model took for a while is given back: after it was converted, and after it was let go."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from builders import byte_tokenizer, chat_model, save_folder
from safetensors.torch import load_file
from transformers import GPT2Config, GPT2LMHeadModel

from dialogpt_widget.engine.loading import memory
from dialogpt_widget.engine.loading.loader import load
from dialogpt_widget.engine.loading.memory import release_memory

GUARD = 120
MIB = 1 << 20
SCRIPT = """
import sys
import psutil
from dialogpt_widget import ChatModel
import dialogpt_widget.engine.model

def resident():
    return psutil.Process().memory_info().rss

ChatModel.from_pretrained("mini", device="cpu", precision=sys.argv[2])
before = resident()
model = ChatModel.from_pretrained(sys.argv[1], device="cpu", precision=sys.argv[2])
print(resident() - before)
del model
print(resident() - before)
"""
on_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="other systems map files and keep freed memory in ways of their own"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of 26 million parameters in float32."""
    torch.manual_seed(0)
    network = GPT2LMHeadModel(
        GPT2Config(vocab_size=300, n_positions=64, n_embd=512, n_layer=8, n_head=8, bos_token_id=299, eos_token_id=299)
    )
    return save_folder(tmp_path_factory.mktemp("models") / "wide", network, byte_tokenizer())


@pytest.fixture(scope="module")
def halved(folder: Path) -> Path:
    """The same in float16, as a pickle."""
    narrow = {name: weight.half() for name, weight in load_file(folder / "model.safetensors").items()}
    shutil.copytree(folder, folder.with_name("halved"), ignore=shutil.ignore_patterns("*.safetensors"))
    torch.save(narrow, folder.with_name("halved") / "pytorch_model.bin")
    return folder.with_name("halved")


@on_linux
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "int8"])
def test_a_model_that_is_let_go_leaves_nothing(halved: Path, precision: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, str(halved), precision]
    one_heap = os.environ | {"MALLOC_ARENA_MAX": "1"}  # of several each keeps some, more or less by chance
    one_heap["XDG_CACHE_HOME"] = str(tmp_path)  # so that what the precision costs is measured with the first model, too
    told = subprocess.run(
        command, capture_output=True, text=True, timeout=GUARD, check=True, env=one_heap
    ).stdout.split()
    held, left = (int(number) / MIB for number in told)
    assert held > 20
    assert left < 10


@on_linux
@pytest.mark.parametrize("precision", ["float16", "bfloat16", "int8"])
def test_what_is_converted_keeps_no_file_in_memory(folder: Path, precision: str) -> None:
    loaded = load(str(folder), device="cpu", precision=precision)
    assert str(folder) not in Path("/proc/self/maps").read_text()
    del loaded


@on_linux
def test_in_float32_a_file_in_float32_is_mapped(folder: Path) -> None:
    loaded = load(str(folder), device="cpu")
    assert str(folder) in Path("/proc/self/maps").read_text()
    del loaded


def test_gpus_give_back_too(monkeypatch: pytest.MonkeyPatch) -> None:
    emptied = []
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append("cuda"))
    monkeypatch.setattr(torch.mps, "empty_cache", lambda: emptied.append("mps"))
    for device in ("cuda", "mps", "cpu"):
        release_memory(torch.device(device))
    assert emptied == ["cuda", "mps"]


def test_a_model_gives_back_once_it_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    given = []
    monkeypatch.setattr("dialogpt_widget.engine.model.release_memory", lambda device: given.append(device.type))
    model = chat_model()
    assert not given
    del model
    assert given == ["cpu"]


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "ctypes", SimpleNamespace(CDLL=lambda _: SimpleNamespace()))
    memory._gnu.cache_clear()
    try:
        assert memory._gnu() is None
        release_memory(torch.device("cpu"))
    finally:
        memory._gnu.cache_clear()
