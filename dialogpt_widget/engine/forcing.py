"""What a decoder says of ids that something else has chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import torch

from dialogpt_widget.engine.decoding import Decoder
from dialogpt_widget.engine.examine import step_states
from dialogpt_widget.engine.record import Token
from dialogpt_widget.settings import Settings

if TYPE_CHECKING:
    from dialogpt_widget.engine.model import ChatModel


def forced_tokens(
    model: ChatModel,
    context: Sequence[int],
    ids: Sequence[int],
    settings: Settings,
    states: Sequence[torch.Tensor] | None = None,
) -> Iterator[tuple[Token, torch.Tensor]]:
    """Each of some ids as a token that is forced on a decoder, and the state that it was decoded from.

    Args:
        model: in whose ids they are.
        context: what the model saw before the first of them.
        ids: of a reply, a final EOS included.
        settings: of the decoder, with a seed where it samples.
        states: of each id, if they are known; else they take one forward pass.
    """
    decoder = Decoder(settings, model.eos)
    known = step_states(model, context, ids[:-1]) if states is None else states
    for place, token in enumerate(ids):
        yield decoder.choose(model.unembed(known[place]), ids[:place], forced=token), known[place]


def logprob_used(
    model: ChatModel,
    context: Sequence[int],
    ids: Sequence[int],
    settings: Settings,
    states: Sequence[torch.Tensor] | None = None,
) -> float:
    """The log-probability of a reply as a decoder draws it, nat; -inf where its filters remove one of the ids.

    For the arguments see `forced_tokens`. Of greedy decoding it is that after penalties.
    """
    return sum(token.logprob_used for token, _ in forced_tokens(model, context, ids, settings, states))
