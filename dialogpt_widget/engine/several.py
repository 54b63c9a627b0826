"""Several replies from one model: side by side to one context or to many, or by beam search."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import torch

from dialogpt_widget.arguments import check_settings
from dialogpt_widget.dialogue.context import window_size
from dialogpt_widget.engine.batch import Step, batch
from dialogpt_widget.engine.candidates import Candidates
from dialogpt_widget.engine.decoding import Decoder
from dialogpt_widget.engine.dice import draw_seed
from dialogpt_widget.engine.kept import Kept
from dialogpt_widget.engine.loading import Loaded
from dialogpt_widget.engine.readout import Readout, check_known_ids
from dialogpt_widget.settings import Settings

if TYPE_CHECKING:
    from dialogpt_widget.engine.beam import BeamSearch, Hypothesis


class Several(Readout):
    """A model that says several replies; see `ChatModel`."""

    def __init__(self, loaded: Loaded) -> None:
        super().__init__(loaded)
        self.device = loaded.device
        self._kept = Kept(loaded.network)
        self._checkpoint = loaded.checkpoint
        self._beams: BeamSearch | None = None

    @property
    def beam_note(self) -> str:
        """What beam search loaded, in a line for people; empty as long as it loaded nothing."""
        return self._beams.note if self._beams else ""

    def generate_many(
        self,
        ids: Sequence[int],
        settings: Settings | None = None,
        stop: threading.Event | None = None,
        *,
        count: int | None = None,
        reply: int = 0,
        states: Sequence[list[torch.Tensor]] | None = None,
    ) -> Candidates:
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
        decoders = [Decoder(settings, self.eos, reply + row) for row in range(count)]
        keep = states if self.compact else None
        stop = stop or threading.Event()
        return Candidates(self._network, self._kept, self._computing, ids, decoders, limit, stop, keep)

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
        decoders = [Decoder(settings or Settings(), self.eos, number) for number in numbers]
        return batch(self._network, self._computing, contexts, decoders, limits, stop or threading.Event())

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
        from dialogpt_widget.engine.beam import BeamSearch

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
