"""The gate: sixty fixed everyday prompts (``gate.json``), written before any answer was seen, answered by a model.

The replies are for a reader to rate: one that fits the prompt and is grammatical passes. At least 70 % should.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from .data import encode_dialogue

PROMPTS = Path(__file__).with_name("gate.json")
SEED = 0
TEMPERATURE = 0.7
TOP_K = 40
TOP_P = 0.9


@dataclass(frozen=True)
class Reply:
    """A prompt with the model's greedy and its sampled reply."""

    prompt: str
    greedy: str
    sampled: str


def prompts() -> list[str]:
    """The sixty prompts, always the same."""
    return [str(prompt) for prompt in json.loads(PROMPTS.read_text(encoding="utf-8"))]


@torch.inference_mode()
def answer(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, prompt: str, *, sample: bool, longest: int = 60
) -> str:
    """A reply to one prompt, without history."""
    ids = torch.tensor([encode_dialogue(tokenizer, [prompt])], device=model.device)
    settings = {"do_sample": True, "temperature": TEMPERATURE, "top_k": TOP_K, "top_p": TOP_P} if sample else {}
    window = int(getattr(model.config, "n_positions", 1024))
    output = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=min(longest, window - ids.shape[1]),
        pad_token_id=tokenizer.eos_token_id,
        **({"do_sample": False} | settings),
    )
    return str(tokenizer.decode(output[0, ids.shape[1] :], skip_special_tokens=True)).strip()


def run(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> list[Reply]:
    """Answers all prompts; the seed is set once, so that the sampled column can be had again."""
    greedy = [answer(model, tokenizer, prompt, sample=False) for prompt in prompts()]
    torch.manual_seed(SEED)
    sampled = [answer(model, tokenizer, prompt, sample=True) for prompt in prompts()]
    return [Reply(*row) for row in zip(prompts(), greedy, sampled, strict=True)]


def table(replies: list[Reply]) -> str:
    """The replies as a Markdown table with a column to rate in."""
    head = "| | prompt | greedy | sampled |\n|---|---|---|---|\n"
    return head + "".join(
        f"| {number} | {reply.prompt} | {reply.greedy} | {reply.sampled} |\n" for number, reply in enumerate(replies, 1)
    )
