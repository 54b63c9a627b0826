"""Inside a GPT-2: each layer's best guess at the next token, and where each head looked.

The logit lens is nostalgebraist's (2020, "interpreting GPT: the logit lens"): the residual stream after each layer,
read as if it were the last. Attention says where the model looked, not why it said something.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dialogpt_widget.engine.models.gpt2 import GPT2
from dialogpt_widget.engine.models.kv_cache import KVCache

GUESSES = 5  # tokens that each layer names


@dataclass(frozen=True, slots=True)
class Depth:
    """What happened inside, at the last of some ids.

    Attributes:
        guesses: `[layers + 1, guesses]`, most probable first; the first row is the embedding alone.
        probabilities: theirs, `[layers + 1, guesses]`.
        chances: of the token asked about, `[layers + 1]`.
        attention: `[layers, heads, n]`, each head's over the `n` ids; sums to 1.
    """

    guesses: Tensor
    probabilities: Tensor
    chances: Tensor
    attention: Tensor


@torch.inference_mode()
def logit_lens(network: GPT2, ids: Sequence[int], token: int) -> Depth:
    """One forward pass, watched at its last position.

    Args:
        network: a GPT-2.
        ids: what it has read, `n` many.
        token: the next id, whose probability each layer is asked for.
    """
    streams: list[Tensor] = []
    attention: list[Tensor] = []

    def watch(stream: Tensor, query: Tensor | None, keys: Tensor | None) -> None:
        streams.append(stream[0, -1])
        if query is not None and keys is not None:
            last = query[0, :, -1:] @ keys[0].transpose(-1, -2)
            attention.append(torch.softmax(last[:, 0].float() / query.shape[-1] ** 0.5, -1))

    network.forward(torch.tensor([list(ids)], device=network.device), KVCache(), watch)
    shares = torch.softmax(network.unembed(network.last_norm(torch.stack(streams))).float(), -1)
    best = torch.topk(shares, GUESSES)
    return Depth(best.indices.cpu(), best.values.cpu(), shares[:, token].cpu(), torch.stack(attention).cpu())
