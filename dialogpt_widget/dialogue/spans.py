"""Which part of a turn's text each of its tokens is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

from dialogpt_widget.dialogue.cleanup import clean, clean_places


def token_lengths(pieces: Sequence[str], text: str) -> list[int] | None:
    """How many UTF-16 units of the shown text each token is, in order; they add up to all of it.

    A glyph over several tokens belongs to the last of them, the others have length 0; so has a token whose text was
    cleaned away.

    Args:
        pieces: what each token adds to the decoded text.
        text: that is shown: the decoded text, cleaned or not.

    Returns:
        The lengths; None where the text is neither.
    """
    raw = "".join(pieces)
    ends = list(accumulate(map(len, pieces), initial=0))
    if raw != text:
        if clean(raw) != text:
            return None
        places = clean_places(raw)
        ends = [places[end] for end in ends]
    units = list(accumulate((1 + (ord(char) > 0xFFFF) for char in text), initial=0))
    return [units[after] - units[before] for before, after in pairwise(ends)]
