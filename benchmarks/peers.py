"""The same reply by CTranslate2 and by ONNX Runtime."""

from __future__ import annotations

import json
import logging
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, layer_norm

from benchmarks.variants import NEW, MissingError, Timed, Variant
from benchmarks.weights import EOS
from dialogpt_widget.engine.models.base import GPT2Shape


class CTranslate2(Variant):
    """CTranslate2's generator, which keeps no cache from one call to the next."""

    def __init__(self, converted: Path, precision: str, threads: int) -> None:
        import ctranslate2

        self.name, self.exact = f"CTranslate2, {precision}", precision == "float32"
        self._generator = ctranslate2.Generator(
            str(converted), device="cpu", compute_type=precision, inter_threads=1, intra_threads=threads
        )
        self._words = [str(word) for word in _vocabulary(converted)]

    @staticmethod
    def convert(folder: Path, out: Path) -> Path:
        """Converts a checkpoint, as its documentation says.

        Raises:
            MissingError: CTranslate2 is not installed.
        """
        _need("ctranslate2")
        from ctranslate2.converters import TransformersConverter

        TransformersConverter(str(folder)).convert(str(out))
        return out

    def reply(self, ids: Sequence[int], count: int) -> Timed:
        times: list[float] = []

        def heard(_: Any) -> bool:
            times.append(time.perf_counter() - began)
            return False

        words = [[self._words[token] for token in ids]]
        began = time.perf_counter()
        (made,) = self._generator.generate_batch(
            words,
            min_length=count,
            max_length=count,
            sampling_topk=1,
            include_prompt_in_result=False,
            callback=heard,
        )
        return Timed(list(made.sequences_ids[0]), times)


class OnnxRuntime(Variant):
    """ONNX Runtime on an export with past keys and values, which its caller keeps over turns."""

    def __init__(self, file: Path, precision: str, shape: GPT2Shape, threads: int) -> None:
        import onnxruntime

        self.name, self.exact = f"ONNX Runtime, {precision}", precision == "float32"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        self._empty = np.zeros((1, shape.heads, 0, shape.width // shape.heads), np.float32)
        self._layers = shape.layers
        self._read: list[int] = []
        self._past: list[np.ndarray] = []
        self.prepare([0] * NEW)

    @staticmethod
    def export(weights: dict[str, Tensor], shape: GPT2Shape, out: Path) -> Path:
        """Writes the ONNX file in float32.

        Raises:
            MissingError: a package that exporting or running needs is not installed.
        """
        for package in ("onnx", "onnxscript", "onnxruntime"):
            _need(package)
        out.mkdir(parents=True)
        file = out / "model.onnx"
        names = [f"{kind}_{layer}" for layer in range(shape.layers) for kind in ("key", "value")]
        past = [torch.zeros(1, shape.heads, 3, shape.width // shape.heads) for _ in names]
        new, before = torch.export.Dim("new", min=1, max=1023), torch.export.Dim("before", max=1023)
        with _quiet():
            torch.onnx.export(
                _Exported(weights, shape).eval(),
                (torch.tensor([[1, 2]]), *past),
                str(file),
                input_names=["ids", *(f"past_{name}" for name in names)],
                output_names=["logits", *names],
                dynamic_shapes=({1: new}, tuple({2: before} for _ in names)),
                dynamo=True,
                external_data=True,
                verbose=False,
            )
        return file

    @staticmethod
    def quantize(file: Path, out: Path) -> Path:
        """Writes the same in dynamic int8."""
        from onnxruntime.quantization import QuantType, quantize_dynamic

        out.mkdir(parents=True)
        made = out / "model.onnx"
        with _quiet():
            quantize_dynamic(
                str(file),
                str(made),
                op_types_to_quantize=["MatMul"],
                per_channel=True,
                weight_type=QuantType.QInt8,
                use_external_data_format=True,
            )
        return made

    def prepare(self, ids: Sequence[int]) -> None:
        known = list(ids[:-NEW])
        if known and self._read[: len(known)] == known:
            self._past = [np.ascontiguousarray(one[:, :, : len(known)]) for one in self._past]
        else:
            self._past = [self._empty] * (2 * self._layers)
            if known:
                self._advance(known)
        self._read = known

    def reply(self, ids: Sequence[int], count: int) -> Timed:
        said: list[int] = []
        times = []
        new = list(ids[len(self._read) :])
        began = time.perf_counter()
        while len(said) < count:
            logits = self._advance(new)
            logits[EOS] = -np.inf
            new = [int(logits.argmax())]
            said += new
            times.append(time.perf_counter() - began)
        self._read = [*ids, *said[:-1]]
        return Timed(said, times)

    def _advance(self, ids: list[int]) -> np.ndarray:
        names = [one.name for one in self._session.get_inputs()]
        feed = dict(zip(names, [np.array([ids]), *self._past], strict=True))
        logits, *self._past = self._session.run(None, feed)
        return np.array(logits[0])


class _Exported(nn.Module):
    """GPT-2 with past keys and values as inputs and outputs; logits `[1, vocabulary]` after the last id alone."""

    def __init__(self, weights: dict[str, Tensor], shape: GPT2Shape) -> None:
        super().__init__()
        self._shape = shape
        for name, weight in weights.items():
            self.register_buffer(name.replace(".", "_"), weight.float())
        self.register_buffer("output", weights["wte.weight"].float().t().contiguous())

    def forward(self, ids: Tensor, *past: Tensor) -> tuple[Tensor, ...]:
        shape, count, before = self._shape, ids.shape[1], past[0].shape[2]
        places = torch.arange(count) + before
        unseen = torch.arange(count + before)[None] > places[:, None]
        x = self._of("wte.weight")[ids] + self._of("wpe.weight")[places]
        present: list[Tensor] = []
        for layer in range(shape.layers):
            own = f"h.{layer}."
            mixed = self._linear(self._norm(x, f"{own}ln_1"), f"{own}attn.c_attn")
            parts = mixed.view(1, count, 3, shape.heads, -1).permute(2, 0, 3, 1, 4)
            keys = torch.cat([past[2 * layer], parts[1]], 2)
            values = torch.cat([past[2 * layer + 1], parts[2]], 2)
            present += [keys, values]
            scores = parts[0] @ keys.transpose(-1, -2) * (shape.width // shape.heads) ** -0.5
            seen = scores.masked_fill(unseen, -1e9).softmax(-1) @ values
            x = x + self._linear(seen.transpose(1, 2).reshape(1, count, shape.width), f"{own}attn.c_proj")
            inner = gelu(self._linear(self._norm(x, f"{own}ln_2"), f"{own}mlp.c_fc"), approximate="tanh")
            x = x + self._linear(inner, f"{own}mlp.c_proj")
        return self._norm(x[:, -1], "ln_f") @ self._of("output"), *present

    def _norm(self, x: Tensor, name: str) -> Tensor:
        shape = self._shape
        return layer_norm(x, (shape.width,), self._of(f"{name}.weight"), self._of(f"{name}.bias"), shape.epsilon)

    def _linear(self, x: Tensor, name: str) -> Tensor:
        return x @ self._of(f"{name}.weight") + self._of(f"{name}.bias")

    def _of(self, name: str) -> Tensor:
        found: Tensor = getattr(self, name.replace(".", "_"))
        return found


def _vocabulary(converted: Path) -> list[str]:
    return list(json.loads((converted / "vocabulary.json").read_text("utf-8")))


@contextmanager
def _quiet() -> Iterator[None]:
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


def _need(package: str) -> None:
    if find_spec(package) is None:
        raise MissingError(f"{package} is not installed (pip install dialogpt-widget[bench])")
