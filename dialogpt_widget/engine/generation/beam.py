"""Beam search, which is transformers' own `generate`; for a GPT-2 of this package with weights of its own.

Of the settings it knows lengths and penalties. It draws nothing, so that temperature and filters do not apply.
"""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from transformers import (
    DynamicCache,
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    StoppingCriteria,
    StoppingCriteriaList,
)

from dialogpt_widget.engine.loading.checkpoint import read_config, read_model
from dialogpt_widget.engine.loading.hub import Checkpoint
from dialogpt_widget.engine.loading.loader import explained
from dialogpt_widget.engine.loading.memory import check_fit, need, release_memory
from dialogpt_widget.engine.loading.names import title_of
from dialogpt_widget.engine.models.base import CausalLM
from dialogpt_widget.engine.models.kv_cache import PREFILL
from dialogpt_widget.engine.models.transformers_network import CachedForward, TransformersCausalLM
from dialogpt_widget.errors import ModelError
from dialogpt_widget.settings import Settings


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A reply that beam search found.

    Attributes:
        ids: without EOS.
        eos: whether it ended by itself; else it grew too long.
        score: its log-probability in nat, EOS included and after the penalties, divided by its number of tokens to the
            power of the length penalty; `sequences_scores` of `generate`.
    """

    ids: tuple[int, ...]
    eos: bool
    score: float


class BeamSearch:
    """A model of transformers that searches.

    Args:
        network: the chat's; where it is one of transformers it searches itself, else its weights are loaded again.
        checkpoint: the files that the network came from, if any.
        precision: that the network runs in; on a CPU, weights that are loaded again are float32 all the same.
        device: that it runs on.

    Attributes:
        note: what was loaded, in a line for people; empty where nothing was.

    Raises:
        ModelError: the weights do not fit beside those of the chat, or cannot be read.
    """

    def __init__(self, network: CausalLM, checkpoint: Checkpoint | None, precision: str, device: torch.device) -> None:
        self.note = ""
        self._own = False  # whether its cache is known
        if isinstance(network, TransformersCausalLM):
            self._model = network._model  # noqa: SLF001 - nothing else asks for what is behind the protocol
        else:
            dtype = "float32" if device.type == "cpu" else precision
            self._model = load_copy(checkpoint, network.parameters, dtype, device)
            self.note, self._own = note_of(self._model, dtype, precision), True
        self._forward = CachedForward(self._model)
        self._model.generation_config = GenerationConfig()  # the one of its folder would fill in what is not given

    def search(
        self,
        ids: Sequence[int],
        settings: Settings,
        stop: threading.Event,
        *,
        eos: int,
        limit: int,
        width: int,
        length_penalty: float,
    ) -> list[Hypothesis]:
        """The replies that were found, best first; none when stopped.

        Args:
            ids: the context.
            settings: of which the shortest reply and the penalties apply.
            stop: when set, the search ends after the step that it is at.
            eos: id that ends a reply.
            limit: longest reply, in tokens.
            width: how many hypotheses are followed.
            length_penalty: see `Hypothesis`.

        Raises:
            ModelError: the length penalty lets none win.
        """
        ears = _Ears(stop)
        context = torch.tensor([list(ids)], device=self._model.device)
        read = self._read(context, width, stop)
        if stop.is_set():
            return []
        found = self._model.generate(
            context,
            attention_mask=torch.ones_like(context),
            generation_config=GenerationConfig(
                max_new_tokens=limit,
                min_new_tokens=min(settings.min_new_tokens, limit),
                do_sample=False,
                num_beams=width,
                num_return_sequences=width,
                length_penalty=length_penalty,
                eos_token_id=eos,
                pad_token_id=eos,
                return_dict_in_generate=True,
                output_scores=True,
            ),
            logits_processor=_penalties(settings, len(ids)),
            stopping_criteria=StoppingCriteriaList([ears]),
            **({} if read is None else {self._forward.cache_name: read}),
        )
        if ears.heard:
            return []
        replies = found.sequences[:, len(ids) :].tolist()
        lengths = (found.beam_indices >= 0).sum(-1).tolist()
        scores = found.sequences_scores.tolist()
        cut = [reply[:length] for reply, length in zip(replies, lengths, strict=True)]
        hypotheses = [
            _hypothesis(reply, score, eos)
            for reply, score in zip(cut, scores, strict=True)
            if _whole(reply, eos, limit)
        ]
        if not hypotheses:
            raise _nothing(length_penalty)
        return hypotheses

    def _read(self, context: torch.Tensor, width: int, stop: threading.Event) -> DynamicCache | None:
        """The keys and values of all of a context but its last id, read once for all hypotheses.

        `generate` would read the context once for each of them, and hear no stop meanwhile. None where it is to.
        """
        last = context.shape[1] - 1
        if not self._own or not last:
            return None
        cache = DynamicCache(config=self._model.config)
        for start in range(0, last, PREFILL):
            if stop.is_set():
                return None
            self._forward(context[:, start : min(start + PREFILL, last)], cache)
        cache.batch_repeat_interleave(width)
        return cache


class _OfReply(LogitsProcessor):  # type: ignore[misc]
    """A processor that is shown the reply alone, never the context."""

    def __init__(self, processor: Any, start: int) -> None:
        self._processor, self._start = processor, start

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> Any:
        """Scores `[rows, vocabulary]` after it."""
        return self._processor(input_ids[:, self._start :], scores)


class _Ears(StoppingCriteria):  # type: ignore[misc]
    """Hears a stop after each step.

    It also frees the scores `[width, vocabulary]` of the step. `generate` keeps those of every step where it is asked
    for those of whole sequences, which would come to 400 MB for 128 tokens of 16 beams.
    """

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self.heard = False

    def __call__(self, input_ids: torch.Tensor, scores: tuple[torch.Tensor, ...], **_: object) -> torch.Tensor:
        """Whether each row ends."""
        scores[-1].data = scores[-1].new_empty(0)
        self.heard = self.heard or self._stop.is_set()
        return torch.full(input_ids.shape[:1], self.heard, device=input_ids.device)


def _penalties(settings: Settings, start: int) -> LogitsProcessorList:
    chosen: list[Any] = []
    if settings.repetition_penalty != 1:
        chosen.append(RepetitionPenaltyLogitsProcessor(settings.repetition_penalty))
    if settings.no_repeat_ngram_size > 0:
        chosen.append(NoRepeatNGramLogitsProcessor(settings.no_repeat_ngram_size))
    return LogitsProcessorList([_OfReply(processor, start) for processor in chosen])


def _whole(reply: list[int], eos: int, limit: int) -> bool:
    """Whether a reply came to its end; `generate` fills up with others where too few did."""
    return reply[-1:] == [eos] or len(reply) == limit


def _hypothesis(reply: list[int], score: float, eos: int) -> Hypothesis:
    ended = reply[-1] == eos
    return Hypothesis(tuple(reply[:-1] if ended else reply), ended, score)


def _nothing(length_penalty: float) -> ModelError:
    return ModelError(
        "failed",
        "Beam search found no reply.",
        f"With length_penalty={length_penalty:g} every score is too low to be told from none at all: use a number "
        "nearer to 0. Or no_repeat_ngram_size bars everything.",
    )


def load_copy(checkpoint: Checkpoint | None, parameters: int, dtype: str, device: torch.device) -> Any:
    """The model as transformers runs it, in evaluation mode, from the files that the chat's came from.

    Raises:
        ModelError: there are no such files, the weights do not fit beside those of the chat, or cannot be read.
    """
    if checkpoint is None:
        raise ModelError(
            "unsupported", "Beam search loads a model's weights again.", "This model came from no files. Load one."
        )
    with explained(checkpoint, dtype), _without_report():
        _check_room(checkpoint, parameters, dtype, device)
        config = read_config(checkpoint.folder)
        model = read_model(
            checkpoint.folder, config, getattr(torch, dtype), safetensors=checkpoint.mapped, advance=_any_share
        ).to(device)
    gc.collect()
    release_memory(device)
    return model


@contextmanager
def _without_report() -> Iterator[None]:
    """Keeps transformers from listing what DialoGPT's files hold beside weights; what is lacking is an error anyway."""
    logger = logging.getLogger("transformers.modeling_utils")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _check_room(checkpoint: Checkpoint, parameters: int, dtype: str, device: torch.device) -> None:
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else None
    on_gpu = device.type != "cpu"
    wanted = need(parameters, dtype, checkpoint.size, mapped=checkpoint.mapped, on_gpu=on_gpu, widened=True)
    try:
        check_fit(checkpoint.name, wanted, dtype, on_gpu=free)
    except ModelError as error:
        title = f"There is no room for beam search with {title_of(checkpoint.name)}."
        raise ModelError(error.kind, title, f"It loads its own copy of the weights. {error}", error.offers) from error


def note_of(model: Any, dtype: str, precision: str) -> str:
    """What was loaded, in a line for people."""
    size = sum(weight.numel() * weight.element_size() for weight in model.parameters())
    told = f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.3g} MB"
    beside = "" if dtype == precision else f", while the chat runs in {precision}"
    return f"Beam search is transformers' generate: it loaded its own copy of the weights, {told} in {dtype}{beside}."


def _any_share(share: float) -> None:
    """Reports progress to nobody."""
