"""Beam search is transformers' own, with penalties on the reply alone, and its weights come and go once."""

from __future__ import annotations

import gc
import json
import logging
import os
import shutil
import subprocess
import sys
import threading
import warnings
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from builders import byte_tokenizer, chat_model, llama, random_gpt2, reference, save_folder, save_legacy_folder
from hypothesis import given
from hypothesis import settings as trials
from hypothesis import strategies as st
from replies import GREEDY, some_ids
from transformers import GPT2Config, GPT2LMHeadModel

from dialogpt_widget.engine.generation import beam as module
from dialogpt_widget.engine.generation.beam import Hypothesis
from dialogpt_widget.engine.loading import memory
from dialogpt_widget.engine.loading.names import MINI_FOLDER
from dialogpt_widget.engine.model import ChatModel
from dialogpt_widget.errors import ModelError
from dialogpt_widget.settings import Settings

EOS = 299
SHORT = Settings(max_new_tokens=12)
SNEAKY = {
    "do_sample": True,
    "temperature": 3.0,
    "top_k": 2,
    "repetition_penalty": 9.0,
    "no_repeat_ngram_size": 1,
    "min_new_tokens": 9,
    "length_penalty": -3.0,
    "early_stopping": True,
    "suppress_tokens": list(range(40, 200)),
    "eos_token_id": [0, 7, 8],
    "max_time": 1e-6,
}
SCRIPT = """
import sys
import psutil
from dialogpt_widget import ChatModel, Settings

def resident():
    return psutil.Process().memory_info().rss

def search(name):
    model = ChatModel.from_pretrained(name, device="cpu")
    assert model.beam([1, 2, 3], Settings(max_new_tokens=4), width=2, length_penalty=1.0)
    return model

search("mini").forget()
before = resident()
model = search(sys.argv[1])
held = resident()
model.forget()
print(held - resident())
model.beam([1, 2, 3], Settings(max_new_tokens=4), width=2, length_penalty=1.0)
del model
print(resident() - before)
"""
MIB = 1 << 20


@pytest.fixture(scope="module")
def networks() -> list[GPT2LMHeadModel]:
    """Random GPT-2s that end their replies more or less eagerly."""
    return [random_gpt2(seed, eagerness=1 + seed) for seed in range(4)]


@pytest.fixture(scope="module")
def models(networks: list[GPT2LMHeadModel], tmp_path_factory: pytest.TempPathFactory) -> list[ChatModel]:
    """The same, ready to chat."""
    folder = tmp_path_factory.mktemp("models")
    return [loaded(save_folder(folder / str(seed), network, byte_tokenizer())) for seed, network in enumerate(networks)]


def loaded(folder: Path, precision: str = "float32") -> ChatModel:
    return ChatModel.from_pretrained(str(folder), device="cpu", precision=precision)


def theirs(network: Any, ids: list[int], eos: int = EOS, **options: Any) -> list[Hypothesis]:
    """By `generate` itself."""
    batch = torch.tensor([ids])
    return as_hypotheses(network, len(ids), eos, input_ids=batch, attention_mask=torch.ones_like(batch), **options)


def blind(network: Any, ids: list[int], **options: Any) -> list[Hypothesis]:
    """By `generate` itself, given embeddings, so that its penalties do not see the context."""
    embedded = network.get_input_embeddings()(torch.tensor([ids]))
    mask = torch.ones(1, len(ids), dtype=torch.long)
    return as_hypotheses(network, 0, EOS, inputs_embeds=embedded, attention_mask=mask, **options)


def as_hypotheses(network: Any, start: int, eos: int, **options: Any) -> list[Hypothesis]:
    found = network.generate(
        num_return_sequences=options["num_beams"],
        pad_token_id=eos,
        eos_token_id=eos,
        return_dict_in_generate=True,
        output_scores=True,
        **{"do_sample": False, "min_new_tokens": 1} | options,
    )
    hypotheses = []
    for row, score in zip(found.sequences[:, start:].tolist(), found.sequences_scores.tolist(), strict=True):
        ended = eos in row
        hypotheses.append(Hypothesis(tuple(row[: row.index(eos)] if ended else row), ended, score))
    return hypotheses


