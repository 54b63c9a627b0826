"""Scoring: how probable each id was, given those before it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from builders import chat_model, reference
from replies import GREEDY, some_ids

from dialogpt_widget.engine.model import ChatModel


def test_scores_are_the_log_softmax_of_one_pass(model: ChatModel) -> None:
    ids = [*some_ids(40), model.eos, *some_ids(20, 1)]
    table = model.score(ids)
    with torch.inference_mode():
        logits = reference(model)(torch.tensor([ids])).logits[0].double().numpy()
    log = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    for place in range(1, len(ids)):
        row, before = table.rows[place], log[place - 1]
        assert row["id"] == ids[place]
        assert row["logprob"] == pytest.approx(before[ids[place]], abs=1e-4)
        assert row["rank"] == 1 + int((before > before[ids[place]]).sum())
        assert row["entropy"] == pytest.approx(-(np.exp(before) * before).sum(), abs=1e-4)
        assert row["alt_id"].tolist() == np.argsort(-before, kind="stable")[:10].tolist()
        assert row["alt_logprob"] == pytest.approx(np.sort(before)[::-1][:10], abs=1e-4)
    assert np.isnan(table["logprob"][0])
    assert table["position"].tolist() == list(range(len(ids)))
    assert table["eos"].nonzero()[0].tolist() == [40]


def test_scoring_agrees_with_what_generation_recorded_and_leaves_its_cache_alone(model: ChatModel) -> None:
    ids = some_ids(20)
    tokens = list(model.generate(ids, GREEDY.replace(max_new_tokens=10)))
    cached = list(model._prefix_cache.ids)
    table = model.score([*ids, *(token.id for token in tokens)])
    assert table["logprob"][20:] == pytest.approx([token.logprob for token in tokens], abs=1e-4)
    assert table["rank"][20:].tolist() == [token.rank for token in tokens]
    assert table["entropy"][20:] == pytest.approx([token.entropy for token in tokens], abs=1e-4)
    assert model._prefix_cache.ids == cached


def test_the_longest_sequence_can_be_scored_and_a_longer_one_is_refused() -> None:
    model = chat_model(0, positions=32)
    assert len(model.score(some_ids(32))) == 32
    with pytest.raises(ValueError, match="33 tokens are more than the 32"):
        model.score(some_ids(33))
    with pytest.raises(ValueError, match="no ids"):
        model.score([])


def test_one_id_has_nothing_to_be_scored_by(model: ChatModel) -> None:
    table = model.score([5])
    assert len(table) == 1
    assert np.isnan(table["logprob"][0])
