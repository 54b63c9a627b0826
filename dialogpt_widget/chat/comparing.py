"""Side by side: what several settings or models answer to the same history with the same dice."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, Union

from dialogpt_widget.chat.choosing import Choosing
from dialogpt_widget.chat.model_handle import ModelSource
from dialogpt_widget.chat.reply import Drawn, NBestRun, Reply
from dialogpt_widget.dialogue.context import Context, build_context, encoded_for
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.engine.loading.names import full_name, title_of
from dialogpt_widget.settings import Settings

if TYPE_CHECKING:
    from dialogpt_widget.engine.model import ChatModel

MOST_SIDES = 6
With: TypeAlias = Union[Settings, str, "ChatModel", "tuple[str | ChatModel, Settings]"]
Sides: TypeAlias = "Mapping[str, With] | Sequence[With]"


@dataclass(frozen=True, slots=True)
class Side:
    """One of those compared.

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


class Comparing(Choosing):
    """A conversation in which decoders can be compared."""

    def comparison(
        self, sides: Sequence[Side], turn: Turn | int | None = None, stop: threading.Event | None = None
    ) -> NBestRun:
        """Replies of several sides to the same turn, to be handed to `run`; none is chosen.

        Raises:
            ValueError: there is no such turn.
            UnknownTurnError, ModelError: as for `reply`.
        """
        asked, stop, number = self.question(turn), stop or threading.Event(), self._number()
        seed, own = self._seeded(self.settings).seed, self.load_model()
        path, drafts = self.conversation.path_to(asked), []
        loaded: dict[str, ChatModel] = {own.name: own}
        for side in sides:
            settings = side.settings.replace(seed=seed, candidates=1, num_beams=1)
            model = _loaded(side.model, own, loaded)
            context = _context(path, model, settings)
            turn_id = self.conversation.reserve()
            drafts.append(Reply(turn_id, asked, model, context, settings, number, stop))
        labels = [side.label for side in sides]
        return NBestRun(self.conversation.reserve(), "compared", drafts, _in_order, labels=labels)


def _loaded(model: str | ChatModel | None, own: ChatModel, loaded: dict[str, ChatModel]) -> ChatModel:
    if model is None:
        return own
    if not isinstance(model, str):
        return model
    name = full_name(model)
    if name not in loaded:
        loaded[name] = ModelSource(name).load()
    return loaded[name]


def _context(path: Sequence[Turn], model: ChatModel, settings: Settings) -> Context:
    return build_context(encoded_for(path, model.name, model.encode), model.eos, settings, model.positions)


def _in_order(drafting: NBestRun) -> Iterator[Drawn]:
    """One side after the other, and then what each would have made of the others'."""
    for place, draft in enumerate(drafting.drafts):
        tokens = draft.model.generate(
            draft.context.ids, draft.settings, draft.stop, reply=draft.number, states=draft.states
        )
        for token in tokens:
            yield place, token, None
    if not drafting.stop.is_set():
        drafting.cross = tuple(tuple(_cross(of, under) for under in drafting.drafts) for of in drafting.drafts)


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