def assert_same(own: list[Hypothesis], expected: list[Hypothesis]) -> None:
    assert [(one.ids, one.eos) for one in own] == [(one.ids, one.eos) for one in expected]
    assert [one.score for one in own] == pytest.approx([one.score for one in expected], rel=1e-5, abs=1e-5)


@contextmanager
def steps(model: ChatModel, then: Callable[[int], object]) -> Iterator[None]:
    """Calls `then` with the number of each forward pass of the model that searches."""
    count = 0

    def noted(*_: object) -> None:
        nonlocal count
        count += 1
        then(count)

    hook = model._beams._model.register_forward_hook(noted)  # type: ignore[union-attr]
    yield
    hook.remove()


@pytest.mark.parametrize("width", [2, 3, 4, 5])
@pytest.mark.parametrize("length_penalty", [-1.0, 0.0, 1.0, 2.0])
def test_it_is_what_generate_finds(models: Any, networks: Any, width: int, length_penalty: float) -> None:
    for seed, (model, network) in enumerate(zip(models, networks, strict=True)):
        ids = some_ids(1 + 17 * seed, seed)
        own = model.beam(ids, SHORT, width=width, length_penalty=length_penalty)
        options = {"num_beams": width, "length_penalty": length_penalty, "max_new_tokens": 12}
        assert_same(own, theirs(network, ids, **options))
        assert [one.score for one in own] == sorted((one.score for one in own), reverse=True)


def test_some_end_by_themselves_and_some_grow_too_long(models: Any) -> None:
    found = [one for model in models for one in model.beam(some_ids(9), SHORT, width=4, length_penalty=0.0)]
    assert {one.eos for one in found} == {True, False}
    assert all(len(one.ids) < 12 if one.eos else len(one.ids) == 12 for one in found)
    assert all(EOS not in one.ids for one in found)


@trials(max_examples=60)
@given(
    seed=st.integers(0, 3),
    context=st.integers(1, 60),
    width=st.integers(2, 6),
    length_penalty=st.floats(-1, 3),
    repetition_penalty=st.sampled_from([1.0, 0.5, 1.3, 3.0]),
    ngram=st.integers(0, 3),
    longest=st.integers(1, 15),
    shortest=st.integers(1, 15),
)
def test_penalties_are_those_of_transformers_on_the_reply_alone(
    models: Any,
    networks: Any,
    seed: int,
    context: int,
    width: int,
    length_penalty: float,
    repetition_penalty: float,
    ngram: int,
    longest: int,
    shortest: int,
) -> None:
    options = {
        "repetition_penalty": repetition_penalty,
        "no_repeat_ngram_size": ngram,
        "min_new_tokens": min(shortest, longest),
        "max_new_tokens": longest,
    }
    ids = some_ids(context, seed + context)
    own = models[seed].beam(ids, Settings(**options), width=width, length_penalty=length_penalty)
    assert_same(own, blind(networks[seed], ids, num_beams=width, length_penalty=length_penalty, **options))


def test_penalties_change_something(models: Any, networks: Any) -> None:
    ids, settings = some_ids(30), SHORT.replace(repetition_penalty=1.5, no_repeat_ngram_size=2, min_new_tokens=5)
    own = models[1].beam(ids, settings, width=4, length_penalty=1.0)
    assert own != models[1].beam(ids, SHORT, width=4, length_penalty=1.0)
    options = {"repetition_penalty": 1.5, "no_repeat_ngram_size": 2, "min_new_tokens": 5, "max_new_tokens": 12}
    assert own != theirs(networks[1], ids, num_beams=4, length_penalty=1.0, **options), "those see the context, too"


