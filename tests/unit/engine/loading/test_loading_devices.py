"""Which device and which precision."""

from __future__ import annotations

import pytest
import torch

from dialogpt_widget.engine.loading.precision import pick_device, pick_precision
from dialogpt_widget.errors import ModelError


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):
    def make(*, cuda: int = 0, mps: bool = False, capability: tuple[int, int] = (9, 0)) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device=None: capability)

    make()
    return make


def test_auto_prefers_cuda_then_mps_then_the_cpu(machine) -> None:
    assert pick_device() == torch.device("cpu")
    machine(mps=True)
    assert pick_device() == torch.device("mps")
    machine(cuda=1, mps=True)
    assert pick_device() == torch.device("cuda")


def test_the_device_asked_for(machine) -> None:
    machine(cuda=2)
    assert pick_device("cpu") == torch.device("cpu")
    assert pick_device("cuda:1") == torch.device("cuda:1")


@pytest.mark.parametrize("device", ["cuda", "cuda:0", "mps"])
def test_a_device_that_is_not_there_is_named(machine, device: str) -> None:
    with pytest.raises(ModelError) as caught:
        pick_device(device)
    assert caught.value.kind == "unsupported"
    assert repr(device) in caught.value.title
    assert 'device="cpu"' in caught.value.message


def test_a_second_gpu_that_is_not_there(machine) -> None:
    machine(cuda=1)
    with pytest.raises(ModelError, match="cuda:1"):
        pick_device("cuda:1")


@pytest.mark.parametrize("device", ["gpu", "", "cuda:x", "0"])
def test_what_is_no_device_is_refused(machine, device: str) -> None:
    with pytest.raises(ValueError, match="device is"):
        pick_device(device)


@pytest.mark.parametrize(
    ("device", "capability", "precision"),
    [
        ("cpu", (0, 0), "float32"),
        ("mps", (0, 0), "float16"),
        ("cuda", (7, 5), "float16"),
        ("cuda", (8, 0), "bfloat16"),
        ("cuda", (9, 0), "bfloat16"),
    ],
)
def test_auto_precision(machine, device: str, capability: tuple[int, int], precision: str) -> None:
    machine(cuda=1, mps=True, capability=capability)
    assert pick_precision("auto", torch.device(device)) == precision
    assert pick_precision("float32", torch.device(device)) == "float32"


@pytest.mark.parametrize("precision", ["fp16", "int4", "", "float64"])
def test_an_unknown_precision_is_refused_with_what_is_allowed(precision: str) -> None:
    with pytest.raises(ValueError, match="float32, bfloat16, float16"):
        pick_precision(precision, torch.device("cpu"))
