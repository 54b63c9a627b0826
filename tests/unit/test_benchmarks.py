"""What a benchmark could get wrong without anybody seeing it: other ids, other contexts, other bytes."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from benchmarks import __main__ as program
from benchmarks import conversation, measure, peers, plots, reply, smaps
from benchmarks.bandwidth import read_a_token
from benchmarks.variants import NEW, Card, Engine, KeptCache, Timed, Variant, engines, first_difference
from benchmarks.weights import EOS, checkpoints, random_weights, shape_of, talk, weights_file
from dialogpt_widget.dialogue.context import build_context
from dialogpt_widget.engine.loading.checkpoint import read_weights

PEERS = ("ctranslate2", "onnx", "onnxscript", "onnxruntime")
HISTORIES = (0, 40, 200)


@pytest.fixture(scope="module")
def folders() -> Iterator[dict[str, Path]]:
    with checkpoints("tiny", "float32", "float16", "bin") as made:
        yield made


@pytest.fixture(scope="module")
def card(folders: dict[str, Path]) -> Card:
    return Card(folders["float32"])


@pytest.fixture(scope="module")
def variants(card: Card, folders: dict[str, Path]) -> list[Variant]:
    """Those that need nothing but this package."""
    return [card, KeptCache(folders["float32"], card.model), *engines(folders)]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(reply, "SETTLE", 0)
    monkeypatch.setattr(conversation, "SETTLE", 0)
    monkeypatch.setattr(measure, "RESULTS", tmp_path)
    monkeypatch.setattr(plots, "RESULTS", tmp_path)


def test_every_form_of_a_checkpoint_has_the_same_weights(folders: dict[str, Path]) -> None:
    def read(form: str) -> dict[str, torch.Tensor]:
        file = weights_file(folders[form])
        return read_weights([file], shape_of("tiny"), None, torch.device("cpu"), lambda _: None)

    expected = random_weights("tiny")
    for form, dtype in (("float32", torch.float32), ("float16", torch.float16), ("bin", torch.float16)):
        found = read(form)
        assert {weight.dtype for weight in found.values()} == {dtype}
        assert all(torch.equal(found[name].float(), weight.float()) for name, weight in expected.items())


def test_a_prompt_ends_with_a_turn_that_is_new_in_each_round() -> None:
    for history in HISTORIES[1:]:
        one, other = reply.prompt_of(history, 1), reply.prompt_of(history, 2)
        assert len(one) == history
        assert one[:-NEW] == other[:-NEW]
        assert one[-NEW:] != other[-NEW:]
        assert one[-1] == EOS
    assert len(reply.prompt_of(0, 1)) == NEW


@pytest.mark.parametrize("history", HISTORIES)
def test_in_float32_all_variants_reply_as_the_card_does(card: Card, variants: list[Variant], history: int) -> None:
    measured, prompts = reply.measure(variants, history, rounds=2)
    said = reply.compare(card, measured, prompts, {one.name for one in variants if one.exact})
    exact = [one.name for one in variants if one.exact]
    assert exact == [Card.name, KeptCache.name, reply.EXACT, reply.HALF]
    assert [said[name] for name in exact] == ["equal"] * 4
    for replies in measured.values():
        for one in replies:
            assert len(one.ids) == len(one.times) == reply.REPLY
            assert EOS not in one.ids
            assert sorted(one.times) == one.times
    assert measured[card.name][0].ids != measured[card.name][1].ids
    assert len(set(measured[card.name][0].ids)) > 5


def test_what_is_kept_over_turns_is_all_but_the_new_turn(card: Card, folders: dict[str, Path]) -> None:
    kept, engine = KeptCache(folders["float32"], card.model), Engine(folders["float32"], "float32", "float32")
    for history in (40, 200, 200):
        ids = reply.prompt_of(history, history)
        kept.prepare(ids)
        assert kept._cache.get_seq_length() == history - NEW
        engine.prepare(ids)
        engine.reply(ids, 1)
        assert engine.model.reused == history - NEW


def test_peers_reply_as_the_card_does_or_say_what_is_missing(card: Card, folders: dict[str, Path]) -> None:
    left_out: list[str] = []
    variants = reply.make("tiny", folders, left_out)
    missing = [package for package in PEERS if find_spec(package) is None]
    assert bool(left_out) == bool(missing)
    assert all(any(package in said for package in missing) for said in left_out)
    there = {one.name for one in variants}
    assert ("CTranslate2, float32" in there) == ("ctranslate2" not in missing)
    assert ("ONNX Runtime, int8" in there) == (not set(missing) & set(PEERS[1:]))
    measured, prompts = reply.measure(variants, 40, rounds=2)
    said = reply.compare(card, measured, prompts, {one.name for one in variants if one.exact})
    assert all(said[one.name] == "equal" for one in variants if one.exact)
    assert all(len(one.ids) == len(one.times) == reply.REPLY for replies in measured.values() for one in replies)


def test_without_the_peers_all_else_runs_and_each_is_told_of(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers, "find_spec", lambda _: None)
    left_out: list[str] = []
    assert len(reply.make("tiny", folders, left_out)) == 6
    assert ["ctranslate2" in left_out[0], "onnx" in left_out[1]] == [True, True]


def test_a_tie_is_excused_and_another_difference_is_not() -> None:
    def told(gap: float, exact: set[str]) -> dict[str, str]:
        judge: Any = SimpleNamespace(name="card", gap=lambda _: gap)
        made = {"card": [Timed([1, 2], [1, 2])], "other": [Timed([1, 3], [1, 2])]}
        return reply.compare(judge, made, [[7]], exact)

    assert told(1e-3, {"other"})["other"].startswith("wrong: 1 of 1")
    assert told(1e-5, {"other"})["other"].startswith("equal but for 1 ties")
    assert told(1e-3, set()) == {"card": "equal", "other": "1 of 1 differ"}


def test_the_first_difference() -> None:
    assert first_difference([1, 2], [1, 2]) is None
    assert first_difference([1, 2], [1, 3]) == 1
    assert first_difference([1, 2], [1]) == 1


def test_the_gap_is_that_of_the_two_best_logits_but_for_eos(card: Card) -> None:
    ids = talk(30)
    with torch.inference_mode():
        logits = card.model(torch.tensor([ids])).logits[0, -1]
    best = sorted((float(one) for token, one in enumerate(logits) if token != EOS), reverse=True)
    assert card.gap(ids) == pytest.approx(best[0] - best[1], abs=1e-6)


def test_a_token_reads_every_linear_map_and_the_output_layer() -> None:
    for size in ("tiny", "small", "medium", "large"):
        shape = shape_of(size)
        maps = [rows * columns for name, (rows, *rest) in shape.weights().items() for columns in rest if name[0] != "w"]
        assert read_a_token(shape) == sum(maps) + shape.vocabulary * shape.width
    assert read_a_token(shape_of("medium")) == 353_453_056


def test_a_conversation_goes_on_past_the_window_and_both_see_the_contexts_of_the_product(
    card: Card, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    window, seen = 150, []
    generate = card.reply
    monkeypatch.setattr(card, "reply", lambda ids, count: seen.append(tuple(ids)) or generate(ids, count))
    turns = list(conversation.converse(card, conversation._model(folders["float32"]), window))
    exchange = conversation.USER + reply.REPLY + 2
    assert len(turns) == -(-window // exchange)
    assert [one.gap for one in turns] == [None] * len(turns)
    assert [one.context for one in turns] == [len(ids) for ids in seen]
    limit = window - reply.REPLY
    evicted = next(place for place in range(len(turns)) if place * exchange + conversation.USER + 1 > limit)
    assert [one.dropped > 0 for one in turns] == [place >= evicted for place in range(len(turns))]
    assert turns[evicted].context <= window * 3 // 4
    assert seen[1][: len(seen[0])] == seen[0]
    assert seen[1][len(seen[0]) + reply.REPLY] == EOS


def test_the_contexts_of_a_conversation_are_build_contexts(card: Card, folders: dict[str, Path]) -> None:
    from dialogpt_widget import Chat

    model = conversation._model(folders["float32"])
    chat = Chat(model, settings=conversation.settings_for(150))
    chat.send("I like music")
    assert chat.path[-1].stop == "length"
    expected = build_context(chat.path[:-1], EOS, chat.settings, 1024)
    assert chat.state.context_of(chat.path[:-1], chat.settings) == expected


SMAPS = """7f00-7f10 r--p 00000000 fe:00 123 /tmp/with space/model.safetensors
Size:                 64 kB
Rss:                  40 kB
Pss:                  10 kB
Pss_Dirty:             0 kB
Anonymous:             0 kB
VmFlags: rd mr mw me
7f20-7f30 rw-p 00000000 00:00 0
Rss:                   8 kB
Pss:                   8 kB
Anonymous:             8 kB
"""


def test_mappings_are_read_as_the_kernel_writes_them() -> None:
    found = smaps.mappings(SMAPS)
    assert found == [
        smaps.Mapping("/tmp/with space/model.safetensors", 40 * 1024, 10 * 1024, 0),
        smaps.Mapping("", 8 * 1024, 8 * 1024, 8 * 1024),
    ]
    assert smaps.pss(found, lambda path: path.endswith("model.safetensors")) == 10 * 1024
    assert smaps.anonymous(found) == 8 * 1024


@pytest.mark.skipif(not Path("/proc/self/smaps").is_file(), reason="only Linux tells what processes share")
def test_a_mapped_file_counts_as_far_as_it_was_read(tmp_path: Path) -> None:
    file = tmp_path / "mapped"
    file.write_bytes(bytes(1 << 20))
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        assert not any(mapped[:])
        found = [one for one in smaps.of_process(os.getpid()) if one.path == str(file.resolve())]
        assert sum(one.rss for one in found) == 1 << 20
        assert sum(one.anonymous for one in found) == 0


def test_ratios_are_taken_within_a_round_and_bars_are_judged() -> None:
    assert measure.times_faster([2, 8, 30], [1, 2, 3]) == 4
    assert measure.bar("a", 1.59, least=1.6)["held"] is False
    assert measure.bar("a", 1.6, least=1.6)["held"] is True
    assert measure.bar("a", 1.41, most=1.4)["held"] is False


def test_ids_that_are_wrong_fail_the_program_after_they_were_saved(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(program, "ALL", {"reply": lambda **_: {"faults": ["one differs"]}})
    monkeypatch.setattr("sys.argv", ["benchmarks", "--size", "tiny", "reply"])
    with pytest.raises(SystemExit, match="one differs"):
        program.main()
    assert (tmp_path / "reply.json").is_file()


def test_what_has_a_size_takes_one() -> None:
    assert {name for name, run in program.ALL.items() if "size" in signature(run).parameters} == set(program.SIZED)


def test_plots_are_drawn(tmp_path: Path) -> None:
    row = {"first": [1.0, 2.0], "each": [1.0, 2.0], "total": [1.0, 2.0]}
    plots.replies("reply", "Replies", {"100": {"one": row, "two": row}, "900": {"one": row, "two": row}})
    plots.conversation("conversation", "Turns", [{"context": 5, "card": 1.0, "chat": 0.5}])
    plots.floor("floor", "Floor", {"one": {"median": 2.0, "floor": 1.0}})
    assert sorted(file.name for file in tmp_path.glob("*.svg")) == ["conversation.svg", "floor.svg", "reply.svg"]
