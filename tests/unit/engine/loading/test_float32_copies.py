"""Small models that are stored in 16 bits are kept once in 32, and mapped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from builders import byte_tokenizer, random_gpt2, save_folder

from dialogpt_widget.engine.loading import loader as loading
from dialogpt_widget.engine.loading import precision as widened
from dialogpt_widget.engine.loading.loader import load


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "kept"
    monkeypatch.setattr(widened, "cache_path", folder.joinpath)
    return folder


def logits(name: str) -> torch.Tensor:
    return load(name, device="cpu").network.advance([1, 2, 3, 4])


def mapped(file: Path) -> bool:
    return str(file) in Path("/proc/self/maps").read_text()


def test_it_is_written_once_and_mapped(cache: Path) -> None:
    loaded = load("mini", device="cpu")
    (copy,) = cache.iterdir()
    assert copy.stat().st_size == pytest.approx(loaded.network.parameters * 4, rel=0.01)
    written = copy.stat().st_mtime_ns
    again = load("mini", device="cpu")
    assert copy.stat().st_mtime_ns == written
    assert [file.name for file in cache.iterdir()] == [copy.name]
    assert torch.equal(again.network.advance([5, 6]), loaded.network.advance([5, 6]))
    if Path("/proc/self/maps").exists():
        assert mapped(copy)


def test_it_says_what_the_stored_weights_say(monkeypatch: pytest.MonkeyPatch) -> None:
    wide = logits("mini")
    monkeypatch.setattr(loading, "LARGEST", 0)
    torch.testing.assert_close(wide, logits("mini"), rtol=1e-4, atol=1e-4)


def _empty(copy: Path) -> None:
    copy.write_bytes(b"")


def _cut(copy: Path) -> None:
    copy.write_bytes(copy.read_bytes()[:1000])


def _other(copy: Path) -> None:
    from safetensors.torch import save_file

    copy.unlink()
    save_file({"wte.weight": torch.zeros(3, 3)}, copy)


@pytest.mark.parametrize("damage", [_empty, _cut, _other])
def test_a_damaged_copy_is_written_anew(cache: Path, damage: Callable[[Path], None]) -> None:
    good = logits("mini")
    (copy,) = cache.iterdir()
    damage(copy)
    assert torch.equal(logits("mini"), good)
    assert copy.stat().st_size > 20_000_000


def test_where_nothing_can_be_written_the_model_loads_all_the_same(cache: Path) -> None:
    cache.write_text("a file where the folder would be")
    assert logits("mini").isfinite().all()


def test_two_models_do_not_meet(cache: Path, tmp_path: Path) -> None:
    first, second = (
        logits(str(save_folder(tmp_path / f"model-{seed}", random_gpt2(seed).half(), byte_tokenizer())))
        for seed in (1, 2)
    )
    assert not torch.allclose(first, second)
    assert len(list(cache.iterdir())) == 2


def test_other_precisions_and_float32_need_no_copy(cache: Path, tmp_path: Path) -> None:
    load("mini", device="cpu", precision="int8")
    load(str(save_folder(tmp_path / "wide", random_gpt2(), byte_tokenizer())), device="cpu")
    assert not list(cache.glob("*.safetensors"))
