"""A causal language model that keeps its cache over turns: ids in, tokens out."""

from __future__ import annotations

import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch

from dialogpt_widget.arguments import check_settings, check_text
from dialogpt_widget.dialogue.context import window_size
from dialogpt_widget.engine.decoding import Decoder
from dialogpt_widget.engine.loading import Loaded, load
from dialogpt_widget.engine.memory import give_back
from dialogpt_widget.engine.readout import PREFILL, Readout, check_known_ids
from dialogpt_widget.engine.record import Token
from dialogpt_widget.engine.source import Progress
from dialogpt_widget.engine.text import TextStream
from dialogpt_widget.settings import Settings

SEED_BITS = 32  # of a seed that is drawn; a browser's numbers hold 53


class ChatModel(Readout):
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
        reused: how many ids, of those before the token decoded last, were in the cache already.
    """

    def __init__(self, loaded: Loaded) -> None:
        self.revision, self.device = loaded.revision, loaded.device
        super().__init__(loaded)
        self.device_name = _device_name(loaded.device, self.threads)
        self.exactness = loaded.exactness
        self._cached: list[int] = []
        self.reused = 0

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
        if self.__dict__.pop("_network", None) is not None and not ending():
            give_back(self.device)

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
        settings = Settings() if settings is None else check_settings(settings)
        window = window_size(settings, self.positions)
        check_known_ids(ids, self.vocabulary)
        if len(ids) + len(prefix) >= window:
            raise ValueError(f"{len(ids) + len(prefix)} tokens leave no room for a reply in a window of {window}.")
        if settings.seed is None:
            settings = settings.replace(seed=draw_seed())
        forced = dict(forced or {})
        if forced:
            check_known_ids(list(forced.values()), self.vocabulary)
        decoder = Decoder(settings, self.eos, reply)
        limit = min(settings.max_new_tokens, window - len(ids))
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
                logits = self._next_logits([*ids, *said], stop)
                if logits is None:
                    return
                if keep is not None and self._network.state is not None:
                    keep.append(self._network.state.clone())
                token = decoder.choose(logits, said, forced=forced.get(len(said)), began=began)
            yield token
            if token.eos:
                return
            said.append(token.id)

    def _next_logits(self, ids: list[int], stop: threading.Event) -> torch.Tensor | None:
        """Logits `[vocabulary]` after `ids`, from the cache where it holds their beginning; None when stopped."""
        logits = None
        try:
            start = self.reused = self._reuse(ids)
            for begin in range(start, len(ids), PREFILL):
                if stop.is_set():
                    return None
                piece = ids[begin : begin + PREFILL]
                logits = self._network.advance(piece)
                self._cached.extend(piece)
        except BaseException:
            self.forget()
            raise
        return logits

    def _reuse(self, ids: list[int]) -> int:
        """Crops the cache to what it shares with `ids`; returns how many ids need not be read again."""
        same = min(len(self._cached), len(ids) - 1)
        if self._cached[:same] != ids[:same]:
            same = next(place for place in range(same) if self._cached[place] != ids[place])
        if same > 0:
            try:
                self._network.keep(same)
                del self._cached[same:]
                return same
            except (RuntimeError, ValueError, AttributeError):  # a cache that cannot be cropped, such as a state space
                pass
        self.forget()
        return 0

    def forget(self) -> None:
        """Gives back the memory of the keys and values; the next reply reads its whole context again."""
        self._network.forget()
        self._cached = []


def draw_seed() -> int:
    """A seed from the operating system's randomness."""
    return secrets.randbits(SEED_BITS)


def _device_name(device: torch.device, threads: int | None) -> str:
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)} ({device})"
    return {"cpu": f"CPU, {threads} thread{'' if threads == 1 else 's'}", "mps": "Apple GPU (mps)"}.get(
        device.type, str(device)
    )
