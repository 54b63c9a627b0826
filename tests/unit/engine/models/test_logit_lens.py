"""Layers and heads are those of transformers' GPT-2."""

from __future__ import annotations

import pytest
import torch
from builders import chat_model, random_gpt2
from replies import some_ids
from transformers import GPT2LMHeadModel, OPTConfig, OPTForCausalLM

from dialogpt_widget.engine.models.gpt2 import GUESSES


def reference(network: GPT2LMHeadModel, ids: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Residual streams `[layers + 1, w]` and attention `[layers, heads, n]` at the last position."""
    network.set_attn_implementation("eager")
    streams: list[torch.Tensor] = []
    for block in network.transformer.h:
        block.register_forward_pre_hook(lambda _, args: streams.append(args[0][0, -1]))
    network.transformer.ln_f.register_forward_pre_hook(lambda _, args: streams.append(args[0][0, -1]))
    out = network(torch.tensor([ids]), output_attentions=True)
    return torch.stack(streams), torch.stack([layer[0, :, -1] for layer in out.attentions])


@torch.inference_mode()
@pytest.mark.parametrize("seed", range(5))
def test_lens_and_attention_equal_transformers(seed: int) -> None:
    network = random_gpt2(seed, spread=0.2)
    ids, token = some_ids(30, seed), 17
    depth = chat_model(network=network).inside(ids, token)
    streams, attention = reference(network, ids)
    shares = torch.softmax(network.lm_head(network.transformer.ln_f(streams)), -1)
    best = torch.topk(shares, GUESSES)
    assert depth.guesses.tolist() == best.indices.tolist()
    torch.testing.assert_close(depth.probabilities, best.values, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(depth.chances, shares[:, token], rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(depth.attention, attention, rtol=1e-3, atol=1e-5)
    assert depth.attention.shape == (2, 2, 30)


def test_other_architectures_say_that_they_cannot_be_looked_into() -> None:
    config = OPTConfig(vocab_size=300, hidden_size=16, num_hidden_layers=1, ffn_dim=16, num_attention_heads=2)
    model = chat_model(network=OPTForCausalLM(config).eval())
    with pytest.raises(ValueError, match="for GPT-2 models"):
        model.inside([1, 2], 3)
