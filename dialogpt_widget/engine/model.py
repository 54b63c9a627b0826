"""A causal language model that keeps its cache over turns: ids in, tokens out."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch

from dialogpt_widget.arguments import check_text
from dialogpt_widget.engine.decoding import Decoder
from dialogpt_widget.engine.loading import Loaded, load
from dialogpt_widget.engine.memory import give_back
from dialogpt_widget.engine.readout import check_known_ids
from dialogpt_widget.engine.record import Token
from dialogpt_widget.engine.several import Several
from dialogpt_widget.engine.source import Progress
from dialogpt_widget.engine.text import TextStream
from dialogpt_widget.settings import Settings


class ChatModel(Several):
    """A model in memory, its tokenizer, and the keys and values of what it has read last.

    One thread at a time uses it: `generate` and `score` hold a lock while they compute.

    Attributes:
        name: full name on the hub, `mini`, or the folder's path.
        revision: commit on the hub, or None.
        device: where it runs.
        device_name: the same for people, with the GPU's name.
        precision: dtype it runs in.
        eos: id that ends a turn.
        vocabulary: number of ids.
        positions: the longest sequence it can take; None where it has no limit.
        parameters: how many it has.
        exactness: what another precision than float32 costs, where that was measured.
        compact: whether its states are small beside logits.
    """

    def __init__(self, loaded: Loaded) -> None:
        self.revision = loaded.revision
        super().__init__(loaded)
        self.device_name = _device_name(loaded.device, self.threads)
        self.exactness = loaded.exactness

    @classmethod
    def from_pretrained(
        cls,
        name: str = "microsoft/DialoGPT-medium",
        *,
        device: str = "auto",
        precision: str = "auto",
        revision: str | None = None,
        progress: Progress | None = None,
    ) -> ChatModel:
        """Loads a model; see `dialogpt_widget.engine.loading.load` for the arguments and errors.

        Example:
            >>> model = ChatModel.from_pretrained("mini")
            >>> model.decode([token.id for token in model.generate(model.encode("Hi!") + [model.eos], Settings())])
        """
        return cls(load(name, device=device, precision=precision, revision=revision, progress=progress))

    def __del__(self, ending: Callable[[], bool] = sys.is_finalizing) -> None:
        """Gives back the memory that the model took."""
        for holder in ("_kept", "_beams"):  # they hold the network or other weights, too
            self.__dict__.pop(holder, None)
        if self.__dict__.pop("_network", None) is not None and not ending():
            give_back(self.device)

    @property
    def reused(self) -> int:
        """How many ids, of those before the token decoded last, were in the cache already."""
        return self._kept.reused

    @property
    def remark(self) -> str | None:
        """What a user should know of how it runs, once that is known; None as long as all is well."""
        return getattr(self._network, "remark", None)

    def __repr__(self) -> str:
        return f"<ChatModel {self.name}, {self.parameters:,} parameters, {self.precision} on {self.device}>"

    def encode(self, text: str) -> list[int]:
        """The ids of a text, without EOS. What is spelled like a special token stays text.

        Raises:
            TypeError: not a string.
        """
        return self._codec.encode(check_text(text))

    def piece(self, token: int) -> bytes:
        """The bytes that a token stands for, which alone may be no valid UTF-8."""
        return self._codec.piece(token)

    def text_stream(self) -> TextStream:
        """A decoder for ids that come one by one."""
        return self._codec.stream()

    def generate(
        self,
        ids: Sequence[int],
        settings: Settings | None = None,
        stop: threading.Event | None = None,
        *,
        reply: int = 0,
        prefix: Sequence[int] = (),
        forced: Mapping[int, int] | None = None,
        states: list[torch.Tensor] | None = None,
    ) -> Iterator[Token]:
        """Decodes one reply, a token at a time; its last token is the EOS unless it was stopped or grew too long.

        Args:
            ids: the context, every turn followed by EOS.
            settings: how to decode, `Settings()` if not given; a seed is drawn where it is None.
            stop: when set, no further step of the model begins.
            reply: the number of this generation, which selects its dice.
            prefix: the reply's first ids, already decided.
            forced: ids that are taken whatever the settings would choose, by their place in the reply.
            states: a list to which each step's state is appended (see `unembed`), where states are small.

        Raises:
            TypeError: the ids are no list of whole numbers, or the settings no `Settings`.
            ValueError: the context is empty, has unknown ids, or leaves no room in the window.
            ModelError: memory ran out.
        """
        settings, limit = self._checked(ids, settings, len(prefix))
        forced = dict(forced or {})
        if forced:
            check_known_ids(list(forced.values()), self.vocabulary)
        decoder = Decoder(settings, self.eos, reply)
        keep = states if self.compact else None
        return self._tokens(list(ids), list(prefix), decoder, limit, stop or threading.Event(), forced, keep)

    def _tokens(
        self,
        ids: list[int],
        said: list[int],
        decoder: Decoder,
        limit: int,
        stop: threading.Event,
        forced: dict[int, int],
        keep: list[torch.Tensor] | None,
    ) -> Iterator[Token]:
        while len(said) < limit:
            began = time.perf_counter()
            with self._computing():
                logits = self._kept.read([*ids, *said], stop)
                if logits is None:
                    return
                if keep is not None and self._network.state is not None:
                    keep.append(self._network.state.clone())
                token = decoder.choose(logits, said, forced=forced.get(len(said)), began=began)
            yield token
            if token.eos:
                return
            said.append(token.id)

    def forget(self) -> None:
        """Gives back the memory of the keys and values, and of what beam search loaded.

        The next reply reads its whole context again, the next beam search its weights.
        """
        self._kept.forget()
        if self._beams is not None:
            self._beams = None
            give_back(self.device)


def _device_name(device: torch.device, threads: int | None) -> str:
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)} ({device})"
    return {"cpu": f"CPU, {threads} thread{'' if threads == 1 else 's'}", "mps": "Apple GPU (mps)"}.get(
        device.type, str(device)
    )
