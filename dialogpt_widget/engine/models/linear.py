"""Linear maps in the precisions that a processor and a build of PyTorch have. One seam, since these functions move.

Everything goes in and comes out in float32 on a CPU; precision is how the weights are stored and multiplied. What this
build of PyTorch lacks is done by what every build has, slower and no less exact.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from dialogpt_widget.errors import ModelError

FEW = 3  # rows from which it is worth to store weights in another order
Linear = Callable[[Tensor], Tensor]
MakeLinear = Callable[[Tensor, Tensor | None], Linear]


def linears(precision: str, device: torch.device) -> MakeLinear:
    """What makes `x -> x weight + bias` of a weight `[in, out]` and a bias `[out]` or None.

    Args:
        precision: "float32": exactly what is stored; weights that are stored in 16 bits stay so where this costs
            nothing in exactness. "float16": weights rounded to 16 bits. "bfloat16": weights and inputs rounded.
            "int8": weights rounded to 8 bits a row of outputs, inputs to 8 bits a call.
        device: where the weights are; on a GPU they are multiplied in the dtype that they have.

    Raises:
        ModelError: this build of PyTorch cannot do that precision.
    """
    if device.type != "cpu":
        return _plain
    make = {"float32": _exact, "float16": _half, "bfloat16": _brain, "int8": _integer}[precision]
    return functools.partial(make, threads=torch.get_num_threads())


def keeps_half() -> bool:
    """Whether weights that are stored in 16 bits need not be widened to be multiplied exactly."""
    return _has("quantized", "linear_prepack_fp16") and "fbgemm" in torch.backends.quantized.supported_engines


def for_rows(linear: Linear, rows: int) -> Linear:
    """The same map, made for so many rows at a time, again and again; as long as it is held it may take memory."""
    make: Callable[[int], Linear] | None = getattr(linear, "for_rows", None)
    return linear if make is None else make(rows)


def scripted(module: Callable[..., Any], *parts: Linear) -> Callable[..., Any]:
    """A module without what Python takes between its steps, where it and its parts are modules, as packed weights are.

    Handing those over from Python takes longer than many a product with them.
    """
    if not all(isinstance(one, torch.nn.Module) for one in (module, *parts)):
        return module
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is to go; without it the same functions are called from Python
        try:
            run: Callable[..., Any] = torch.jit.script(module).forward
        except Exception:  # no source beside the code, a Python or a PyTorch that has no TorchScript any more
            return module
    return run


def _plain(weight: Tensor, bias: Tensor | None) -> Linear:
    def apply(x: Tensor) -> Tensor:
        flat = x.reshape(-1, x.shape[-1])
        made = flat @ weight if bias is None else torch.addmm(bias, flat, weight)
        return made.view(*x.shape[:-1], -1)

    return apply


def _exact(weight: Tensor, bias: Tensor | None, threads: int) -> Linear:
    if weight.dtype is torch.float16 and keeps_half():
        return _half(weight, bias, threads)
    return _single(weight.float(), bias, threads)


def _single(weight: Tensor, bias: Tensor | None, threads: int) -> Linear:
    """By oneDNN, which takes weights as they lie, so that mapped ones stay mapped; MKL is slower on AMD's."""
    bias = None if bias is None else bias.float()
    if not _has("mkldnn", "_linear_pointwise"):
        return _plain(weight, bias)
    return _SingleMap(weight, bias, threads)


def _half(weight: Tensor, bias: Tensor | None, threads: int) -> Linear:
    """Weights in float16, inputs and sums in float32."""
    if not keeps_half():
        return _single(weight.half().float(), bias, threads)
    return _HalfMap(_prepack("linear_prepack_fp16", weight.t().float(), bias))


