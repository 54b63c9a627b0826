"""Models in folders: every format that DialoGPT comes in, and what is said of a folder that holds no model."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from builders import byte_tokenizer, random_gpt2, save_legacy_folder
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

from dialogpt_widget.engine.loading.loader import load
from dialogpt_widget.engine.model import ChatModel
from dialogpt_widget.engine.models.gpt2 import GPT2
from dialogpt_widget.errors import ModelError


def refusal(name: object, **options: Any) -> ModelError:
    with pytest.raises(ModelError) as caught:
        load(str(name), device="cpu", **options)
    error = caught.value
    assert str(error) == f"{error.title} {error.message}"
    assert "Traceback" not in str(error)
    return error


@pytest.fixture
def legacy(tmp_path: Path) -> Path:
    folder = tmp_path / "legacy"
    folder.mkdir()
    return save_legacy_folder(folder, random_gpt2(), byte_tokenizer())


def logits_of(network: Any) -> torch.Tensor:
    ids = [1, 2, 3, 299, 4]
    with torch.inference_mode():
        own = (
            network.unembed(network.states(ids)) if hasattr(network, "crop") else network(torch.tensor([ids])).logits[0]
        )
        return own.float()  # type: ignore[no-any-return]


def test_safetensors(folder: Path) -> None:
    loaded = load(str(folder), device="cpu")
    torch.testing.assert_close(logits_of(loaded.network), logits_of(random_gpt2()))
    assert (loaded.precision, loaded.device.type, loaded.revision) == ("float32", "cpu", None)


@pytest.mark.parametrize("prefix", ["transformer.", ""])
def test_half_precision_pickles_run_in_float32_on_a_cpu(tmp_path: Path, prefix: str) -> None:
    folder = save_legacy_folder(tmp_path, random_gpt2(), byte_tokenizer(), prefix=prefix)
    loaded = load(str(folder), device="cpu")
    assert loaded.network.states([1, 2]).dtype is torch.float32
    torch.testing.assert_close(logits_of(loaded.network), logits_of(random_gpt2().half().float()))


def test_safetensors_are_preferred_to_a_pickle(folder: Path) -> None:
    (folder / "pytorch_model.bin").write_bytes(b"no pickle")
    assert load(str(folder), device="cpu").network


@pytest.mark.parametrize(("precision", "lost"), [("bfloat16", True), ("float16", False), ("int8", True)])
def test_the_precision_asked_for(legacy: Path, precision: str, lost: bool) -> None:  # noqa: FBT001
    """What is stored in float16 loses nothing in float16, where the arithmetic is float32's."""
    loaded, exact = load(str(legacy), device="cpu", precision=precision), logits_of(load(str(legacy)).network)
    assert loaded.precision == precision
    error = float((logits_of(loaded.network) - exact).norm() / exact.norm())
    assert (1e-4 < error < 0.1) if lost else error < 1e-5
    assert loaded.exactness is not None
    assert (loaded.exactness.kl > 0) is lost


def test_the_embedded_model_tells_its_progress() -> None:
    told: list[tuple[str, float | None]] = []
    model = ChatModel.from_pretrained("mini", device="cpu", progress=lambda what, share: told.append((what, share)))
    shares = [share for _, share in told if share is not None]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert len(set(shares)) > 10
    assert told[0][0].startswith("Loading mini")
    assert (model.name, model.revision) == ("mini", None)
    assert "<ChatModel mini" in repr(model)


@pytest.mark.parametrize("share", [0, 0.5, 0.99])
@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_a_file_that_is_cut_off(folder: Path, legacy: Path, name: str, share: float) -> None:
    place = folder if name == "model.safetensors" else legacy
    data = (place / name).read_bytes()
    (place / name).write_bytes(data[: int(len(data) * share)])
    error = refusal(place)
    assert error.kind == "damaged"
    assert error.offers == ("mini",)
    assert place.name in str(error)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
def test_a_file_that_is_no_json(folder: Path, name: str) -> None:
    (folder / name).write_text("{")
    assert refusal(folder).kind == "damaged"


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_file_that_is_missing_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    error = refusal(folder)
    assert error.kind == "damaged"
    assert error.title.startswith(f"{folder} is not a model folder: ")
    assert name in error.title
    assert "Fetch it again" not in error.message


def test_weights_that_do_not_fit_the_config(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"n_embd": 64}))
    assert refusal(folder).kind == "damaged"


