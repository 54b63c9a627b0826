"""Several replies to one turn: sampled, found by beam search, or compared; which one goes on, and the lists of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, Union

import numpy as np

from dialogpt_widget.chat.chat_state import ChatState, ModelSource
from dialogpt_widget.chat.reply import Decide, Drawn, NBestRun, Reply
from dialogpt_widget.dialogue.nbest import NBest, Ranking, UnknownListError
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.engine.loading.names import full_name, title_of
from dialogpt_widget.settings import Settings

if TYPE_CHECKING:
    from dialogpt_widget.engine.model import ChatModel
    from dialogpt_widget.engine.rerank.ranking import RerankInput

DRAW = 2**32  # the position of the number that a reply is drawn with, beyond those of tokens
MOST_SIDES = 6
With: TypeAlias = Union[Settings, str, "ChatModel", "tuple[str | ChatModel, Settings]"]
Sides: TypeAlias = "Mapping[str, With] | Sequence[With]"


class NBestLists:
    """The n-best lists of a chat: found, picked from, ranked anew."""

    def __init__(self, state: ChatState) -> None:
        self._state = state

    def newest(self, turn: Turn | int | None = None) -> NBest:
        """The newest list of replies to a message, or that a reply is in; by default to the path's last message.

        Raises:
            ValueError: there is none.
            UnknownTurnError: no such turn.
        """
        conversation = self._state.conversation
        if turn is not None:
            found = conversation.nbests.with_turn(turn if isinstance(turn, int) else turn.id)
            if found is not None:
                return found
        asked = conversation.question(turn)
        lists = (made for made in conversation.nbests if made.parent == asked.id)
        found = max(lists, key=lambda made: made.id, default=None)
        if found is None:
            raise ValueError(
                "There is no list of replies to this message: set candidates or num_beams, and regenerate."
            )
        return found

    def pick(self, made: NBest | int, place: int) -> Turn:
        """Makes a reply of a list a version in the tree, if it is none yet, and selects it.

        Raises:
            UnknownListError, IndexError: there is no such list, or it has no such reply.
        """
        return self._state.conversation.pick(self._own(made).id, place)

    def rank(self, made: NBest | int | None = None) -> NBest:
        """Ranks a list, by default that of the path's last message, anew by what chooses now.

        Raises:
            ValueError: there is no list, another model made it, or what chooses cannot read its replies.
            UnknownListError, ModelError: there is no such list, or something could not be loaded.
        """
        own = self._own(self.newest() if made is None else made)
        return self._state.conversation.propose(dataclasses.replace(own, ranking=self._ranking(own)))

    def _own(self, made: NBest | int) -> NBest:
        """Finds a list of this conversation by itself, by an older ranking of it, or by its id."""
        own = self._state.conversation.nbests[made if isinstance(made, int) else made.id]
        if isinstance(made, NBest) and made.turns != own.turns:
            raise UnknownListError("This list of replies is of another conversation, or some of it was forgotten.")
        return own

    def _ranking(self, made: NBest) -> Ranking:
        state, model = self._state, self._state.load_model()
        others = {turn.model for turn in made.turns} - {model.name}
        if others:
            raise ValueError(f"{', '.join(sorted(others))} made these replies, and the chat is with {model.name} now.")
        if made.kind == "beam" and state.reranking.rerank is None:
            return _beam_ranking(made.beams)
        reranker = state.reranking.of(model)
        asked = state.conversation[made.parent]
        context = state.context_of(state.conversation.path_to(asked), made.turns[0].settings)
        return reranker.rank(*rerank_input(asked, context.ids, made.turns, model))


def run_sampled(run: NBestRun) -> Iterator[Drawn]:
    """Samples the replies side by side."""
    drafts, first = run.drafts, run.drafts[0]
    several = run.model.generate_many(
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


def run_beams(run: NBestRun) -> Iterator[Drawn]:
    """Finds the replies by beam search, then scores the tokens of each."""
    from dialogpt_widget.engine.introspection import forced_tokens

    first, model = run.drafts[0], run.model
    settings = first.settings
    found = model.beam(
        first.context.ids, settings, first.stop, width=settings.num_beams, length_penalty=settings.length_penalty
    )
    run.beams = tuple(one.score for one in found)
    for place, one in enumerate(found):
        ids = [*one.ids, model.eos] if one.eos else one.ids
        for token, state in forced_tokens(model, first.context.ids, ids, settings):
            yield place, token, state if model.compact else None


def compare_in_order(run: NBestRun) -> Iterator[Drawn]:
    """Decodes one side after the other, then scores each reply as every other side would have drawn it."""
    for place, draft in enumerate(run.drafts):
        tokens = draft.model.generate(
            draft.context.ids, draft.settings, draft.stop, reply=draft.number, states=draft.states
        )
        for token in tokens:
            yield place, token, None
    if not run.stop.is_set():
        run.cross = tuple(tuple(_cross(of, under) for under in run.drafts) for of in run.drafts)


def _cross(of: Reply, under: Reply) -> float:
    """The log-probability of a reply as another side would have drawn it, nat."""
    from dialogpt_widget.engine.introspection import logprob_used

    ids = [token.id for token in of.tokens]
    known = None
    if of.model.name != under.model.name:
        ended = bool(of.tokens) and of.tokens[-1].eos
        ids = [*under.model.encode(of.text), *([under.model.eos] if ended else [])]
    elif of.context.ids == under.context.ids and len(of.states) == len(ids):
        known = of.states
    room = under.context.window - len(under.context.ids)
    if not 0 < len(ids) <= room:
        return float("nan")
    return logprob_used(under.model, under.context.ids, ids, under.settings, known)


def rank_run(state: ChatState) -> Decide:
    """What ranks replies as the chat asks for, loaded before anything is said."""
    reranker = state.reranking.of(state.load_model())

    def decide(run: NBestRun, turns: Sequence[Turn]) -> Ranking:
        return reranker.rank(*rerank_input(run.parent, run.context.ids, turns, run.model))

    return decide


def by_beam_score(run: NBestRun, turns: Sequence[Turn]) -> Ranking:
    """Ranks replies by their scores in beam search."""
    return _beam_ranking(run.beams[: len(turns)])


def _beam_ranking(beams: Sequence[float]) -> Ranking:
    scores = np.array(beams)
    order = tuple(range(1, len(beams) + 1))
    none = (None,) * len(beams)
    return Ranking({"beam score": scores}, scores, none, order, 0, weights={"beam score": 1.0})


def rerank_input(
    asked: Turn, context: Sequence[int], turns: Sequence[Turn], model: ChatModel
) -> tuple[RerankInput, float]:
    """What is ranked, and the number by which one is drawn: from the dice of the first reply."""
    from dialogpt_widget.engine.generation.sampler import dice
    from dialogpt_widget.engine.rerank.ranking import RerankInput

    seed = turns[0].settings.seed if turns[0].settings else None
    number = turns[0].reply
    made = RerankInput(
        context_turns=_split_at(context, model.eos),
        replies=[list(turn.ids) for turn in turns],
        said=[turn.text for turn in turns],
        user=asked.text,
        model=model,
        logprobs=[_logprobs(turn) for turn in turns],
    )
    return made, 0.0 if seed is None or number is None else dice(seed, number, DRAW)


def _split_at(ids: Sequence[int], eos: int) -> list[list[int]]:
    """The ids of each turn of a context."""
    turns: list[list[int]] = [[]]
    for token in ids:
        if token == eos:
            turns.append([])
        else:
            turns[-1].append(token)
    return turns[:-1]


def _logprobs(turn: Turn) -> np.ndarray | None:
    """Log-probabilities of a reply's tokens, EOS included; None where the reply did not end with EOS."""
    if turn.rows is None or turn.stop != "eos":
        return None
    return turn.rows["logprob"].astype(np.float64)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison.

    Attributes:
        label: for people.
        settings: how it decodes; but the chat's seed holds, and it says one reply, whatever they ask for.
        model: a name or a model; None for the chat's own.
    """

    label: str
    settings: Settings
    model: str | ChatModel | None = None


def sides_of(sides: Sides, settings: Settings) -> list[Side]:
    """What is to be compared, checked.

    Args:
        sides: `Settings`, models, or pairs of both; with their labels, or labelled by what they are.
        settings: for those that are a model alone.

    Raises:
        TypeError: one of them is something else.
        ValueError: too few, too many, or two of one label.
    """
    if isinstance(sides, (str, Settings)) or not isinstance(sides, (Mapping, Sequence)):
        raise TypeError(f"compare takes several settings or models, in a list or with labels; got {sides!r}.")
    pairs = list(sides.items()) if isinstance(sides, Mapping) else [("", one) for one in sides]
    if not 2 <= len(pairs) <= MOST_SIDES:
        raise ValueError(f"Compare 2 to {MOST_SIDES} settings or models; got {len(pairs)}.")
    made = [_side(label, one, settings) for label, one in pairs]
    labels = [side.label for side in made]
    if len({*labels}) < len(labels):
        raise ValueError(
            f"Two sides are called the same: {', '.join(labels)}. Name them: compare({{'a': ..., 'b': ...}})."
        )
    return made


def _side(label: str, one: object, settings: Settings) -> Side:
    if isinstance(one, tuple) and len(one) == 2:
        model, own = one
    else:
        model, own = (None, one) if isinstance(one, Settings) else (one, settings)
    if not isinstance(own, Settings) or not (model is None or isinstance(model, str) or hasattr(model, "generate")):
        raise TypeError(f"A side is a Settings, a model or its name, or a pair of both; got {one!r}.")
    name = "" if model is None else title_of(full_name(model) if isinstance(model, str) else model.name)
    made = ", ".join(filter(None, [name, _changes(own, settings)]))
    return Side(label or made or "as now", own, model)


def _changes(own: Settings, settings: Settings) -> str:
    """What makes settings others than the chat's."""
    usual = settings.to_dict()
    changed = {name: value for name, value in own.to_dict().items() if value != usual[name] and name != "seed"}
    if "do_sample" in changed:
        return "sampled" if own.do_sample else "greedy"
    return ", ".join(f"{name} {value}" for name, value in changed.items())


def loaded_for(side: Side, own: ChatModel, loaded: dict[str, ChatModel]) -> ChatModel:
    """The model of a side: the chat's own, one that was given, or one of `loaded`, to which a name is added."""
    if side.model is None:
        return own
    if not isinstance(side.model, str):
        return side.model
    name = full_name(side.model)
    if name not in loaded:
        loaded[name] = ModelSource(name).load()
    return loaded[name]
