"""How well a model predicts held-out dialogues: perplexity a token and bits a byte."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from .data import DataError, Dialogue, encode_dialogue, reverse_pairs


@dataclass(frozen=True)
class Score:
    """The sum over held-out dialogues.

    Attributes:
        dialogues: How many.
        tokens: Predicted ids, every turn's EOS included; the first id of a dialogue is given, not predicted.
        size: UTF-8 bytes of the turns, and one for each EOS.
        nats: Negative log-likelihood of the predicted ids.
    """

    dialogues: int
    tokens: int
    size: int
    nats: float

    @property
    def perplexity(self) -> float:
        """exp(nats / tokens): depends on the vocabulary."""
        return math.exp(self.nats / self.tokens)

    @property
    def bits_per_byte(self) -> float:
        """Nats / (size ln 2): comparable between vocabularies."""
        return self.nats / (self.size * math.log(2))


def nats_of(model: PreTrainedModel, ids: list[int], window: int, given: int = 1) -> tuple[float, int]:
    """Negative log-likelihood of a dialogue and how many ids it covers.

    A dialogue longer than the window is read in windows that overlap by half, each id scored once.

    Args:
        model: In evaluation mode.
        ids: One dialogue.
        window: The model's positions.
        given: How many ids at the beginning are not predicted, at least 1.
    """
    total, done = 0.0, given
    while done < len(ids):
        start = 0 if done == given < window else max(0, done - window // 2)
        piece = torch.tensor([ids[start : start + window]], device=model.device)
        logits: Tensor = model(input_ids=piece, attention_mask=torch.ones_like(piece)).logits[0, :-1].float()
        losses = torch.nn.functional.cross_entropy(logits, piece[0, 1:], reduction="none")
        total += float(losses[done - start - 1 :].double().sum())
        done = start + piece.shape[1]
    return total, len(ids) - given


@torch.inference_mode()
def score(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    dialogues: Iterable[Dialogue],
    *,
    reverse: bool = False,
) -> Score:
    """Scores dialogues one by one, so that the result does not depend on packing or padding.

    Args:
        model: Forward or backward.
        tokenizer: Of the model.
        dialogues: That it never saw.
        reverse: Whether it is a backward model: of each pair of turns the first is scored, after the second.

    Raises:
        DataError: There is nothing to predict.
    """
    model.eval()
    window = int(getattr(model.config, "n_positions", 1024))
    count, tokens, size, nats = 0, 0, 0, 0.0
    for turns in reverse_pairs(dialogues) if reverse else dialogues:
        given = len(encode_dialogue(tokenizer, turns[:1])) if reverse else 1
        part, predicted = nats_of(model, encode_dialogue(tokenizer, turns), window, given)
        count, tokens, nats = count + 1, tokens + predicted, nats + part
        size += sum(len(turn.encode()) + 1 for turn in turns[reverse:])
    if not tokens:
        raise DataError("nothing to evaluate: no dialogue has a token to predict")
    return Score(count, tokens, size, nats)


def load(name: str, *, cpu: bool = False) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Loads a model in float32 with its tokenizer, on the GPU where there is one.

    Raises:
        DataError: The name or folder cannot be loaded.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
        model = AutoModelForCausalLM.from_pretrained(name, dtype=torch.float32)
    except (OSError, ValueError) as error:
        raise DataError(f"{name}: cannot be loaded as a model ({error})") from error
    device = "cuda" if torch.cuda.is_available() and not cpu else "cpu"
    return model.to(device).eval(), tokenizer
