"""A step that is replayed gives what a step gives. Recording itself needs a GPU; all around it is tried here."""

from __future__ import annotations

import threading

import pytest
import torch
from builders import lean, random_gpt2

from dialogpt_widget.engine.models.cuda_graph import GraphedGPT2, Run
from dialogpt_widget.engine.models.gpt2 import GPT2

IDS = [3, 250, 17, 4, 4, 99, 200, 8, 120, 77, 5, 6]


def weights_of(network: GPT2) -> dict[str, torch.Tensor]:
    state = random_gpt2().state_dict()
    return {name: state[f"transformer.{name}"] for name in network.shape.weights()}


class Recorder:
    """Stands in for CUDA: holds the recording back until it is let go, and counts replays."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.go, self.replays = error, threading.Event(), 0

    def __call__(self, run: Run, device: torch.device) -> Run:
        self.go.wait(30)
        if self.error:
            raise self.error
        run()  # as a warm-up does, at the spare place

        def replay() -> None:
            self.replays += 1
            run()

        return replay


@pytest.fixture
def plain() -> GPT2:
    return lean(random_gpt2())


def graphed(plain: GPT2, recorder: Recorder) -> GraphedGPT2:
    return GraphedGPT2(plain.shape, weights_of(plain), recorder)


def recorded(network: GraphedGPT2, recorder: Recorder) -> None:
    recorder.go.set()
    assert network._recorder is not None
    network._recorder.join(30)


def test_replayed_steps_equal_steps(plain: GPT2) -> None:
    recorder = Recorder()
    network = graphed(plain, recorder)
    for place, ids in enumerate([IDS[:4], *([token] for token in IDS[4:])]):
        torch.testing.assert_close(network.advance(ids), plain.advance(ids), rtol=1e-4, atol=1e-4)
        assert network.state is not None
        assert plain.state is not None
        torch.testing.assert_close(network.state, plain.state, rtol=1e-4, atol=1e-4)
        if place == 3:
            assert recorder.replays == 0, "steps do not wait for the recording"
            recorded(network, recorder)
    assert recorder.replays == len(IDS) - 4 - 3


def test_cropping_reading_more_and_forgetting_go_with_it(plain: GPT2) -> None:
    recorder = Recorder()
    network = graphed(plain, recorder)
    network.advance(IDS[:3])
    network.advance(IDS[3:4])
    recorded(network, recorder)
    network.advance(IDS[4:5])
    network.crop(2)
    ids = [*IDS[:2], 40, 41, 42, 43]
    network.advance(ids[2:5])
    torch.testing.assert_close(network.advance(ids[5:]), plain.advance(ids), rtol=1e-4, atol=1e-4)
    network.clear_cache()
    plain.clear_cache()
    network.advance([9])
    plain.advance([9])
    torch.testing.assert_close(network.advance([8]), plain.advance([8]), rtol=1e-4, atol=1e-4)
    assert recorder.replays == 3


def test_the_last_place_of_the_window_is_like_any_other(plain: GPT2) -> None:
    recorder = Recorder()
    network = graphed(plain, recorder)
    ids = [token % 290 for token in range(plain.shape.positions)]
    network.advance(ids[:-2])
    network.advance(ids[-2:-1])
    recorded(network, recorder)
    torch.testing.assert_close(network.advance(ids[-1:]), plain.advance(ids), rtol=1e-4, atol=1e-4)
    assert recorder.replays == 1


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory.\nTried"), RuntimeError("operation not permitted")]
)
def test_what_cannot_be_recorded_is_said_and_steps_go_on(plain: GPT2, error: Exception) -> None:
    recorder = Recorder(error)
    network = graphed(plain, recorder)
    network.advance(IDS[:4])
    network.advance(IDS[4:5])
    recorded(network, recorder)
    assert network.remark is not None
    assert str(error).partition("\n")[0] in network.remark
    assert "Tried" not in network.remark
    network.advance(IDS[5:6])
    torch.testing.assert_close(network.advance(IDS[6:7]), plain.advance(IDS[:7]), rtol=1e-4, atol=1e-4)
