"""A model that does not fit is refused before it is fetched or loaded, and one that fits is offered."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from dialogpt_widget.engine.loading.memory import WORKSPACE, Need, check_fit, need
from dialogpt_widget.errors import ModelError

GB = 10**9
MEDIUM = "microsoft/DialoGPT-medium"
SMALL = "microsoft/DialoGPT-small"
SCRIPT = """
import json, resource, sys
import torch, psutil
import dialogpt_widget.engine.loading.hub as hub
from dialogpt_widget.engine.loading.loader import load
from dialogpt_widget.errors import ModelError
def no_network(*_, **__): raise SystemExit("it was looked up on the hub")
import huggingface_hub
huggingface_hub.HfApi.model_info = no_network
limit = psutil.Process().memory_info().vms + int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    load("medium", device="cpu", precision="float32")
except ModelError as error:
    print(json.dumps({"kind": error.kind, "offers": error.offers, "message": str(error)}))
print(json.dumps(load("mini", device="cpu").name))
"""


def test_what_a_model_takes() -> None:
    assert need(100, "float32", 400, mapped=True) == Need(460, 460)
    assert need(100, "float32", 400, mapped=False) == Need(460, 800)
    assert need(100, "float32", 200, mapped=True) == Need(290, 290), "what is stored in 16 bits stays so"
    assert need(100, "float32", 200, mapped=False, widened=True) == Need(460, 600)
    assert need(100, "int8", 200, mapped=True) == Need(190, 190)
    assert need(100, "bfloat16", 200, mapped=True, on_gpu=True) == Need(230, 230)


@pytest.mark.parametrize("spare", [0, -1])
def test_the_peak_while_loading_decides(spare: int) -> None:
    wanted = Need(GB, 2 * GB)
    if spare == 0:
        check_fit("a/b", wanted, "float32", left=2 * GB + WORKSPACE)
        return
    with pytest.raises(ModelError):
        check_fit("a/b", wanted, "float32", left=2 * GB + WORKSPACE - 1)


@pytest.mark.parametrize(
    ("left", "offers"), [(2.0, (SMALL, "mini")), (1.1, (SMALL, "mini")), (0.8, ("mini",)), (0.1, ())]
)
def test_known_models_that_fit_are_offered_largest_first(left: float, offers: tuple[str, ...]) -> None:
    with pytest.raises(ModelError) as caught:
        check_fit(MEDIUM, need(354_823_168, "float32", 863_000_000, mapped=False), "float32", left=int(left * GB))
    error = caught.value
    assert (error.kind, error.offers) == ("memory", offers)
    assert "DialoGPT-medium does not fit into the memory of this machine" in error.title
    assert "float32 takes about 2.2 GB" in error.message
    assert ("DialoGPT-small or mini" in error.message) == (offers == (SMALL, "mini"))


def test_a_gpu_must_hold_the_model_and_the_machine_its_loading() -> None:
    wanted = need(354_823_168, "bfloat16", 863_000_000, mapped=False, on_gpu=True)
    check_fit(MEDIUM, wanted, "bfloat16", left=8 * GB, on_gpu=2 * GB)
    with pytest.raises(ModelError, match="memory of the GPU"):
        check_fit(MEDIUM, wanted, "bfloat16", left=8 * GB, on_gpu=GB)
    with pytest.raises(ModelError, match="memory of this machine"):
        check_fit(MEDIUM, wanted, "bfloat16", left=GB, on_gpu=8 * GB)


def test_under_two_gigabytes_medium_is_refused_before_it_is_looked_up_and_the_process_lives() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(2 * GB)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    refusal, loaded = map(json.loads, done.stdout.splitlines())
    assert refusal["kind"] == "memory"
    assert refusal["offers"] == [SMALL, "mini"]
    assert loaded == "mini"