def test_what_is_drawn_and_filtered_elsewhere_does_not_apply(models: Any) -> None:
    wild = SHORT.replace(temperature=3.0, top_k=1, top_p=0.1, min_p=0.9, seed=7)
    ids = some_ids(9)
    assert models[2].beam(ids, wild, width=3, length_penalty=1.0) == models[2].beam(
        ids, SHORT.replace(do_sample=False), width=3, length_penalty=1.0
    )


def test_the_shortest_reply_may_be_empty_where_the_settings_let_it(models: Any, networks: Any) -> None:
    ids, options = some_ids(9, 2), {"num_beams": 5, "length_penalty": -1.0, "max_new_tokens": 12}
    for shortest in (0, 1, 4):
        found = models[2].beam(ids, SHORT.replace(min_new_tokens=shortest), width=5, length_penalty=-1.0)
        assert_same(found, theirs(networks[2], ids, min_new_tokens=shortest, **options))
        assert min(len(one.ids) for one in found) >= shortest
        assert (() in [one.ids for one in found]) == (shortest == 0)


@pytest.mark.parametrize(("length", "left"), [(1, 12), (250, 6), (255, 1)])
def test_the_window_bounds_replies(models: Any, networks: Any, length: int, left: int) -> None:
    ids = some_ids(length)
    own = models[0].beam(ids, SHORT, width=3, length_penalty=1.0)
    assert_same(own, theirs(networks[0], ids, num_beams=3, length_penalty=1.0, max_new_tokens=left))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        forced = models[0].beam(ids, SHORT.replace(min_new_tokens=12), width=3, length_penalty=1.0)
    assert [(len(one.ids), one.eos) for one in forced] == [(left, False)] * 3


def test_a_smaller_window_and_one_that_is_full(models: Any) -> None:
    settings = SHORT.replace(max_context=20, min_new_tokens=12)
    assert {len(one.ids) for one in models[0].beam(some_ids(15), settings, width=2, length_penalty=1.0)} == {5}
    with pytest.raises(ValueError, match="no room"):
        models[0].beam(some_ids(20), settings, width=2, length_penalty=1.0)
    with pytest.raises(ValueError, match="no room"):
        models[0].beam(some_ids(256), SHORT, width=2, length_penalty=1.0)


@pytest.mark.parametrize("width", [1, 0, -1, 2.0, True, "3"])
def test_a_width_is_a_whole_number_from_2(models: Any, width: Any) -> None:
    with pytest.raises(ValueError, match="at least 2"):
        models[0].beam([1], SHORT, width=width, length_penalty=1.0)


