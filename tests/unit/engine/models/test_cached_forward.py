"""Models of transformers keep their cache under the name that their own version gives it, and nothing warns of it."""

from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from builders import chat_model, llama
from replies import GREEDY, some_ids

from dialogpt_widget.engine.models.transformers_network import CachedForward


class Old:
    """A model of a transformers before 5.40."""

    def forward(self, input_ids: torch.Tensor, past_key_values: Any = None, *, use_cache: bool) -> Any:
        assert use_cache
        return SimpleNamespace(logits=input_ids, past_key_values=[*(past_key_values or []), *input_ids.tolist()])

    __call__ = forward


class New:
    """One of a later transformers, which swallows what it does not know."""

    def forward(self, input_ids: torch.Tensor, cache: Any = None, *, use_cache: bool, **_: Any) -> Any:
        assert use_cache
        return SimpleNamespace(logits=input_ids, cache=[*(cache or []), *input_ids.tolist()])

    __call__ = forward


@pytest.mark.parametrize(("model", "name"), [(Old(), "past_key_values"), (New(), "cache")])
def test_the_cache_goes_in_and_comes_out_by_the_models_own_name(model: Any, name: str) -> None:
    forward = CachedForward(model)
    assert forward.cache_name == name
    _, cache = forward(torch.tensor([[1, 2]]), None)
    assert forward(torch.tensor([[3]]), cache)[1] == [[1, 2], [3]]


def test_no_model_warns_of_a_name_that_is_to_go() -> None:
    model, ids = chat_model(network=llama(eagerness=4.0)), some_ids(20)
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        list(model.generate(ids, GREEDY))
        list(model.generate_many(ids, GREEDY, count=2))
        list(model.generate_batch([ids, ids[:7]], GREEDY))
        assert model.beam(ids, GREEDY, width=2, length_penalty=1.0)
