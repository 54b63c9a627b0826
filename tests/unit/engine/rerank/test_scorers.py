"""Scorers of whole replies, against transformers' own losses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from builders import byte_tokenizer, chat_model, random_gpt2, reference, save_folder
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoConfig, AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel

from dialogpt_widget.engine import language_model as likelihoods
from dialogpt_widget.engine.rerank import MMI, Likelihood, Scorer
from dialogpt_widget.errors import ModelError

EOS = 299
CONTEXT = [[5, 6, 7], [8, 9], [10, 11, 12, 13]]
REPLIES = [[20, 21], [22], [23, 24, 25, 26, 27, 28], [20, 21, 30]]
turns = st.lists(st.integers(0, EOS - 1), min_size=1, max_size=12)


@pytest.fixture(scope="module")
def backward(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_folder(tmp_path_factory.mktemp("models") / "backward", random_gpt2(7), byte_tokenizer())


@pytest.fixture(scope="module")
def mmi(backward: Path) -> MMI:
    return MMI(str(backward))


@pytest.fixture(scope="module")
def theirs(backward: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(backward).eval()


def loss(model: Any, source: list[int], reply: list[int]) -> float:
    """The paper's loss by transformers: of the source alone."""
    ids = [*reply, EOS, *source, EOS]
    labels = [-100] * (len(reply) + 1) + [*source, EOS]
    with torch.inference_mode():
        return float(model(torch.tensor([ids]), labels=torch.tensor([labels])).loss)


def test_scorers_are_scorers(backward: Path) -> None:
    assert isinstance(MMI(str(backward)), Scorer)
    assert isinstance(Likelihood(chat_model()), Scorer)


@settings(max_examples=30, deadline=None)
@given(source=turns, replies=st.lists(turns, min_size=1, max_size=6))
def test_mmi_is_minus_the_loss_of_the_source(
    mmi: MMI, theirs: Any, source: list[int], replies: list[list[int]]
) -> None:
    scores = mmi.score([[1, 2], source], replies)
    expected = [-loss(theirs, source, reply) for reply in replies]
    np.testing.assert_allclose(scores, expected, atol=1e-4)


def test_the_backward_model_reads_the_reply_first_and_is_asked_for_the_source_alone(backward: Path) -> None:
    given_ids, asked = MMI(str(backward)).pair([5, 6, 7], [20, 21])
    assert [*given_ids, *asked] == [20, 21, EOS, 5, 6, 7, EOS]
    assert asked == [5, 6, 7, EOS]


def test_mmi_answers_the_last_turn(backward: Path) -> None:
    scorer = MMI(str(backward))
    assert np.array_equal(scorer.score(CONTEXT, REPLIES), scorer.score(CONTEXT[-1:], REPLIES))
    with pytest.raises(ValueError, match="no turn"):
        scorer.score([], REPLIES)


def test_a_backward_model_is_loaded_once_and_when_it_is_needed() -> None:
    scorer = MMI("no/such folder")
    with pytest.raises((ModelError, ValueError)):
        scorer.score(CONTEXT, REPLIES)


def test_of_long_turns_the_ends_are_read(backward: Path) -> None:
    scorer = MMI(str(backward))
    long = [number % EOS for number in range(1000)]
    given_ids, asked = scorer.pair(long, long)
    assert len(given_ids) == len(asked) == 128
    assert given_ids == asked == [*long[-127:], EOS]
    assert np.isfinite(scorer.score([long], [long])).all()


@pytest.mark.parametrize("normalised", [False, True])
def test_the_likelihood_is_that_of_the_reply_and_its_eos(*, normalised: bool) -> None:
    model = chat_model()
    scores = Likelihood(model, normalised=normalised).score(CONTEXT, REPLIES)
    context = [token for turn in CONTEXT for token in (*turn, EOS)]
    for reply, score in zip(REPLIES, scores, strict=True):
        ids = torch.tensor([[*context, *reply, EOS]])
        labels = torch.tensor([[-100] * len(context) + [*reply, EOS]])
        with torch.inference_mode():
            mean = -float(reference(model)(ids, labels=labels).loss)
        assert score == pytest.approx(mean * (1 if normalised else len(reply) + 1), abs=1e-4)