def test_dialogpts_own_format(networks: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = save_legacy_folder(tmp_path, networks[2], byte_tokenizer(), prefix="transformer.")
    narrow = random_gpt2(2, eagerness=3)
    narrow.load_state_dict({name: weight.half().float() for name, weight in networks[2].state_dict().items()})
    logger = logging.getLogger("transformers.modeling_utils")
    logger.addHandler(caplog.handler)
    own = loaded(folder).beam(some_ids(20), SHORT, width=4, length_penalty=1.0)
    logger.removeHandler(caplog.handler)
    assert "masked_bias" not in caplog.text, "its buffers are no news"
    assert_same(own, theirs(narrow, some_ids(20), num_beams=4, length_penalty=1.0, max_new_tokens=12))


def test_another_architecture_searches_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    model = chat_model(network=llama(eagerness=4.0))
    monkeypatch.setattr(module, "read_model", None)
    own = model.beam(some_ids(20), SHORT, width=4, length_penalty=1.0)
    assert model.beam_note == ""
    expected = theirs(llama(eagerness=4.0), some_ids(20), num_beams=4, length_penalty=1.0, max_new_tokens=12)
    assert_same(own, expected)
    following = next(model.generate(some_ids(20), GREEDY))
    assert following.id == next(chat_model(network=llama(eagerness=4.0)).generate(some_ids(20), GREEDY)).id


def test_mini_searches(mini: ChatModel) -> None:
    ids = [*mini.encode("Do you like music?"), mini.eos]
    own = mini.beam(ids, SHORT, width=4, length_penalty=1.0)
    options = {"num_beams": 4, "length_penalty": 1.0, "max_new_tokens": 12}
    assert_same(own, theirs(reference(mini), ids, mini.eos, **options))
    assert mini.beam_note == (
        "Beam search is transformers' generate: it loaded its own copy of the weights, 23.7 MB in float32."
    )
    mini.forget()


@pytest.mark.parametrize("make", ["mini", "llama"])
def test_what_a_folder_says_of_generation_does_not_sneak_in(make: str, mini: ChatModel, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    if make == "mini":
        shutil.copytree(MINI_FOLDER, folder)
        plain = mini
    else:
        save_folder(folder, llama(eagerness=4.0), byte_tokenizer())
        plain = chat_model(network=llama(eagerness=4.0))
    (folder / "generation_config.json").write_text(json.dumps(SNEAKY))
    ids = [*some_ids(10), plain.eos]
    own = loaded(folder).beam(ids, SHORT, width=3, length_penalty=1.0)
    assert_same(own, plain.beam(ids, SHORT, width=3, length_penalty=1.0))


@pytest.mark.parametrize("precision", ["int8", "bfloat16"])
def test_on_a_cpu_it_is_float32_and_says_so(models: Any, networks: Any, tmp_path: Path, precision: str) -> None:
    model = loaded(save_folder(tmp_path, networks[2], byte_tokenizer()), precision)
    own = model.beam(some_ids(20), SHORT, width=3, length_penalty=1.0)
    assert own == models[2].beam(some_ids(20), SHORT, width=3, length_penalty=1.0)
    size = sum(weight.numel() * 4 for weight in networks[2].parameters()) / 1e6
    assert model.beam_note.endswith(f" {size:.3g} MB in float32, while the chat runs in {precision}.")


def test_weights_are_loaded_once_and_again_only_once_they_are_forgotten(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, loads, read = loaded(folder), [], module.read_model
    monkeypatch.setattr(module, "read_model", lambda *args, **how: loads.append(args[0]) or read(*args, **how))
    given_back = []
    monkeypatch.setattr("dialogpt_widget.engine.model.release_memory", lambda device: given_back.append(device.type))
    assert model.beam_note == ""
    first = model.beam([1, 2], SHORT, width=2, length_penalty=1.0)
    assert model.beam([1, 2], SHORT, width=2, length_penalty=1.0) == first
    assert loads == [folder]
    assert model.beam_note
    weights = weakref.ref(model._beams._model)  # type: ignore[union-attr]
    model.forget()
    gc.collect()
    assert (weights(), model.beam_note, given_back) == (None, "", ["cpu"])
    assert model.beam([1, 2], SHORT, width=2, length_penalty=1.0) == first
    assert loads == [folder, folder]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep freed memory in ways of their own")
def test_its_memory_is_given_back(tmp_path: Path) -> None:
    config = GPT2Config(vocab_size=300, n_positions=64, n_embd=512, n_layer=8, n_head=8)
    config.bos_token_id = config.eos_token_id = EOS
    folder = save_legacy_folder(tmp_path, GPT2LMHeadModel(config), byte_tokenizer())
    environment = os.environ | {"MALLOC_ARENA_MAX": "1"}
    command = [sys.executable, "-c", SCRIPT, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    freed, left = (int(number) / MIB for number in done.stdout.split())
    assert freed > 80, "26 million parameters in float32"
    assert left < 15


def test_a_stop_ends_it_after_the_step_that_it_is_at(models: Any) -> None:
    stop, seen = threading.Event(), []

    def third(number: int) -> None:
        seen.append(number)
        if number == 3:
            stop.set()

    settings = SHORT.replace(min_new_tokens=12)
    assert models[0].beam([1, 2], settings, width=3, length_penalty=1.0)
    with steps(models[0], third):
        assert models[0].beam([1, 2], settings, stop, width=3, length_penalty=1.0) == []
    assert seen == [1, 2, 3]


def test_a_stop_before_it_begins_loads_nothing(folder: Path) -> None:
    model, stop = loaded(folder), threading.Event()
    stop.set()
    assert model.beam([1, 2], SHORT, stop, width=3, length_penalty=1.0) == []
    assert model.beam_note == ""


def test_a_stop_once_all_is_found_changes_nothing(models: Any) -> None:
    stop, ids = threading.Event(), some_ids(9)
    expected = models[0].beam(ids, SHORT, width=3, length_penalty=1.0)
    found = models[0].beam(ids, SHORT, stop, width=3, length_penalty=1.0)
    stop.set()
    assert found == expected


def test_the_chats_cache_stays(models: Any) -> None:
    ids = some_ids(30)
    next(models[0].generate(ids, GREEDY))
    models[0].beam(some_ids(20, 1), SHORT, width=3, length_penalty=1.0)
    next(models[0].generate([*ids, 5], GREEDY))
    assert models[0].reused == 30


def test_scores_of_single_steps_are_not_kept(models: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    models[0].beam([1], SHORT, width=2, length_penalty=1.0)
    searching, results = models[0]._beams._model, []
    generate = searching.generate

    def noted(*args: Any, **how: Any) -> Any:
        results.append(generate(*args, **how))
        return results[-1]

    monkeypatch.setattr(searching, "generate", noted)
    models[0].beam([1], SHORT, width=2, length_penalty=1.0)
    assert len(results[0].scores) > 1
    assert sum(scores.numel() for scores in results[0].scores) == 0


def test_where_every_token_is_barred_replies_end_once(tmp_path: Path) -> None:
    network = random_gpt2(0, positions=400)
    model = loaded(save_folder(tmp_path, network, byte_tokenizer()))
    settings = Settings(max_new_tokens=310, no_repeat_ngram_size=1, min_new_tokens=299)
    found = model.beam([1], settings, width=2, length_penalty=1.0)
    assert found
    for one in found:
        assert sorted(one.ids) == list(range(EOS))
        assert one.eos


def test_a_length_penalty_that_lets_none_win_is_explained(models: Any) -> None:
    settings = Settings(max_new_tokens=40, min_new_tokens=40)
    with pytest.raises(ModelError, match=r"length_penalty=-10 .* nearer to 0") as caught:
        models[0].beam([1, 2], settings, width=3, length_penalty=-10.0)
    assert caught.value.kind == "failed"


def test_a_model_without_files_is_refused() -> None:
    with pytest.raises(ModelError, match="came from no files"):
        chat_model().beam([1], SHORT, width=2, length_penalty=1.0)


def test_weights_that_do_not_fit_are_refused_before_they_are_loaded(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = loaded(folder)
    monkeypatch.setattr(memory, "available_memory", lambda: 10**6)
    monkeypatch.setattr(module, "read_model", None)
    with pytest.raises(ModelError, match=r"no room for beam search with tiny.*own copy.*takes about") as caught:
        model.beam([1], SHORT, width=2, length_penalty=1.0)
    assert caught.value.kind == "memory"
    assert model.beam_note == ""


def test_a_folder_that_is_gone_is_explained_and_the_chat_goes_on(folder: Path) -> None:
    model = loaded(folder)
    shutil.rmtree(folder)
    with pytest.raises(ModelError, match="damaged") as caught:
        model.beam([1], SHORT, width=2, length_penalty=1.0)
    assert caught.value.kind == "damaged"
    assert len(list(model.generate([1], GREEDY.replace(max_new_tokens=1)))) == 1


def test_memory_that_runs_out_on_the_way_is_explained(models: Any) -> None:
    def full(number: int) -> None:
        if number == 2:
            raise torch.OutOfMemoryError

    settings = SHORT.replace(min_new_tokens=12)
    expected = models[0].beam([1], settings, width=2, length_penalty=1.0)
    with steps(models[0], full), pytest.raises(ModelError, match="Memory ran out"):
        models[0].beam([1], settings, width=2, length_penalty=1.0)
    assert models[0].beam([1], settings, width=2, length_penalty=1.0) == expected
