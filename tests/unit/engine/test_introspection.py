"""A step taken apart says what the step's record says, and what a float64 computation says."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from builders import chat_model, random_gpt2
from independent import NEAR, Reference, random_settings
from replies import some_ids

from dialogpt_widget import Settings
from dialogpt_widget.dialogue.tokens import FILTERS
from dialogpt_widget.engine.generation.sampler import Sampler
from dialogpt_widget.engine.introspection import SHOWN, STACKED, explain, places, ranked

VOCABULARY, EOS = 400, 399


def some_logits(source: np.random.Generator) -> torch.Tensor:
    return torch.tensor(source.normal(0, 3, VOCABULARY), dtype=torch.float32)


@pytest.mark.parametrize("seed", range(200))
def test_stages_and_span_agree_with_float64(seed: int) -> None:
    source = np.random.default_rng(seed)
    settings, logits = random_settings(source), some_logits(source)
    said = [int(token) for token in source.integers(0, 40, int(source.integers(0, 12)))]
    reference = Reference(logits.numpy(), said, settings, EOS)
    if reference.edge < 1e-5:
        return
    decoder = Sampler(settings, EOS, reply=seed)
    choice = explain(logits, said, decoder)
    assert repr(choice.token) == repr(decoder.choose(logits, said))  # NaN equals nothing
    first, last = choice.stages[0], choice.stages[-1]
    assert (first.name, first.count, len(first.ids)) == ("model", VOCABULARY, SHOWN)
    assert first.probabilities == pytest.approx(reference.p[list(first.ids)], abs=NEAR)
    assert (last.name, last.count) == ("left", int(reference.alive.sum()))
    assert len(last.ids) == min(last.count, STACKED)
    assert last.probabilities == pytest.approx(reference.used[list(last.ids)], abs=NEAR)
    assert list(last.probabilities) == sorted(last.probabilities, reverse=True)
    if settings.do_sample:
        low, high = choice.span
        assert low - NEAR <= choice.token.draw < high + NEAR
        assert high - low == pytest.approx(reference.used[choice.token.id], abs=NEAR)
    counts = dict(zip(FILTERS, choice.token.cut_count, strict=True))
    assert counts == reference.count
    for stage in choice.stages[1:-1]:
        assert stage.name in (*FILTERS, "repetition_penalty", "temperature")


def test_a_forced_token_has_its_place_on_the_stack_and_no_dice() -> None:
    logits = torch.tensor([2.0, 1.0, 0.0, -1.0])
    decoder = Sampler(Settings(seed=1, top_k=2, top_p=1.0), 3)
    kept, cut = explain(logits, [5], decoder, forced=1), explain(logits, [5], decoder, forced=2)
    assert (kept.token.origin, kept.token.id, math.isnan(kept.token.draw)) == ("forced", 1, True)
    assert kept.span == pytest.approx((1 / (1 + math.exp(-1)), 1.0))
    assert kept.token.logprob_used == pytest.approx(-math.log(1 + math.e))
    assert (cut.token.logprob_used, all(math.isnan(end) for end in cut.span)) == (-math.inf, True)
    assert cut.token.rank == 3


def test_greedy_leads_by_the_gap_of_the_two_best_logits() -> None:
    choice = explain(torch.tensor([0.0, 4.5, 1.5]), [], Sampler(Settings(do_sample=False, min_new_tokens=0), 2))
    assert (choice.token.id, choice.lead) == (1, 3.0)
    assert [stage.name for stage in choice.stages] == ["model", "left"]


def test_places_and_ranks_are_those_of_a_full_sort() -> None:
    logits = some_logits(np.random.default_rng(3))
    logits[10] = logits[20]
    log = torch.log_softmax(logits.double(), 0).numpy()
    order = sorted(range(VOCABULARY), key=lambda token: (-log[token], token))
    found = ranked(logits, 5, 30)
    assert [(place.id, place.rank) for place in found] == [(order[rank - 1], rank) for rank in range(5, 35)]
    assert [place.id for place in ranked(logits, VOCABULARY, 10)] == [order[-1]]
    for place in places(logits, [0, 10, 20, 399]):
        assert place.logprob == pytest.approx(log[place.id], abs=NEAR)
        assert place.rank == 1 + int((log > log[place.id]).sum())


def test_states_of_one_pass_give_the_logits_of_each_step() -> None:
    model = chat_model(network=random_gpt2(2, positions=64))
    context, said = some_ids(20, 1), some_ids(10, 2)
    kept: list[torch.Tensor] = []
    tokens = list(model.generate(context, Settings(seed=1, max_new_tokens=18), prefix=said, states=kept))
    ids = [*said, *(token.id for token in tokens if not token.eos)]
    states = model.step_states(context, ids)
    assert len(states) == len(ids) + 1
    for place, state in enumerate(kept):
        torch.testing.assert_close(model.unembed(state), model.unembed(states[10 + place]), rtol=1e-4, atol=1e-4)
    for own in states, kept[0]:
        assert own.shape[-1] == 32


def test_forced_ids_are_taken_and_the_dice_stay() -> None:
    model = chat_model(network=random_gpt2(2, eagerness=0.0))
    settings = Settings(seed=4, max_new_tokens=6)
    free = list(model.generate([1, 2], settings))
    other = (free[2].id + 1) % 200
    told = list(model.generate([1, 2], settings, forced={2: other}))
    assert [token.id for token in told[:2]] == [token.id for token in free[:2]]
    assert (told[2].id, told[2].origin, told[3].origin) == (other, "forced", "sampled")
    assert told[3].draw == free[3].draw
    with pytest.raises(ValueError, match="Ids are from 0 to"):
        list(model.generate([1, 2], settings, forced={0: 10**6}))