def test_of_a_context_that_is_too_long_the_end_counts() -> None:
    scorer = Likelihood(chat_model(positions=64))
    long = [[number % EOS for number in range(100)]]
    np.testing.assert_allclose(scorer.score(long, [[1]]), scorer.score([long[0][-61:]], [[1]]), atol=1e-5)


@pytest.mark.parametrize("at_once", [1, 40, 4096])
def test_many_at_once_are_scored_as_one_by_one(monkeypatch: pytest.MonkeyPatch, at_once: int, backward: Path) -> None:
    scorer = MMI(str(backward))
    alone = [float(scorer.score(CONTEXT, [reply])[0]) for reply in REPLIES]
    monkeypatch.setattr(likelihoods, "TOKENS_AT_ONCE", at_once)
    np.testing.assert_allclose(scorer.score(CONTEXT, REPLIES), alone, atol=1e-5)


def test_other_architectures_score_too() -> None:
    config = AutoConfig.for_model(
        "gpt_neox", vocab_size=300, hidden_size=32, num_hidden_layers=2, num_attention_heads=2
    )
    config.intermediate_size, config.eos_token_id = 64, EOS
    torch.manual_seed(0)
    model = chat_model(network=AutoModelForCausalLM.from_config(config).eval())
    scorer = Likelihood(model)
    alone = [float(scorer.score(CONTEXT, [reply])[0]) for reply in REPLIES]
    np.testing.assert_allclose(scorer.score(CONTEXT, REPLIES), alone, atol=1e-4)


def test_ids_of_another_vocabulary_are_refused(backward: Path) -> None:
    with pytest.raises(ValueError, match="Ids are from 0 to 299"):
        MMI(str(backward)).score([[50_000]], REPLIES)


# DialoGPT's own backward models are files with a state dict


@pytest.fixture(scope="module")
def wide() -> GPT2LMHeadModel:
    torch.manual_seed(3)
    config = GPT2Config(
        vocab_size=300, n_positions=64, n_embd=128, n_layer=2, n_head=2, bos_token_id=EOS, eos_token_id=EOS
    )
    return GPT2LMHeadModel(config).half().float().eval()


@pytest.mark.parametrize("zipped", [True, False])
def test_a_state_dict_of_dialogpts_own_is_read(wide: GPT2LMHeadModel, tmp_path: Path, *, zipped: bool) -> None:
    weights = {name.replace("lm_head.", "lm_head.decoder."): w.half() for name, w in wide.state_dict().items()}
    assert "lm_head.decoder.weight" in weights
    file = tmp_path / "small_reverse.pkl"
    torch.save(weights, file, _use_new_zipfile_serialization=zipped)
    scores = MMI(str(file)).score(CONTEXT, REPLIES)
    np.testing.assert_allclose(scores, [-loss(wide, CONTEXT[-1], reply) for reply in REPLIES], atol=1e-4)


def test_an_output_layer_of_its_own_is_read(wide: GPT2LMHeadModel, tmp_path: Path) -> None:
    weights = dict(wide.state_dict())
    weights["lm_head.decoder.weight"] = weights.pop("lm_head.weight") * 2
    torch.save(weights, tmp_path / "untied.pkl")
    model = MMI(str(tmp_path / "untied.pkl")).model
    tied = MMI.score(MMI(str(tmp_path / "untied.pkl")), CONTEXT, REPLIES)
    assert not model._network.shape.tied
    assert not np.allclose(tied, [-loss(wide, CONTEXT[-1], reply) for reply in REPLIES])


@pytest.mark.parametrize("content", [b"", b"no pickle", {"a": torch.ones(2)}, [1, 2], {"wte.weight": torch.ones(3, 2)}])
def test_a_damaged_file_is_said_to_be_damaged(tmp_path: Path, content: Any) -> None:
    file = tmp_path / "reverse.pkl"
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        torch.save(content, file)
    with pytest.raises(ModelError, match="could not be loaded"):
        MMI(str(file)).score(CONTEXT, REPLIES)


def test_a_file_that_runs_code_is_not_run(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "ran",))

    torch.save({"wte.weight": Evil()}, tmp_path / "reverse.pkl")
    with pytest.raises(ModelError):
        MMI(str(tmp_path / "reverse.pkl")).score(CONTEXT, REPLIES)
    assert not (tmp_path / "ran").exists()
