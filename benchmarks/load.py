"""From a checkpoint on disk to a first token, in fresh processes, and what stays in memory."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.measure import bar, interleaved, table, times_faster
from benchmarks.weights import checkpoints, weights_file

IDS = list(range(1000, 1010))
TIMED = """
import gc, json, time
import psutil
IMPORTS
began = time.perf_counter()
LOAD
took, first = time.perf_counter() - began, time.time()
gc.collect()
time.sleep(2)
resident = psutil.Process().memory_info().rss
print(json.dumps({"load": took, "first": first, "resident": resident}))
"""
THEIR_IMPORTS = "import torch; from transformers import AutoModelForCausalLM, GPT2LMHeadModel"
THEIRS = """
model = AutoModelForCausalLM.from_pretrained({folder!r}, dtype=torch.float32)
with torch.inference_mode():
    model(torch.tensor([{ids}])).logits[0, -1].argmax().item()
"""
OUR_IMPORTS = "from dialogpt_widget import ChatModel, Settings; import dialogpt_widget.engine.model"
OURS = """
model = ChatModel.from_pretrained({folder!r}, device="cpu", precision={precision!r})
next(model.generate({ids}, Settings(do_sample=False)))
"""
BASE, OWN = "from_pretrained + a forward pass", "ChatModel + a first token"
FORMS = {"float32": "float32 safetensors", "bin": "float16 .bin"}
SLOWEST, LARGEST = 1.3, 1.3  # times from_pretrained; GB


def run(*, quick: bool, size: str | None = None) -> dict[str, Any]:
    """Seconds to the first token and resident bytes, by the form of the file and the precision."""
    size = size or ("small" if quick else "medium")
    rounds = 1 if quick else 5
    results: dict[str, Any] = {"size": size, "rows": {}, "resident": {}, "bars": []}
    with checkpoints(size, *FORMS) as folders:
        for form in list(FORMS)[: 1 if quick else None]:
            _one_form(results, form, folders[form], rounds)
        script = OURS.format(folder=str(folders["bin"]), precision="int8", ids=IDS)
        first, again = fresh(OUR_IMPORTS, script), fresh(OUR_IMPORTS, script)
    results["int8"] = {"first": first["load"], "again": again["load"]}
    for told, when in ((first, "converted and measured"), (again, "converted")):
        results["resident"][f"int8, from {FORMS['bin']}, {when}"] = told["resident"]
    print(f"\nint8 from {FORMS['bin']}: {first['load']:.2f} s, with its exactness measured; then {again['load']:.2f} s")
    print("\nResident memory two seconds after the first token")
    for name, size_ in results["resident"].items():
        print(f"  {name:70}{size_ / 1e9:7.2f} GB")
        if name.startswith("int8"):
            results["bars"].append(bar(f"{name}: GB resident", size_ / 1e9, most=LARGEST))
    return results


def _one_form(results: dict[str, Any], form: str, folder: Path, rounds: int) -> None:
    file = weights_file(folder)
    file.read_bytes()  # both find it in the page cache
    heard: dict[str, list[dict[str, float]]] = {BASE: [], OWN: []}
    scripts = {
        BASE: (THEIR_IMPORTS, THEIRS.format(folder=str(folder), ids=IDS)),
        OWN: (OUR_IMPORTS, OURS.format(folder=str(folder), precision="float32", ids=IDS)),
    }

    def one(name: str) -> float:
        heard[name].append(fresh(*scripts[name]))
        return heard[name][-1]["load"]

    loads = interleaved({name: lambda name=name: one(name) for name in scripts}, rounds)  # type: ignore[misc]
    title = f"{results['size']} from {FORMS[form]}, float32, {rounds} rounds"
    rows = table(f"{title}, imports left out", loads, "s", {OWN: f"at most {SLOWEST}"})
    whole = {name: [run["whole"] for run in runs] for name, runs in heard.items()}
    all_rows = table(f"{title}, imports and interpreter included", whole, "s", {})
    results["rows"][FORMS[form]] = {"load": rows, "whole process": all_rows}
    longer = times_faster(loads[OWN], loads[BASE])
    results["bars"].append(bar(f"{FORMS[form]}: times as long as from_pretrained", longer, most=SLOWEST))
    for name, runs in heard.items():
        results["resident"][f"float32, from {FORMS[form]}, {name}"] = runs[-1]["resident"]


def fresh(imports: str, load: str) -> dict[str, float]:
    """What a new process tells of loading, and in `whole` its seconds from nothing to the first token."""
    code = TIMED.replace("IMPORTS", imports).replace("LOAD", load)
    began = time.time()
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told | {"whole": told["first"] - began}
