"""How a chat says several replies to a turn and chooses one: sampled, by beam search, or compared."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from dialogpt_widget.chat.planner import Replies
from dialogpt_widget.chat.reply import Decide, Drawn, NBestRun, Reply
from dialogpt_widget.chat.reranking import Rerank, Reranking
from dialogpt_widget.dialogue.nbest import Kind, NBest, Ranking, UnknownListError
from dialogpt_widget.dialogue.turn import Turn

if TYPE_CHECKING:
    from dialogpt_widget.engine.model import ChatModel
    from dialogpt_widget.engine.rerank.ranking import RerankInput

DRAW = 2**32  # the position of the number that a reply is drawn with, beyond those of tokens


class Choosing(Replies):
    """A conversation in which one of several replies can be chosen."""

    _reranking: Reranking

    @property
    def rerank(self) -> Rerank:
        """What chooses one of several replies; assign a name, a scorer, a function, several; see `Reranking`."""
        return self._reranking.rerank

    @rerank.setter
    def rerank(self, rerank: Rerank | Reranking) -> None:
        self._reranking = rerank if isinstance(rerank, Reranking) else self._reranking.changed(rerank=rerank)

    @property
    def reranking(self) -> Reranking:
        """The same with its rules and temperature."""
        return self._reranking

    def answer(
        self, turn: Turn | int | None = None, stop: threading.Event | None = None, *, said: bool = False
    ) -> Reply | NBestRun:
        """What the settings ask for: a reply as `reply` makes it, or several of which one is chosen.

        In slow motion, and where replies are guessed, it is one.

        Raises:
            ValueError: there is no such turn, or what is to choose cannot read this model's replies.
            UnknownTurnError, ModelError: as for `reply`.
        """
        settings = self.settings
        several = max(settings.candidates, settings.num_beams)
        if several == 1 or self.pace.mode != "run" or self.pace.guessing:
            return self.reply(turn, stop, said=said)
        beam, asked = settings.num_beams > 1, self.question(turn)
        decide = _by_beam if beam and self._reranking.rerank is None else self._decide()
        drafts = self._drafts(asked, several, stop, beam=beam)
        kind: Kind = "beam" if beam else "sampled"
        return NBestRun(self.conversation.reserve(), kind, drafts, _beams if beam else _sampled, decide, said=said)

    def _decide(self) -> Decide:
        """What chooses, loaded before anything is said."""
        reranker = self._reranking.of(self.load_model())

        def decide(drafting: NBestRun, turns: Sequence[Turn]) -> Ranking:
            return reranker.rank(*case_of(drafting.parent, drafting.context.ids, turns, drafting.model))

        return decide

    def _drafts(self, asked: Turn, count: int, stop: threading.Event | None, *, beam: bool) -> list[Reply]:
        settings = self._seeded(self.settings)
        if beam:
            settings = settings.replace(do_sample=False)
        stop = stop or threading.Event()
        numbers = [self._number()] * count if beam else [self._number() for _ in range(count)]
        context = self.context_of(self.conversation.path_to(asked), settings)
        return [self._reply(asked, settings, number, stop, context=context) for number in numbers]

    def candidates(self, turn: Turn | int | None = None) -> NBest:
        """The newest list of replies to a message, or that a reply is in; by default to the path's last message.

        Raises:
            ValueError: there is none.
            UnknownTurnError: no such turn.
        """
        lists = self.conversation.nbests
        if turn is not None:
            found = lists.with_turn(turn if isinstance(turn, int) else turn.id)
            if found is not None:
                return found
        asked = self.question(turn)
        found = max((made for made in lists if made.parent == asked.id), key=lambda made: made.id, default=None)
        if found is None:
            raise ValueError(
                "There is no list of replies to this message: set candidates or num_beams, and regenerate."
            )
        return found

    def pick(self, made: NBest | int, place: int) -> Turn:
        """Makes a reply of a list a version in the tree, if it is none yet, and selects it; `undo` goes back.

        Raises:
            UnknownListError, IndexError: there is no such list, or it has no such reply.
        """
        return self.conversation.pick(self._list(made).id, place)

    def _list(self, made: NBest | int) -> NBest:
        """A list of this conversation, by itself, an older ranking of it, or its id."""
        own = self.conversation.nbests[made if isinstance(made, int) else made.id]
        if isinstance(made, NBest) and made.turns != own.turns:
            raise UnknownListError("This list of replies is of another conversation, or some of it was forgotten.")
        return own

    def rank(self, made: NBest | int | None = None) -> NBest:
        """Ranks a list anew by what chooses now; what is selected stays as it is.

        Args:
            made: the list, by default that of the path's last message.

        Raises:
            ValueError: there is no list, another model made it, or what chooses cannot read its replies.
            UnknownListError, ModelError: there is no such list, or something could not be loaded.
        """
        if made is None:
            made = self.candidates()
        return self.conversation.propose(self._ranked(self._list(made)))

    def _ranked(self, old: NBest) -> NBest:
        model = self.load_model()
        others = {turn.model for turn in old.turns} - {model.name}
        if others:
            raise ValueError(f"{', '.join(sorted(others))} made these replies, and the chat is with {model.name} now.")
        if old.kind == "beam" and self._reranking.rerank is None:
            return dataclasses.replace(old, ranking=_by_beam_score(old.beams))
        reranker = self._reranking.of(model)
        asked = self.conversation[old.parent]
        first = old.turns[0]
        context = self.context_of(self.conversation.path_to(asked), first.settings or self.settings)
        case, draw = case_of(asked, context.ids, old.turns, model)
        return dataclasses.replace(old, ranking=reranker.rank(case, draw))


def case_of(asked: Turn, context: Sequence[int], turns: Sequence[Turn], model: ChatModel) -> tuple[RerankInput, float]:
    """What is to be ranked, and the number by which one is drawn: from the dice of the first reply."""
    from dialogpt_widget.engine.generation.sampler import dice
    from dialogpt_widget.engine.rerank.ranking import RerankInput

    first = turns[0]
    assert first.settings is not None
    seed, number = first.settings.seed, first.reply
    logs = [_logprobs(turn) for turn in turns]
    draw = 0.0 if seed is None or number is None else dice(seed, number, DRAW)
    said = [turn.text for turn in turns]
    case = RerankInput(_turns_of(context, model.eos), [list(turn.ids) for turn in turns], said, asked.text, model, logs)
    return case, draw


def _turns_of(context: Sequence[int], eos: int) -> list[list[int]]:
    """The ids of each turn of a context."""
    turns: list[list[int]] = [[]]
    for token in context:
        if token == eos:
            turns.append([])
        else:
            turns[-1].append(token)
    return turns[:-1]


def _logprobs(turn: Turn) -> np.ndarray | None:
    """Of each token, the EOS included; None where the reply did not end with it."""
    if turn.rows is None or turn.stop != "eos":
        return None
    return turn.rows["logprob"].astype(np.float64)


def _sampled(drafting: NBestRun) -> Iterator[Drawn]:
    drafts, first = drafting.drafts, drafting.drafts[0]
    several = drafting.model.generate_many(
        first.context.ids,
        first.settings,
        first.stop,
        count=len(drafts),
        reply=first.number,
        states=[draft.states for draft in drafts],
    )
    for step in several:
        for row, token in step:
            yield row, token, None


def _beams(drafting: NBestRun) -> Iterator[Drawn]:
    from dialogpt_widget.engine.introspection import forced_tokens

    first, model = drafting.drafts[0], drafting.model
    settings = first.settings
    found = model.beam(
        first.context.ids, settings, first.stop, width=settings.num_beams, length_penalty=settings.length_penalty
    )
    drafting.beams = tuple(one.score for one in found)
    for place, one in enumerate(found):
        ids = [*one.ids, model.eos] if one.eos else one.ids
        for token, state in forced_tokens(model, first.context.ids, ids, settings):
            yield place, token, state if model.compact else None


def _by_beam(drafting: NBestRun, turns: Sequence[Turn]) -> Ranking:
    return _by_beam_score(drafting.beams[: len(turns)])


def _by_beam_score(beams: Sequence[float]) -> Ranking:
    scores = np.array(beams)
    order = tuple(range(1, len(beams) + 1))
    none = (None,) * len(beams)
    return Ranking({"beam score": scores}, scores, none, order, 0, weights={"beam score": 1.0})
