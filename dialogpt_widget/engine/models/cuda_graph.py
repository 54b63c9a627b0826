"""The decoding step of a GPT-2 as a CUDA graph.

A step is hundreds of small kernels, and launching them takes longer than running them. Recorded once, they are launched
together. The recording is made in the background, while steps run one by one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dialogpt_widget.engine.models.base import GPT2Shape
from dialogpt_widget.engine.models.gpt2 import GPT2
from dialogpt_widget.engine.models.kv_cache import StaticCacheSlot, StaticKVCache
from dialogpt_widget.errors import first_line

WARM_UP = 3  # runs before recording, in which libraries allocate what they need
Run = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Step:
    """One forward pass of one id, to be run again at any place.

    Attributes:
        run: reads what is in `token` at the place of `slot`, into `state` and `logits`.
        token: `[1, 1]`.
        slot: where in the cache.
        state: the final hidden state `[w]`.
        logits: `[vocabulary]`.
    """

    run: Run
    token: Tensor
    slot: StaticCacheSlot
    state: Tensor
    logits: Tensor

    @torch.inference_mode()
    def at(self, token: int, place: int) -> tuple[Tensor, Tensor]:
        """State and logits after an id at a place; the next call overwrites them."""
        self.token.fill_(token)
        self.slot.place.fill_(place)
        self.run()
        return self.state, self.logits


def on_cuda(run: Run, device: torch.device) -> Run:
    """Records what a function does on a GPU; other threads may use it meanwhile."""
    stream: torch.cuda.Stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(stream):
        for _ in range(WARM_UP):
            run()
    stream.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
        run()
    return graph.replay


class GraphedGPT2(GPT2):
    """A GPT-2 on a GPU, whose steps are replayed once one is recorded.

    Args:
        shape, weights: see `GPT2`.
        record: makes of a function one that does the same faster.

    Attributes:
        remark: why nothing could be recorded; None as long as all is well.
    """

    def __init__(
        self,
        shape: GPT2Shape,
        weights: Mapping[str, Tensor],
        record: Callable[[Run, torch.device], Run] = on_cuda,
    ) -> None:
        super().__init__(shape, weights)
        self._cache: StaticKVCache = StaticKVCache(shape, self._places)
        self._record = record
        self._step: Step | None = None
        self._recorder: threading.Thread | None = None
        self.remark: str | None = None

    def advance(self, ids: Sequence[int]) -> Tensor:
        """See `GPT2`."""
        place = self._cache.length
        if len(ids) > 1 or not place or place >= self.shape.positions:
            return super().advance(ids)
        if self._recorder is None:
            self._recorder = threading.Thread(target=self._prepare, name="cuda-graph", daemon=True)
            self._recorder.start()
        if self._step is None:
            return super().advance(ids)
        self.state, logits = self._step.at(ids[0], place)
        self._cache.end(1)
        return logits

    def clear_cache(self) -> None:
        """Forgets what was read; the memory stays, for the recorded step writes there."""
        self._cache.length = 0

    def _prepare(self) -> None:
        try:
            with torch.inference_mode():
                self._step = self._recorded()
        except RuntimeError as error:  # among them torch.OutOfMemoryError
            self.remark = f"Steps could not be recorded as a CUDA graph, so that each is slower: {first_line(error)}"

    def _recorded(self) -> Step:
        token = torch.zeros(1, 1, dtype=torch.long, device=self.device)
        slot = StaticCacheSlot(self._cache)
        state, logits = self._places.new_empty(self.shape.width), self._places.new_empty(self.vocabulary)

        def run() -> None:
            state.copy_(self.forward(token, slot)[0, -1])
            logits.copy_(self.unembed(state))

        return Step(self._record(run, self.device), token, slot, state, logits)
