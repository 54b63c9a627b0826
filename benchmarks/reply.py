"""A reply of 20 tokens after histories of several lengths: the engine beside what a user would otherwise run."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks import plots
from benchmarks.apart import SequentialBatch
from benchmarks.measure import bar, named, times_faster
from benchmarks.peers import CTranslate2, OnnxRuntime
from benchmarks.variants import NEW, Card, KeptCache, MissingError, Timed, Variant, engines, first_difference
from benchmarks.weights import checkpoints, random_weights, shape_of, talk
from dialogpt_widget.engine.loading.machine import processors

REPLY = 20  # tokens
TIE = 1e-4  # between the two best logits: either may win
SETTLE = 0.25  # seconds, in which threads of the variant before stop waiting awake
EXACT, HALF, BRAIN, INTEGER = (
    "engine, float32 from a float32 file",
    "engine, float32 from a float16 file",
    "engine, bfloat16",
    "engine, int8",
)
Measured = dict[str, list[Timed]]


def run(*, quick: bool, size: str | None = None) -> dict[str, Any]:
    """Time to the first token, milliseconds a token after it, and in all, by variant and history."""
    size = size or ("small" if quick else "medium")
    rounds, histories = (1, (100, 900)) if quick else (7, (0, 100, 500, 900))
    torch.set_num_threads(processors())
    left_out: list[str] = []
    with checkpoints(size, "float32", "float16") as folders:
        variants = make(size, folders, left_out, quick=quick)
    card = variants[0]
    assert isinstance(card, Card)
    title = f"A reply of {REPLY} tokens, random weights of DialoGPT-{size}'s shape, {rounds} rounds"
    results: dict[str, Any] = {"size": size, "reply": REPLY, "left out": left_out, "histories": {}}
    faults: list[str] = []
    for history in histories:
        measured, prompts = measure(variants, history, rounds, warm=history != histories[0])
        ids = compare(card, measured, prompts, {one.name for one in variants if one.exact})
        faults += [f"{name} after {history} tokens: {said}" for name, said in ids.items() if said.startswith("wrong")]
        _print(f"{title}, {history} tokens of history", measured, ids)
        results["histories"][str(history)] = {
            name: {
                "first": [one.first for one in replies],
                "each": [one.each for one in replies],
                "total": [one.total for one in replies],
                "ids": ids[name],
            }
            for name, replies in measured.items()
        }
    for one in left_out:
        print(f"  left out: {one}")
    results["bars"] = _bars(results["histories"])
    plots.replies(named("reply", quick=quick), title, results["histories"])
    return results | {"faults": faults}


def make(size: str, folders: dict[str, Path], left_out: list[str], *, quick: bool = False) -> list[Variant]:
    """All variants, on the same weights; what cannot be had is told in `left_out`. The first is the card's loop."""
    others = [_ctranslate2(folders)]
    if quick:
        left_out.append("ONNX Runtime, for which exporting takes longer than measuring: see without --quick")
    else:
        others.append(_onnx(size, folders))
    card = Card(folders["float32"])
    kept = KeptCache(folders["float32"], card.model)
    variants: list[Variant] = [card, kept, *engines(folders)]
    for peers in others:
        try:
            variants += peers
        except MissingError as error:
            left_out.append(str(error))
    gc.collect()
    return variants


def _ctranslate2(folders: dict[str, Path]) -> Iterator[Variant]:
    converted = CTranslate2.convert(folders["float32"], folders["float32"].parent / "ctranslate2")
    for precision in ("float32", "int8"):
        yield SequentialBatch(CTranslate2, converted, precision, processors())


def _onnx(size: str, folders: dict[str, Path]) -> Iterator[Variant]:
    shape, home = shape_of(size), folders["float32"].parent
    file = OnnxRuntime.export(random_weights(size), shape, home / "onnx")
    yield SequentialBatch(OnnxRuntime, file, "float32", shape, processors())
    yield SequentialBatch(OnnxRuntime, OnnxRuntime.quantize(file, home / "onnx-int8"), "int8", shape, processors())


