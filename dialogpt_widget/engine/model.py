"""The model: replies, one or several, scores and texts from token ids."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import torch

from dialogpt_widget.dialogue.context import window_size
from dialogpt_widget.engine.generation.batch import CandidateBatch, Step, batch
from dialogpt_widget.engine.generation.sampler import Sampler, draw_seed
from dialogpt_widget.engine.generation.trace import Token
from dialogpt_widget.engine.language_model import LanguageModel, check_known_ids
from dialogpt_widget.engine.loading.hub import Progress
from dialogpt_widget.engine.loading.loader import Loaded, load
from dialogpt_widget.engine.loading.memory import release_memory
from dialogpt_widget.engine.models.kv_cache import PrefixCache
from dialogpt_widget.engine.tokenizer import StreamingDetokenizer
from dialogpt_widget.errors import check_settings, check_text
from dialogpt_widget.settings import Settings

if TYPE_CHECKING:
    from dialogpt_widget.engine.generation.beam import BeamSearch, Hypothesis


class ChatModel(LanguageModel):
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
        super().__init__(loaded)
        self.revision, self.device, self.exactness = loaded.revision, loaded.device, loaded.exactness
        self.device_name = _device_name(loaded.device, self.threads)
        self._prefix_cache = PrefixCache(loaded.network)
        self._checkpoint = loaded.checkpoint
        self._beams: BeamSearch | None = None

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
        """Loads a model: the embedded one, one of the hub, or a folder's.

        Args:
            name: "mini", a short name such as "medium", a full name on the hub, or the path of a folder.
            device: "auto" takes the best there is.
            precision: "auto" takes float32 on a CPU and 16 bits on a GPU; "int8" runs on CPUs alone.
            revision: a branch, tag or commit on the hub.
            progress: called with a line for people and a share from 0 to 1, or None where that is unknown.

        Raises:
            ValueError: that is not a device, or not a precision.
            ModelError: the model cannot be found, read, held in memory or run; the message says what to do.

        Example:
            >>> model = ChatModel.from_pretrained("mini")
            >>> model.decode([token.id for token in model.generate(model.encode("Hi!") + [model.eos], Settings())])
        """
        return cls(load(name, device=device, precision=precision, revision=revision, progress=progress))

    def __del__(self, ending: Callable[[], bool] = sys.is_finalizing) -> None:
        """Gives back the memory that the model took."""
        for holder in ("_prefix_cache", "_beams"):  # they hold the network or other weights, too
            self.__dict__.pop(holder, None)
        if self.__dict__.pop("_network", None) is not None and not ending():
            release_memory(self.device)

    @property
    def reused(self) -> int:
        """How many ids, of those before the token decoded last, were in the cache already."""
        return self._prefix_cache.reused

    @property
    def beam_note(self) -> str:
        """What beam search loaded, in a line for people; empty as long as it loaded nothing."""
        return self._beams.note if self._beams else ""

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
        return self._tokenizer.encode(check_text(text))

    def piece(self, token: int) -> bytes:
        """The bytes that a token stands for, which alone may be no valid UTF-8."""
        return self._tokenizer.piece(token)

    def text_stream(self) -> StreamingDetokenizer:
        """A decoder for ids that come one by one."""
        return self._tokenizer.stream()

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
        sampler = Sampler(settings, self.eos, reply)
        keep = states if self.compact else None
        return self._tokens(list(ids), list(prefix), sampler, limit, stop or threading.Event(), forced, keep)

    def _tokens(
        self,
        ids: list[int],
        said: list[int],
        sampler: Sampler,
        limit: int,
        stop: threading.Event,
        forced: dict[int, int],
        keep: list[torch.Tensor] | None,
    ) -> Iterator[Token]:
        while len(said) < limit:
            began = time.perf_counter()
            with self._computing():
                logits = self._prefix_cache.read([*ids, *said], stop)
                if logits is None:
                    return
                if keep is not None and self._network.state is not None:
                    keep.append(self._network.state.clone())
                token = sampler.choose(logits, said, forced=forced.get(len(said)), began=began)
            yield token
            if token.eos:
                return
            said.append(token.id)

    def generate_many(
        self,
        ids: Sequence[int],
        settings: Settings | None = None,
        stop: threading.Event | None = None,
        *,
        count: int | None = None,
        reply: int = 0,
        states: Sequence[list[torch.Tensor]] | None = None,
    ) -> CandidateBatch:
        """Decodes several replies to one context side by side, which is read once; iterate over what is returned.

        Args:
            ids: as for `generate`.
            settings: as for `generate`.
            stop: as for `generate`.
            count: how many, by default `settings.candidates`.
            reply: the number of the first one, which selects its dice; the others' follow.
            states: of each reply a list as for `generate`.

        Raises:
            TypeError, ValueError, ModelError: as for `generate`.
        """
        settings, limit = self._checked(ids, settings, 0)
        if count is None:
            count = settings.candidates
        if type(count) is not int or count < 1:
            raise ValueError(f"count is how many replies there are to be, at least 1; got {count!r}.")
        samplers = [Sampler(settings, self.eos, reply + row) for row in range(count)]
        keep = states if self.compact else None
        stop = stop or threading.Event()
        return CandidateBatch(self._network, self._prefix_cache, self._computing, ids, samplers, limit, stop, keep)

    def generate_batch(
        self,
        contexts: Sequence[Sequence[int]],
        settings: Settings | None = None,
        stop: threading.Event | None = None,
        *,
        replies: Sequence[int] | None = None,
    ) -> Iterator[Step]:
        """Decodes a reply to each of several contexts side by side; see `engine.batch`.

        Args:
            contexts: of each the ids, as for `generate`; a context may come several times.
            settings: as for `generate`, the same for all.
            stop: as for `generate`.
            replies: of each the number that selects its dice, by default 0, 1, 2 ...

        Raises:
            TypeError, ValueError, ModelError: as for `generate`.
        """
        limits = []
        for ids in contexts:
            settings, limit = self._checked(ids, settings, 0)
            limits.append(limit)
        numbers = range(len(limits)) if replies is None else replies
        if len(numbers) != len(limits):
            raise ValueError(f"There are {len(limits)} contexts, and numbers for {len(numbers)} replies to them.")
        samplers = [Sampler(settings or Settings(), self.eos, number) for number in numbers]
        return batch(self._network, self._computing, contexts, samplers, limits, stop or threading.Event())

    def beam(
        self,
        ids: Sequence[int],
        settings: Settings | None = None,
        stop: threading.Event | None = None,
        *,
        width: int,
        length_penalty: float,
    ) -> list[Hypothesis]:
        """Replies by beam search, best first, as transformers' `generate` finds them; nothing is drawn.

        The first time a GPT-2 loads its weights again, see `beam_note`; they are kept until `forget`.

        Args:
            ids: as for `generate`.
            settings: of which lengths and penalties apply.
            stop: when set, the search ends after the step that it is at.
            width: how many hypotheses are followed, at least 2, and returned at most.
            length_penalty: the power of a reply's length by which its log-probability is divided.

        Returns:
            An empty list when stopped.

        Raises:
            TypeError, ValueError: as for `generate`.
            ModelError: there is no memory for it, its weights cannot be read, or the length penalty lets none win.
        """
        from dialogpt_widget.engine.generation.beam import BeamSearch

        settings, limit = self._checked(ids, settings, 0)
        if type(width) is not int or width < 2:
            raise ValueError(f"width is how many hypotheses are followed, at least 2; got {width!r}.")
        stop = stop or threading.Event()
        if stop.is_set():
            return []
        with self._lock:
            beams = self._beams or BeamSearch(self._network, self._checkpoint, self.precision, self.device)
            self._beams = beams
            with self._computing():
                return beams.search(
                    ids, settings, stop, eos=self.eos, limit=limit, width=width, length_penalty=length_penalty
                )

    def _checked(self, ids: Sequence[int], settings: Settings | None, begun: int) -> tuple[Settings, int]:
        """Settings with a seed, and how long a reply may be of which some ids are decided already."""
        settings = Settings() if settings is None else check_settings(settings)
        window = window_size(settings, self.positions)
        check_known_ids(ids, self.vocabulary)
        if len(ids) + begun >= window:
            raise ValueError(f"{len(ids) + begun} tokens leave no room for a reply in a window of {window}.")
        if settings.seed is None:
            settings = settings.replace(seed=draw_seed())
        return settings, min(settings.max_new_tokens, window - len(ids))

    def forget(self) -> None:
        """Gives back the memory of the keys and values, and of what beam search loaded.

        The next reply reads its whole context again, the next beam search its weights.
        """
        self._prefix_cache.clear()
        if self._beams is not None:
            self._beams = None
            release_memory(self.device)


def _device_name(device: torch.device, threads: int | None) -> str:
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)} ({device})"
    return {"cpu": f"CPU, {threads} thread{'' if threads == 1 else 's'}", "mps": "Apple GPU (mps)"}.get(
        device.type, str(device)
    )