def test_weights_that_lack_a_layer_are_not_made_up(legacy: Path) -> None:
    state = torch.load(legacy / "pytorch_model.bin")
    del state["transformer.h.1.mlp.c_fc.weight"]
    torch.save(state, legacy / "pytorch_model.bin")
    assert refusal(legacy).kind == "damaged"


def test_a_pickle_with_code_is_refused_and_its_code_does_not_run(legacy: Path, tmp_path: Path) -> None:
    mark = tmp_path / "ran"

    class Payload:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(mark),)

    torch.save({"transformer.wte.weight": Payload()}, legacy / "pytorch_model.bin")
    assert refusal(legacy).kind == "damaged"
    (legacy / "pytorch_model.bin").write_bytes(pickle.dumps(Payload()))
    assert refusal(legacy).kind == "damaged"
    assert not mark.exists()


@pytest.mark.parametrize("model_type", ["gpt2", "homemade"])
def test_code_that_comes_with_a_model_never_runs(folder: Path, tmp_path: Path, model_type: str) -> None:
    mark = tmp_path / "ran"
    (folder / "code.py").write_text(f"import os\nos.mkdir({str(mark)!r})\nclass Config: pass\nclass Model: pass\n")
    config = json.loads((folder / "config.json").read_text()) | {
        "model_type": model_type,
        "auto_map": {"AutoConfig": "code.Config", "AutoModelForCausalLM": "code.Model"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    if model_type == "gpt2":
        assert isinstance(load(str(folder), device="cpu").network, GPT2)
    else:
        assert refusal(folder).kind in ("unsupported", "damaged")
    assert not mark.exists()


def test_a_tokenizer_without_end_of_text_is_refused(folder: Path) -> None:
    for file in folder.glob("tokenizer*"):
        file.unlink()
    core = Tokenizer(models.WordLevel({"a": 0, "[UNK]": 1}, unk_token="[UNK]"))
    PreTrainedTokenizerFast(tokenizer_object=core).save_pretrained(folder)
    error = refusal(folder)
    assert error.kind == "unsupported"
    assert "end-of-text" in error.message


def test_a_folder_without_a_tokenizer(folder: Path) -> None:
    for file in folder.glob("tokenizer*"):
        file.unlink()
    assert refusal(folder).kind in ("damaged", "unsupported")


@pytest.mark.parametrize("name", ["no/such/folder/here", "/no/such/folder", "a b", "what?", "x" * 5000, "~nobody/x"])
def test_a_name_that_is_neither_a_folder_nor_on_the_hub(name: str) -> None:
    error = refusal(name)
    assert error.kind == "not_found"
    assert "mini" in error.message


def test_an_empty_name_is_not_the_current_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert refusal("").kind == "not_found"


def test_a_folder_may_be_named_with_a_tilde(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder.parent))
    assert load(f"~/{folder.name}", device="cpu").name == f"~/{folder.name}"


def test_nothing_on_the_machine_and_no_network() -> None:
    error = refusal("someone/model")
    assert error.kind == "offline"
    assert error.offers == ("mini",)
    assert "not on this machine" in error.message
    assert '"mini"' in error.message


def snapshot(source: Path, name: str, commit: str = "c" * 40) -> Path:
    """Puts a folder into the hub's cache."""
    from huggingface_hub import constants

    home = Path(constants.HF_HUB_CACHE) / f"models--{name.replace('/', '--')}"
    (home / "refs").mkdir(parents=True, exist_ok=True)
    (home / "refs" / "main").write_text(commit)
    target = home / "snapshots" / commit
    shutil.copytree(source, target, dirs_exist_ok=True)
    return target


def test_what_the_hub_left_on_this_machine_loads_without_a_network(folder: Path) -> None:
    snapshot(folder, "someone/cached")
    loaded = load("someone/cached", device="cpu")
    assert (loaded.name, loaded.revision) == ("someone/cached", "c" * 40)


def test_half_a_snapshot_is_not_taken_for_a_model(folder: Path) -> None:
    target = snapshot(folder, "someone/half")
    (target / "model.safetensors").unlink()
    assert refusal("someone/half").kind == "offline"


def test_a_snapshot_that_lacks_a_shard_is_not_taken_for_a_model(folder: Path) -> None:
    target = snapshot(folder, "someone/sharded")
    weights = target / "model.safetensors"
    weights.rename(target / "model-00001-of-00002.safetensors")
    index = {
        "metadata": {},
        "weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"},
    }
    (target / "model.safetensors.index.json").write_text(json.dumps(index))
    assert refusal("someone/sharded").kind == "offline"