def prompt_of(history: int, turn: int) -> list[int]:
    """A context of so many tokens, or of the first turn alone; its last `NEW` ids are the user's new turn."""
    return talk(max(0, history - NEW)) + talk(NEW, seed=turn + 1)


def measure(
    variants: Sequence[Variant], history: int, rounds: int, *, warm: bool = False
) -> tuple[Measured, list[list[int]]]:
    """Replies of each variant, interleaved, to another new turn in each round; before, one that is not counted.

    Args:
        variants: in the order in which they reply.
        history: tokens of context.
        rounds: that are counted.
        warm: leaves out the round that is not.
    """
    measured: Measured = {one.name: [] for one in variants}
    prompts = []
    for turn in range(1 if warm else 0, rounds + 1):
        ids = prompt_of(history, turn)
        for one in variants:
            one.prepare(ids)
            time.sleep(SETTLE)
            reply = one.reply(ids, REPLY)
            if turn:
                measured[one.name].append(reply)
        if turn:
            prompts.append(ids)
    return measured, prompts


def compare(card: Card, measured: Measured, prompts: Sequence[Sequence[int]], exact: set[str]) -> dict[str, str]:
    """What is to be said of each variant's ids beside the card's: "equal", a tie, how many replies differ, or wrong."""
    expected = measured[card.name]
    said = {}
    for name, replies in measured.items():
        apart = [first_difference(one.ids, other.ids) for one, other in zip(expected, replies, strict=True)]
        different = [
            [*ids, *one.ids[:place]]
            for ids, one, place in zip(prompts, expected, apart, strict=True)
            if place is not None
        ]
        gaps = [card.gap(ids) for ids in different if name in exact]
        if not different:
            said[name] = "equal"
        elif not gaps:
            said[name] = f"{len(different)} of {len(apart)} differ"
        elif max(gaps) < TIE:
            said[name] = f"equal but for {len(gaps)} ties (two best logits within {max(gaps):.0e})"
        else:
            said[name] = f"wrong: {len(gaps)} of {len(apart)} differ, two best logits {max(gaps):.0e} apart"
    return said


def _print(title: str, measured: Measured, ids: dict[str, str]) -> None:
    card = next(iter(measured.values()))
    print(f"\n{title}")
    heads = ("first, ms", "faster", "ms a token", "faster", "reply, s", "faster")
    print(f"  {'':38}{''.join(f'{head:>11}' for head in heads)}  ids")
    for name, replies in measured.items():
        cells = ""
        for what in ("first", "each", "total"):
            values = [getattr(one, what) for one in replies]
            median = statistics.median(values)
            faster = times_faster([getattr(one, what) for one in card], values)
            cells += f"{median:11.{3 if what == 'total' else 1}f}{faster:11.2f}"
        print(f"  {name:38}{cells}  {ids[name]}")


def _bars(histories: dict[str, Any]) -> list[dict[str, Any]]:
    print("\nBars")
    bars = []
    for history, least, least_int8 in (("100", 1.6, 6), ("900", 3.3, 11)):
        rows = histories.get(history)
        if rows is None:
            continue
        card = rows[Card.name]
        for name, wanted in ((EXACT, least), (HALF, least), (INTEGER, least_int8)):
            faster = times_faster(card["total"], rows[name]["total"])
            bars.append(bar(f"{name}: reply after {history} tokens, times faster", faster, least=wanted))
        peer = rows.get("CTranslate2, int8")
        if peer:
            faster = times_faster(peer["each"], rows[INTEGER]["each"])
            bars.append(bar(f"{INTEGER}: a token after {history}, times CTranslate2's speed", faster, least=2))
    if {"100", "900"} <= histories.keys():
        early, late = histories["100"], histories["900"]
        for name in (EXACT, HALF):
            faster = times_faster(late[Card.name]["first"], late[name]["first"])
            bars.append(bar(f"{name}: first token after 900 tokens, times sooner", faster, least=12))
            longer = statistics.median(late[name]["first"]) / statistics.median(early[name]["first"])
            bars.append(bar(f"{name}: first token after 900 tokens to that after 100", longer, most=1.4))
    return bars
