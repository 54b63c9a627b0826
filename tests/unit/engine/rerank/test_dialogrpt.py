"""DialogRPT's rankers, against transformers' own classifier, and the published ensemble."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from builders import byte_tokenizer, save_folder
from transformers import GPT2Config, GPT2ForSequenceClassification

from dialogpt_widget.engine import language_model as likelihoods
from dialogpt_widget.engine.rerank import dialogrpt
from dialogpt_widget.engine.rerank.dialogrpt import HEADS, DialogRPT, ensemble
from dialogpt_widget.engine.rerank.scorers import Scorer
from dialogpt_widget.errors import ModelError

EOS = 299
CONTEXT = [[1, 2], [5, 6, 7], [8, 9]]
REPLIES = [[20, 21], [22], [23, 24, 25, 26, 27, 28], [20, 21, 30]]


@pytest.fixture(scope="module")
def rankers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Tiny rankers, each of other weights."""
    made = {}
    for seed, head in enumerate(HEADS):
        torch.manual_seed(seed)
        config = GPT2Config(vocab_size=300, n_positions=64, n_embd=32, n_layer=2, n_head=2, num_labels=1)
        config.pad_token_id = config.bos_token_id = config.eos_token_id = EOS
        config.initializer_range = 0.5
        made[head] = GPT2ForSequenceClassification(config).eval()
    return made


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, rankers: dict[str, Any]) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("rankers")
    return {head: str(save_folder(folder / head, model, byte_tokenizer())) for head, model in rankers.items()}


def theirs(model: Any, ids: list[int]) -> float:
    """By transformers, of the last id, padded with nothing."""
    with torch.inference_mode():
        hidden = model.transformer(torch.tensor([ids])).last_hidden_state[0, -1]
        return float(torch.sigmoid(model.score(hidden)))


def test_the_published_example() -> None:
    values = {
        "human_vs_rand": 0.875923,
        "human_vs_machine": 0.686659,
        "updown": 0.612857,
        "depth": 0.496809,
        "width": 0.368103,
    }
    assert ensemble({head: np.array([value]) for head, value in values.items()})[0] == pytest.approx(0.531975, abs=1e-6)


@pytest.mark.parametrize(
    ("heads", "expected"),
    [
        (["updown"], 0.6),
        (["human_vs_rand"], 0.9),
        (["human_vs_rand", "human_vs_machine"], 0.8),
        (["updown", "depth"], (0.6 + 0.48 * 0.5) / 1.48),
        (["updown", "human_vs_machine"], 0.6 * 0.7),
    ],
)
def test_some_heads_are_an_ensemble_too(heads: list[str], expected: float) -> None:
    values = {"human_vs_rand": 0.9, "human_vs_machine": 0.7, "updown": 0.6, "depth": 0.5, "width": 0.4}
    assert ensemble({head: np.array([values[head]]) for head in heads})[0] == pytest.approx(expected)


def test_a_ranker_reads_two_turns_and_the_reply_without_its_eos(rankers: Any, folders: dict[str, str]) -> None:
    values = DialogRPT(folders).values(CONTEXT, REPLIES)
    assert list(values) == list(HEADS)
    for head, model in rankers.items():
        expected = [theirs(model, [5, 6, 7, EOS, 8, 9, EOS, *reply]) for reply in REPLIES]
        np.testing.assert_allclose(values[head], expected, atol=1e-5)


@pytest.mark.parametrize("at_once", [1, 40, 4096])
def test_many_at_once_are_scored_as_one_by_one(
    monkeypatch: pytest.MonkeyPatch, folders: dict[str, str], at_once: int
) -> None:
    scorer = DialogRPT(folders)
    alone = [float(scorer.score(CONTEXT, [reply])[0]) for reply in REPLIES]
    monkeypatch.setattr(likelihoods, "TOKENS_AT_ONCE", at_once)
    np.testing.assert_allclose(scorer.score(CONTEXT, REPLIES), alone, atol=1e-6)


def test_a_reply_that_ends_with_eos_ids_is_scored_at_its_own_end(rankers: Any, folders: dict[str, str]) -> None:
    scorer = DialogRPT({"updown": folders["updown"]})
    short, long = [20, EOS], list(range(30))
    values = scorer.values(CONTEXT, [short, long])["updown"]
    assert values[0] == pytest.approx(theirs(rankers["updown"], [5, 6, 7, EOS, 8, 9, EOS, 20, EOS]), abs=1e-5)


def test_of_what_is_too_long_the_end_is_read(rankers: Any, folders: dict[str, str]) -> None:
    long = [number % EOS for number in range(200)]
    value = DialogRPT({"depth": folders["depth"]}).values([long], [[5, 6]])["depth"][0]
    assert value == pytest.approx(theirs(rankers["depth"], [*long, EOS, 5, 6][-64:]), abs=1e-5)


def test_rankers_are_loaded_when_they_are_needed(folders: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    loads = []
    load = dialogrpt._load

    def counted(name: str, *how: str) -> Any:
        loads.append(name)
        return load(name, *how)

    monkeypatch.setattr(dialogrpt, "_load", counted)
    scorer = DialogRPT({"updown": folders["updown"], "depth": folders["depth"]})
    assert isinstance(scorer, Scorer)
    assert not loads
    scorer.score(CONTEXT, REPLIES)
    scorer.score(CONTEXT, REPLIES)
    assert loads == [folders["updown"], folders["depth"]]


@pytest.mark.parametrize("heads", [[], ["likes"], {"likes": "folder"}])
def test_unknown_heads_are_refused(heads: Any) -> None:
    with pytest.raises(ValueError, match="heads are some of updown"):
        DialogRPT(heads)


def test_a_language_model_is_no_ranker(folder: Path) -> None:
    with pytest.raises(ModelError, match="no ranker"):
        DialogRPT({"updown": str(folder)}).score(CONTEXT, REPLIES)
