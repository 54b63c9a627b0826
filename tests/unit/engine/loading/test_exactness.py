"""What a precision costs is measured on the weights, and kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from dialogpt_widget.engine.loading import precision as module
from dialogpt_widget.engine.loading.checkpoint import read_weights
from dialogpt_widget.engine.loading.loader import load
from dialogpt_widget.engine.loading.names import MINI_FOLDER
from dialogpt_widget.engine.loading.precision import CONTEXTS, Exactness, compare
from dialogpt_widget.engine.models.gpt2 import GPT2


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "kept" / "exactness.json"
    monkeypatch.setattr(module, "cache_path", file.with_name)
    return file


def test_kl_and_agreement_are_those_of_the_definitions() -> None:
    torch.manual_seed(0)
    exact, other = torch.log_softmax(torch.randn(2, 50, 30, dtype=torch.float64), -1)
    found = compare(exact, other)
    assert found.kl == pytest.approx(float(torch.nn.functional.kl_div(other, exact.exp(), reduction="batchmean")))
    assert found.agreement == pytest.approx(float((exact.argmax(-1) == other.argmax(-1)).double().mean()))
    assert found.positions == 50


def test_what_is_the_same_is_zero_apart() -> None:
    log = torch.log_softmax(torch.randn(5, 9), -1)
    assert compare(log, log) == Exactness(0.0, 1.0, 5)


@pytest.mark.parametrize(("precision", "most"), [("float16", 1e-9), ("bfloat16", 1e-3), ("int8", 0.02)])
def test_mini_in_other_precisions(precision: str, most: float) -> None:
    loaded = load("mini", device="cpu", precision=precision)
    assert loaded.exactness is not None
    assert 0 <= loaded.exactness.kl <= most
    assert 0.9 < loaded.exactness.agreement <= 1
    assert loaded.exactness.positions > 100
    assert not loaded.exactness.notable


def test_float32_has_nothing_to_measure(cache: Path) -> None:
    assert load("mini", device="cpu").exactness is None
    assert not cache.exists()


def test_it_is_measured_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load("mini", device="cpu", precision="int8").exactness
    assert len(json.loads(cache.read_text())) == 1
    monkeypatch.setattr(module, "compare", pytest.fail)
    assert load("mini", device="cpu", precision="int8").exactness == first


@pytest.mark.parametrize("content", ["", "[]", '{"k": 1}', "\x00"])
def test_a_damaged_memory_is_measured_over(cache: Path, content: str) -> None:
    cache.parent.mkdir()
    cache.write_text(content)
    assert load("mini", device="cpu", precision="int8").exactness is not None
    assert any(len(key) == 32 for key in json.loads(cache.read_text()))


def test_a_home_that_cannot_be_written_to_costs_time_alone(cache: Path) -> None:
    cache.parent.write_text("a file where the folder would be")
    assert load("mini", device="cpu", precision="int8").exactness is not None


def test_outliers_are_notable() -> None:
    """The same function with a few huge activations, as GPT-2's have them, does not survive int8."""
    loaded = load("mini", device="cpu")
    assert isinstance(loaded.network, GPT2)
    shape = loaded.network.shape
    weights = read_weights(
        [MINI_FOLDER / "model.safetensors"], shape, torch.float32, torch.device("cpu"), lambda _: None
    )
    for layer in range(shape.layers):
        for norm, after in (("ln_1", "attn.c_attn"), ("ln_2", "mlp.c_fc")):
            for part in ("weight", "bias"):
                weights[f"h.{layer}.{norm}.{part}"][::50] *= 300
            weights[f"h.{layer}.{after}.weight"][::50] /= 300
    network, found = module.measured(shape, weights, loaded.tokenizer, "int8")
    assert found.notable
    same = GPT2(shape, weights).advance([1, 2, 3])
    torch.testing.assert_close(same, loaded.network.advance([1, 2, 3]), rtol=1e-3, atol=1e-3)
    assert not torch.allclose(network.advance([1, 2, 3]), same, atol=1e-2)


def test_contexts_fit_the_shortest_model() -> None:
    codec = load("mini", device="cpu").tokenizer
    assert all(len(module._ids(turns, codec)) >= 20 for turns in CONTEXTS)
