from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer

from dialogpt_widget.training.__main__ import main
from dialogpt_widget.training.data import DataError, encode_dialogue
from dialogpt_widget.training.evaluate import load, score
from dialogpt_widget.training.export import export, find_model
from dialogpt_widget.training.train import Muon, Recipe, orthogonalised, train

SMALL = {"vocab_size": 300, "layers": 2, "width": 32, "heads": 2, "positions": 64, "block": 32, "batch": 2, "cpu": True}


def recipe(data: Path, out: Path, **changes: object) -> Recipe:
    paths = {"data": [f"{data}@4"], "out": str(out)}
    pace = {"steps": 20, "warmup": 2, "decay": 5, "save_every": 10}
    return Recipe(**(paths | pace | SMALL | changes))  # type: ignore[arg-type]


def history(run: Path, step: int) -> list[dict[str, float]]:
    state = json.loads((run / f"checkpoint-{step}" / "trainer_state.json").read_text())
    return [entry for entry in state["log_history"] if "loss" in entry]


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_training_from_scratch_learns_and_resumes(write: Callable[..., Path], tmp_path: Path, optimizer: str) -> None:
    data, run = write(), tmp_path / "run"
    final = train(recipe(data, run, optimizer=optimizer, heldout=[str(data)]))
    assert AutoModelForCausalLM.from_pretrained(final).config.n_layer == 2
    with pytest.raises(DataError, match="--resume"):
        train(recipe(data, run, optimizer=optimizer))
    train(recipe(data, run, optimizer=optimizer, steps=30, save_every=5, keep=9, resume=True))
    losses = history(run, 30)
    assert [entry["step"] for entry in losses] == [10, 20, 25, 30], "it goes on where it stopped, at its new pace"
    assert (run / "checkpoint-25").is_dir()
    assert losses[-1]["loss"] < losses[0]["loss"]


def test_resuming_after_a_crash_equals_never_having_stopped(write: Callable[..., Path], tmp_path: Path) -> None:
    run = tmp_path / "run"
    straight = load_file(train(recipe(write(), run)) / "model.safetensors")
    shutil.rmtree(run / "final")
    shutil.rmtree(run / "checkpoint-20")
    resumed = load_file(train(recipe(write(), run, resume=True)) / "model.safetensors")
    assert max(float((straight[name] - resumed[name]).abs().max()) for name in straight) < 1e-6


def test_a_model_folder_is_fine_tuned_with_its_own_vocabulary(
    write: Callable[..., Path], tmp_path: Path, tiny: Path
) -> None:
    data = write([["What are you?", "A test."]])
    final = train(recipe(data, tmp_path / "run", model=str(tiny), lr=1e-2))
    before, after = (score(*load(str(folder), cpu=True), [["What are you?", "A test."]]) for folder in (tiny, final))
    assert after.perplexity < before.perplexity
    assert AutoTokenizer.from_pretrained(final).get_vocab() == AutoTokenizer.from_pretrained(tiny).get_vocab()


