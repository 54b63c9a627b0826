"""Each precision multiplies as it says, also on a build of PyTorch that lacks the fast ways."""

from __future__ import annotations

import math

import pytest
import torch

from dialogpt_widget.engine.models import linear as module
from dialogpt_widget.engine.models.base import GPT2Shape
from dialogpt_widget.engine.models.gpt2 import GPT2
from dialogpt_widget.engine.models.linear import linears
from dialogpt_widget.errors import ModelError

CPU = torch.device("cpu")
PRECISIONS = {"float32": 1e-6, "float16": 5e-4, "bfloat16": 1e-2, "int8": 4e-2}


@pytest.fixture(params=["as built", "without the fast ways"])
def build(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param != "as built":
        has = module._has
        monkeypatch.setattr(module, "_has", lambda library, name: name == "linear_prepack" and has(library, name))
    return str(request.param)


def problem(rows: int, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(rows)
    return torch.randn(rows, 96), (torch.randn(96, 160) * 0.1).to(dtype), torch.randn(160).to(dtype)


def apart(made: torch.Tensor, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> float:
    exact = x.double() @ weight.double() + (0 if bias is None else bias.double())
    return float((made.double() - exact).norm() / exact.norm())


@pytest.mark.usefixtures("build")
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("rows", [1, 7, 40])
@pytest.mark.parametrize("biased", ["biased", "unbiased"])
def test_a_map_is_as_exact_as_its_precision(precision: str, rows: int, biased: str) -> None:
    x, weight, full = problem(rows)
    bias = full if biased == "biased" else None
    made = linears(precision, CPU)(weight, bias)(x)
    assert made.dtype is torch.float32
    error = apart(made, x, weight, bias)
    assert error < PRECISIONS[precision]
    if precision != "float32":
        assert error > 1e-6, "nothing was rounded"


@pytest.mark.usefixtures("build")
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("rows", [1, 7, 40])
def test_in_float32_nothing_is_lost_of_what_is_stored(dtype: torch.dtype, rows: int) -> None:
    x, weight, bias = problem(rows, dtype)
    x[:, 3] *= 100  # an outlier, as real GPT-2s have them
    assert apart(linears("float32", CPU)(weight, bias)(x), x, weight, bias) < 1e-6


@pytest.mark.usefixtures("build")
@pytest.mark.parametrize("precision", PRECISIONS)
def test_batches_are_their_rows(precision: str) -> None:
    x, weight, bias = problem(6)
    apply = linears(precision, CPU)(weight, bias)
    torch.testing.assert_close(apply(x.view(2, 3, 96)), apply(x).view(2, 3, 160), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
@pytest.mark.parametrize("shape", [(96,), (1, 96), (1, 1, 96), (2, 1, 96)])
@pytest.mark.parametrize("biased", ["biased", "unbiased"])
def test_threads_share_a_row_and_lose_nothing_of_it(
    monkeypatch: pytest.MonkeyPatch, threads: int, shape: tuple[int, ...], biased: str
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    x, weight, full = problem(2)
    x, bias = x.flatten()[: math.prod(shape)].view(shape), full if biased == "biased" else None
    apply = linears("float32", CPU)(weight, bias)
    made = apply(x)
    assert made.shape == (*shape[:-1], 160)
    assert apart(made, x, weight, bias) < 1e-6


@pytest.mark.parametrize("rows", [1, 4])
def test_weights_in_float32_are_not_copied(rows: int) -> None:
    x, weight, bias = problem(rows)
    apply = linears("float32", CPU)(weight, bias)
    before = apply(x)
    weight *= 2
    assert not torch.equal(apply(x), before)


def test_a_build_without_int8_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_has", lambda *_: False)
    with pytest.raises(ModelError, match="cannot multiply in int8"):
        linears("int8", CPU)(torch.ones(4, 4), None)


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_without_torchscript_a_model_says_the_same(precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shape = GPT2Shape(2, 32, 4, 64, 64, 300)
    weights = {name: torch.randn(size).mul(0.02).half() for name, size in shape.weights().items()}
    fast = GPT2(shape, weights, precision)
    monkeypatch.setattr(torch.jit, "script", _gone)
    plain = GPT2(shape, weights, precision)
    assert not isinstance(fast._run, torch.nn.Module)
    assert isinstance(plain._run, torch.nn.Module)
    with torch.inference_mode():
        for ids in ([1, 2, 3], [4], [5, 6], [7]):
            assert torch.equal(fast.advance(ids), plain.advance(ids))


def _gone(*_: object) -> None:
    raise RuntimeError("TorchScript is gone.")
