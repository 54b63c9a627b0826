"""Branches behind one shared beginning say what each would say alone."""

from __future__ import annotations

import pytest
import torch
from builders import lean, random_gpt2
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogpt_widget.engine.models import kv_cache as module
from dialogpt_widget.engine.models.gpt2 import GPT2
from dialogpt_widget.engine.models.kv_cache import SharedPrefixBatch

IDS = st.integers(0, 298)


def network(positions: int = 256) -> GPT2:
    return lean(random_gpt2(positions=positions))


def grown(own: GPT2, shared: list[int], branches: list[list[int]]) -> tuple[SharedPrefixBatch, list[torch.Tensor]]:
    """Branches that have read all of their ids, and each one's last state."""
    own.clear_cache()
    own.advance(shared)
    made = own.branches(len(branches))
    last: list[torch.Tensor] = [torch.empty(0)] * len(branches)
    for step in range(max(map(len, branches))):
        rows = [row for row, ids in enumerate(branches) if step < len(ids)]
        states = made.advance(rows, [branches[row][step] for row in rows])
        for row, state in zip(rows, states, strict=True):
            last[row] = state
    return made, last


@settings(max_examples=25, deadline=None)
@given(
    shared=st.lists(IDS, min_size=1, max_size=20),
    branches=st.lists(st.lists(IDS, min_size=1, max_size=8), min_size=1, max_size=6),
)
@torch.inference_mode()
def test_each_branch_is_what_it_would_be_alone(shared: list[int], branches: list[list[int]]) -> None:
    own = network()
    _, last = grown(own, shared, branches)
    for ids, state in zip(branches, last, strict=True):
        torch.testing.assert_close(state, own.states([*shared, *ids])[-1], rtol=1e-4, atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(branches=st.lists(st.lists(IDS, min_size=1, max_size=8), min_size=2, max_size=4), row=st.integers(0, 1))
@torch.inference_mode()
def test_a_branch_that_settles_is_read_and_goes_on(branches: list[list[int]], row: int) -> None:
    own, shared = network(), [5, 6, 7]
    made, _ = grown(own, shared, branches)
    made.settle(row)
    assert own._cache.length == len(shared) + len(branches[row])
    logits = own.advance([9])
    expected = own.unembed(own.states([*shared, *branches[row], 9])[-1])
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4)


@torch.inference_mode()
def test_branches_together_may_be_longer_than_the_model_can_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_CAPACITY", 4)
    own = network(positions=32)
    shared, branches = list(range(20)), [[row + step for step in range(12)] for row in range(10)]
    made, last = grown(own, shared, branches)
    assert made.length == 20 + 120
    for ids, state in zip(branches, last, strict=True):
        torch.testing.assert_close(state, own.states([*shared, *ids])[-1], rtol=1e-4, atol=1e-4)
    made.settle(3)
    assert own._cache.length == 32


@torch.inference_mode()
def test_what_is_shared_is_not_copied() -> None:
    own = network()
    own.advance(list(range(50)))
    made = own.branches(3)
    made.advance([0, 1, 2], [1, 2, 3])
    assert made.store is own._cache.store
    assert own._cache.length == 50