def test_nothing_to_resume_and_too_long_blocks_are_said(write: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no checkpoint"):
        train(recipe(write(), tmp_path / "run", resume=True))
    with pytest.raises(DataError, match="64 positions"):
        train(recipe(write(), tmp_path / "run", block=65))
    with pytest.raises(DataError, match="cannot be loaded"):
        train(recipe(write(), tmp_path / "run", model=str(tmp_path)))


def test_perplexity_and_bits_a_byte_are_those_of_the_definition(tiny: Path, dialogues: list[list[str]]) -> None:
    model, tokenizer = load(str(tiny), cpu=True)
    result = score(model, tokenizer, dialogues)
    nats, tokens, size = 0.0, 0, 0
    for turns in dialogues:
        ids = encode_dialogue(tokenizer, turns)
        for end in range(1, len(ids)):
            with torch.no_grad():
                probabilities = model(torch.tensor([ids[:end]])).logits[0, -1].softmax(-1)
            nats -= math.log(float(probabilities[ids[end]]))
            tokens += 1
        size += len("\n".join(turns).encode()) + 1
    assert (result.dialogues, result.tokens, result.size) == (len(dialogues), tokens, size)
    assert result.perplexity == pytest.approx(math.exp(nats / tokens), rel=1e-4)
    assert result.bits_per_byte == pytest.approx(nats / math.log(2) / size, rel=1e-4)


def test_a_dialogue_longer_than_the_window_is_scored_to_its_end(tiny: Path) -> None:
    model, tokenizer = load(str(tiny), cpu=True)
    long = ["Good night " * 60, "Sleep well."]
    ids = encode_dialogue(tokenizer, long)
    assert len(ids) > 2 * model.config.n_positions
    assert score(model, tokenizer, [long]).tokens == len(ids) - 1


@pytest.mark.parametrize("answer", ["An answer.", "so long an answer that it fills the window " * 8])
def test_a_backward_model_is_scored_on_the_source_alone(tiny: Path, answer: str) -> None:
    model, tokenizer = load(str(tiny), cpu=True)
    result = score(model, tokenizer, [["A source.", answer]], reverse=True)
    source, given = (encode_dialogue(tokenizer, [turn]) for turn in ("A source.", answer))
    assert (result.dialogues, result.tokens, result.size) == (1, len(source), len("A source.") + 1)
    if len(given) + len(source) <= model.config.n_positions:
        with torch.inference_mode():
            logs = torch.log_softmax(model(torch.tensor([[*given, *source]])).logits[0].double(), -1)
        expected = -sum(float(logs[len(given) - 1 + place, token]) for place, token in enumerate(source))
        assert result.nats == pytest.approx(expected, rel=1e-5)


def test_a_backward_model_learns(write: Callable[..., Path], tmp_path: Path) -> None:
    data, run = write(), tmp_path / "run"
    train(recipe(data, run, reverse=True))
    losses = history(run, 20)
    assert losses[-1]["loss"] < losses[0]["loss"]
    with pytest.raises(DataError, match="two turns"):
        train(
            recipe(write([["alone"]], "alone.jsonl"), tmp_path / "none", reverse=True, tokenizer=str(run / "tokenizer"))
        )


def test_nothing_to_predict_is_an_error(tiny: Path) -> None:
    with pytest.raises(DataError, match="nothing to evaluate"):
        score(*load(str(tiny), cpu=True), [])


def test_an_export_is_half_as_big_and_says_the_same(tiny: Path, tmp_path: Path) -> None:
    target = tmp_path / "mini"
    target.mkdir()
    (target / "README.md").write_text("stays")
    size = export(tiny, target)
    assert size < 0.6 * (tiny / "model.safetensors").stat().st_size
    assert (target / "README.md").read_text() == "stays"
    written = {file.name for file in target.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"} <= written
    ids = torch.tensor([[5, 6, 0, 7]])
    one, two = (load(str(folder), cpu=True)[0](ids).logits for folder in (tiny, target))
    assert torch.allclose(one, two, atol=2e-2)
    tokenizer = AutoTokenizer.from_pretrained(target)
    assert tokenizer.eos_token == tokenizer.bos_token == "<|endoftext|>"
    assert tokenizer.decode(tokenizer.encode("日本 🙂 naïve")) == "日本 🙂 naïve"


def test_export_prefers_the_finished_model_and_says_when_there_is_none(tiny: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    for name in ("checkpoint-5", "checkpoint-10"):
        export(tiny, run / name)
    assert find_model(run).name == "checkpoint-10"
    export(tiny, run / "final")
    assert find_model(run).name == "final"
    with pytest.raises(DataError, match="no such folder"):
        find_model(tmp_path / "none")
    with pytest.raises(DataError, match="no model"):
        find_model(tmp_path)


@pytest.mark.parametrize("shape", [(8, 8), (8, 32), (32, 8), (3, 8, 8)])
def test_orthogonalised_matrices_have_singular_values_near_one(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonalised(torch.randn(shape), steps=10))
    assert values.min() > 0.6
    assert values.max() < 1.3


def test_outside_the_blocks_muon_is_adamw() -> None:
    torch.manual_seed(0)
    model = nn.Linear(4, 3)
    twin = nn.Linear(4, 3)
    twin.load_state_dict(model.state_dict())
    ours = Muon(model, adam_lr=0.01)
    theirs = torch.optim.AdamW(twin.parameters(), lr=0.01, betas=(0.9, 0.95), weight_decay=0)
    for step in range(5):
        for module, optimizer in ((model, ours), (twin, theirs)):
            module(torch.full((2, 4), float(step))).square().sum().backward()
            optimizer.step()
            optimizer.zero_grad()
    assert torch.allclose(model.weight, twin.weight, atol=1e-6)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "no such file"), ("", "holds no dialogues"), ('{"turns": ["Hi"]}\n{"turns"', "line 2: not valid JSON")],
)
def test_the_command_line_says_what_is_wrong_with_the_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, message: str
) -> None:
    path = tmp_path / "data.jsonl"
    if content is not None:
        path.write_text(content)
    assert main(["train", "--data", str(path), "--out", str(tmp_path / "run")]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_the_commands_follow_each_other(
    write: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, run, target = write(), tmp_path / "run", tmp_path / "model"
    shape = "--vocab-size 300 --layers 1 --width 16 --heads 2 --positions 64 --block 32 --batch 2 --steps 2 --cpu"
    assert main(["train", "--data", str(data), "--out", str(run), *shape.split()]) == 0
    assert main(["export", str(run), str(target)]) == 0
    assert main(["evaluate", "--model", str(target), "--data", str(data), "--cpu"]) == 0
    assert main(["gate", "--model", str(target), "--cpu"]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"perplexity [\d.]+ a token", printed)
    assert re.search(r"[\d.]+ bits a byte", printed)
    assert printed.count("\n|") >= 62 - 1
