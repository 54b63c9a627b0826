"""From nothing to the first word of a reply, against what importing torch and transformers alone takes."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

from benchmarks.measure import interleaved, table

IMPORTS = "import torch; from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2LMHeadModel"
LAZY = "import torch, transformers"
FIRST_WORD = """
from dialogpt_widget import ChatWidget
chat = ChatWidget("mini")
chat.on_token(lambda token: __import__("os")._exit(0))
chat.send("Hello, how are you?")
raise SystemExit(1)
"""


def run(*, quick: bool) -> dict[str, Any]:
    """Seconds of fresh processes."""
    variants = {
        "import torch and transformers' GPT-2": lambda: _seconds(IMPORTS),
        "import torch, transformers (lazy)": lambda: _seconds(LAZY),
        "ChatWidget('mini') to first word": lambda: _seconds(FIRST_WORD),
    }
    times = interleaved(variants, 1 if quick else 5)
    rows = table("Start, fresh processes", times, "s", {"ChatWidget('mini') to first word": "1.3 x imports + 1.5 s"})
    for name in list(variants)[:2]:
        allowed = 1.3 * rows[name]["median"] + 1.5
        print(f"  1.3 x ({name}) + 1.5 s = {allowed:.2f} s")
    return rows


def _seconds(code: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    return time.perf_counter() - began
