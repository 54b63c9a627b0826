"""What crosses from the device that computes to the CPU that chooses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from dialogpt_widget import Settings
from dialogpt_widget.engine.generation import sampler as module
from dialogpt_widget.engine.generation.sampler import Sampler, TopLogits

VOCABULARY = 5000
READS = ("cpu", "tolist", "item", "numpy", "__float__", "__int__", "__bool__", "__index__")


class Far(Tensor):
    """A tensor that stands for one on a GPU: what is read off it is noted, with its size."""

    read: list[int] = []  # noqa: RUF012
    is_cpu = False

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = super().__torch_function__(func, types, args, kwargs or {})
        if getattr(func, "__name__", "") in READS:
            cls.read.append(args[0].numel())
            return made.as_subclass(Tensor) if isinstance(made, Tensor) else made
        return made


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> Iterator[Far]:
    """Logits on a device that is far; what reads them is run by Python, for TorchScript knows no such tensors."""
    monkeypatch.setattr(module, "_near", module._Near)
    Far.read.clear()
    yield torch.randn(VOCABULARY, generator=torch.Generator().manual_seed(0)).mul(3).as_subclass(Far)
    Far.read.clear()


@pytest.mark.parametrize(
    "settings",
    [
        Settings(do_sample=False),
        Settings(seed=0),
        Settings(seed=0, temperature=0.7, top_k=40, top_p=0.9, min_p=0.01),
    ],
)
def test_a_step_reads_the_device_once_and_little(far: Far, settings: Settings) -> None:
    token = Sampler(settings, eos=0).choose(far, [9])
    assert len(Far.read) == 1
    assert Far.read[0] < 200
    assert token == Sampler(settings, eos=0).choose(far.as_subclass(Tensor), [9])


@pytest.mark.parametrize(
    "settings",
    [
        Settings(do_sample=False, repetition_penalty=1.3),
        Settings(seed=0, no_repeat_ngram_size=2, min_new_tokens=9),
        Settings(seed=0, top_k=0, top_p=0.9),
    ],
)
def test_all_settings_work_off_the_cpu(far: Far, settings: Settings) -> None:
    said = [3, 4, 3]
    near = Sampler(settings, eos=0).choose(far.as_subclass(Tensor), said)
    assert Sampler(settings, eos=0).choose(far, said) == near
    assert Far.read


def test_several_replies_read_the_device_once(far: Far) -> None:
    decoder = Sampler(Settings(seed=0), eos=0)
    rows = decoder.read(torch.stack([far, far.flip(0), far.roll(7)]))
    tokens = [decoder.choose(scores, [9]) for scores in rows]
    assert len(Far.read) == 1
    assert Far.read[0] < 3 * 200
    assert len({token.alt_id for token in tokens}) == 3


@pytest.mark.parametrize("temperature", [0.6, 1.0])
@pytest.mark.parametrize("size", [3, 400, VOCABULARY])
def test_rows_are_read_as_each_alone(size: int, temperature: float) -> None:
    """Also where one of them bars tokens."""
    scores = torch.randn(4, size, generator=torch.Generator().manual_seed(size)) * 5
    scores[2, : size // 2] = -torch.inf
    for whole, row in zip(scores, TopLogits.of_rows(scores, 12, temperature), strict=True):
        alone = TopLogits.of(whole, 12, temperature)
        assert (row.ids, row.values, row.size) == (alone.ids, alone.values, size)
        assert torch.equal(row.all, whole)
        assert row.logs == pytest.approx(alone.logs, abs=1e-6)
        assert (row.entropy, row.total) == pytest.approx((alone.entropy, alone.total), abs=1e-5)


def test_what_is_far_from_the_top_is_asked_for(far: Far) -> None:
    own, plain = TopLogits.of(far, 10), far.as_subclass(Tensor)
    last = int(plain.argmin())
    assert own.rank(last) == VOCABULARY
    assert own.logprob(last) == pytest.approx(float(torch.log_softmax(plain, 0)[last]))
    assert own.rank(own.ids[3]) == 4


def test_equal_greatest_scores_are_won_by_the_lowest_id() -> None:
    scores = torch.zeros(VOCABULARY)
    scores[[4000, 70, 900]] = 2.0
    assert TopLogits.of(scores, 2).best() == 70


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_total_and_entropy_are_those_of_float64(far: Far, temperature: float) -> None:
    plain = far.as_subclass(Tensor).double()
    own = TopLogits.of(far, 10, temperature)
    log = torch.log_softmax(plain, 0)
    assert own.total == pytest.approx(float(torch.logsumexp(plain / temperature, 0)), abs=1e-4)
    assert own.entropy == pytest.approx(float(-(log.exp() * log).sum()), abs=1e-4)


@pytest.mark.parametrize("temperature", [0.2, 1.0, 1.7])
@pytest.mark.parametrize("shift", [0.0, 3.0, 30.0])
@pytest.mark.parametrize("size", [5, 12, 300])
def test_without_a_token_is_the_scores_of_the_rest(size: int, shift: float, temperature: float) -> None:
    """Also where nearly all of the probability is the token's."""
    scores = torch.randn(size, generator=torch.Generator().manual_seed(size))
    scores[3] += shift
    rest = scores.clone()
    rest[3] = -torch.inf
    for count in (4, size):
        made, plain = TopLogits.of(scores, count, temperature).without(3), TopLogits.of(rest, count, temperature)
        found = [token for token in made.ids if made.logprob(token) > -torch.inf]
        assert found == plain.ids[: len(found)]
        assert len(found) >= min(count, size) - 1
        for token in range(size):
            assert made.logprob(token) == pytest.approx(plain.logprob(token), abs=1e-5)
            assert token == 3 or made.rank(token) == plain.rank(token)
        assert made.entropy == pytest.approx(plain.entropy, abs=1e-5)
        assert made.total == pytest.approx(plain.total, abs=1e-5)
        assert torch.equal(made.all, rest)


def test_what_bars_tokens_leaves_numbers() -> None:
    scores = torch.tensor([1.0, -torch.inf, 0.5, -torch.inf])
    own = TopLogits.of(scores, 4)
    left = torch.log_softmax(torch.tensor([1.0, 0.5]).double(), 0)
    assert own.entropy == pytest.approx(float(-(left.exp() * left).sum()))
    assert own.logprob(1) == -torch.inf


@pytest.mark.parametrize("temperature", [1.0, 0.6])
@pytest.mark.parametrize("barred", [0, VOCABULARY - 3])
def test_what_is_compiled_is_what_is_written(temperature: float, barred: int) -> None:
    scores = torch.randn(VOCABULARY, generator=torch.Generator().manual_seed(1)) * 3
    scores[:barred] = -torch.inf
    found, expected = (near(scores[None], 12, temperature)[0] for near in (module._near(), module._Near()))
    assert found[:24] == expected[:24]
    assert found[24:] == pytest.approx(expected[24:], nan_ok=True)
    assert TopLogits.of(scores, 12, temperature).total == pytest.approx(float(torch.logsumexp(scores / temperature, 0)))