def _brain(weight: Tensor, bias: Tensor | None, threads: int) -> Linear:
    rows = weight.t().bfloat16().contiguous()
    low = None if bias is None else bias.bfloat16()
    if _has("mkldnn", "_is_mkldnn_bf16_supported") and _op("mkldnn", "_is_mkldnn_bf16_supported")():
        packed, multiply = _op("mkldnn", "_reorder_linear_weight")(rows, 1), _op("mkldnn", "_linear_pointwise")
        return lambda x: multiply(x.bfloat16(), packed, low, "none", [], "").float()

    def apply(x: Tensor) -> Tensor:
        """Without instructions for bfloat16 only a single row is fast; more are multiplied in float32."""
        if x.numel() == x.shape[-1]:
            return torch.nn.functional.linear(x.bfloat16(), rows, low).float()
        return _single(rows.float().t(), bias, threads)(x.bfloat16().float())

    return apply


def _integer(weight: Tensor, bias: Tensor | None, threads: int) -> Linear:  # noqa: ARG001 - as the others
    """Dynamic int8: a scale for each output's weights, and one for each call's inputs.

    Without VNNI instructions a sum of two products could overflow 16 bits, so that inputs have 7 bits there.
    """
    if not _has("quantized", "linear_prepack"):
        raise ModelError("unsupported", "This build of PyTorch cannot multiply in int8.", "Use another precision.")
    rows = weight.t().float()
    scales = (rows.abs().amax(1) / 127).clamp(min=1e-12)
    zeros = torch.zeros(len(rows), dtype=torch.long)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that quantized tensors are to go; linears of them are what is fast
        stored = torch.quantize_per_channel(rows, scales, zeros, 0, torch.qint8)
    narrow = not getattr(torch.cpu, "_is_vnni_supported", bool)()
    return _IntegerMap(_prepack("linear_prepack", stored, bias), narrow=narrow)


class _SingleMap:
    """Float32 weights as they lie.

    One row is a matter of reading the weights: each thread reads a contiguous share of them, which takes a quarter to
    a third less time than oneDNN. More rows are oneDNN's, which is faster still where it may store the weights its way.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, threads: int) -> None:
        self._inputs, self._outputs = weight.shape
        self._weight, self._bias = weight, bias
        self._multiply = _op("mkldnn", "_linear_pointwise")
        shared = weight.is_contiguous() and torch.backends.mkl.is_available()  # type: ignore[no-untyped-call]
        # without MKL a batch is multiplied one by one
        self._shares = math.gcd(self._inputs, 1 << (threads - 1).bit_length()) if shared else 1
        self._each = weight.view(self._shares, -1, self._outputs) if shared else weight

    def __call__(self, x: Tensor) -> Tensor:
        if self._shares == 1 or x.numel() != self._inputs:
            whole: Tensor = self._multiply(x, self._weight.t(), self._bias, "none", [], "")
            return whole
        made = torch.bmm(x.reshape(self._shares, 1, -1), self._each).sum(0)
        return (made if self._bias is None else made + self._bias).view(*x.shape[:-1], self._outputs)

    def for_rows(self, rows: int) -> Linear:
        """The weights in the order in which oneDNN multiplies so many rows; these as they are where that is no gain."""
        if rows < FEW or not _has("mkldnn", "_reorder_linear_weight"):
            return self
        try:
            packed = _op("mkldnn", "_reorder_linear_weight")(self._weight.t(), rows)
        except RuntimeError:  # there is no memory for it
            return self
        return lambda x: self._multiply(x, packed, self._bias, "none", [], "")


class _HalfMap(torch.nn.Module):
    def __init__(self, packed: Any) -> None:
        super().__init__()
        self.packed = packed

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = torch.ops.quantized.linear_dynamic_fp16(x, self.packed)
        return made


class _IntegerMap(torch.nn.Module):
    def __init__(self, packed: Any, *, narrow: bool) -> None:
        super().__init__()
        self.packed = packed
        self.narrow = narrow

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = torch.ops.quantized.linear_dynamic(x, self.packed, self.narrow)
        return made


def _prepack(name: str, weight: Tensor, bias: Tensor | None) -> Any:
    return _op("quantized", name)(weight, None if bias is None else bias.float())


def _op(library: str, name: str) -> Any:
    return getattr(getattr(torch.ops, library), name)


def _has(library: str, name: str) -> bool:
    return hasattr(getattr(torch.ops, library), name)
