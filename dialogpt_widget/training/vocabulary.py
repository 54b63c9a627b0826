"""A byte-level BPE of its own, learned from the dialogues."""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

EOS = "<|endoftext|>"
"""Ends every turn; as in GPT-2 also the beginning of text."""


def learn_vocabulary(turns: Iterable[str], size: int = 3584, positions: int = 1024) -> PreTrainedTokenizerFast:
    """Learns a vocabulary like GPT-2's: any text is representable, EOS = BOS, no pad token.

    Args:
        turns: The texts to learn from.
        size: Entries, the 256 bytes and EOS included; fewer if the texts do not offer as many merges.
        positions: The model's longest input, in tokens.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[EOS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(turns, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=EOS,
        eos_token=EOS,
        model_max_length=positions,
        clean_up_tokenization_spaces=False,
    )
