"""Names of what crosses to the page by number."""

from __future__ import annotations

from dialogpt_widget.dialogue.nbest import NBest
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.widget import wire

SELECTION = ("leaf", "next_id", "can_undo", "meter")  # what another selected path changes on the page


def key_of(turn: Turn) -> str:
    """The key of the state under which the page finds a turn."""
    return f"{wire.TURN_KEY}{turn.id}"


def tokens_key_of(turn: Turn) -> str:
    """The key of the state under which the page finds a turn's tokens."""
    return f"{wire.TOKENS_KEY}{turn.id}"


def nbest_key_of(made: NBest) -> str:
    """The key of the state under which the page finds several replies to a turn."""
    return f"{wire.NBEST_KEY}{made.id}"
