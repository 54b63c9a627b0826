"""What each step of a reply was decoded from, kept so that it can be asked again without running the model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from dialogpt_widget.dialogue.turn import Turn

if TYPE_CHECKING:
    from torch import Tensor as Tensor  # noqa: PLC0414 - for those who may not know torch

    from dialogpt_widget.engine.model import ChatModel


class HiddenStates:
    """The states of replies, by turn. A GPT-2's are kept as they arise; another model's only of one reply at a time."""

    def __init__(self) -> None:
        self._kept: dict[int, Tensor] = {}

    def keep(self, turn: Turn, begun: Tensor | None, new: Sequence[Tensor]) -> None:
        """Keeps what a reply was decoded from, if that is all there: one state a row."""
        import torch

        if not new or turn.rows is None:
            return
        states = torch.stack(list(new))
        if turn.begun and begun is not None:
            states = torch.cat([begun[: turn.begun], states])
        if len(states) == len(turn.rows):
            self._kept[turn.id] = states

    def of(self, turn: Turn, context: Sequence[int], model: ChatModel) -> Tensor:
        """The states of a reply's rows, from one forward pass if they are not kept.

        Args:
            turn: a reply of this model.
            context: ids that the model saw.
            model: what made it.
        """
        known = self._kept.get(turn.id)
        if known is not None:
            return known
        if not model.compact:
            self._kept.clear()
        states = self._kept[turn.id] = model.step_states(context, turn.ids)
        return states

    def known(self, turn: Turn) -> Tensor | None:
        """The states of a reply if they are kept."""
        return self._kept.get(turn.id)

    def forget(self, turns: Iterable[Turn] | None = None) -> None:
        """Lets go of those of some turns, or of all."""
        if turns is None:
            self._kept.clear()
        else:
            for turn in turns:
                self._kept.pop(turn.id, None)
