"""From what a model writes to what is shown.

DialoGPT was trained on tokenised text, so its raw replies read `It 's a comedy .`. The ids keep that form, the text
that is shown does not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate, pairwise

_SPACED = re.compile(r" ([.?!,]|n't|'(?:m|s|ve|re|ll|d)\b)")
_UNDECIDED = (" ", " n", " n'", " '", " 'v", " 'r", " 'l", " 'm", " 's", " 'd", " 've", " 're", " 'll")


def clean(text: str) -> str:
    """Takes out the spaces that word tokenisation left before punctuation and contractions, and those around."""
    return _SPACED.sub(r"\1", text).strip()


def stable_prefix(text: str) -> str:
    """The part of `clean(text)` that no continuation of `text` can change any more."""
    cut = text.rfind(" ")
    return clean(text[:cut] if cut >= 0 and text[cut:] in _UNDECIDED else text)


def clean_places(text: str) -> list[int]:
    """Maps each place of a text, from 0 to its length, to its place in `clean(text)`."""
    gone = {found.start() for found in _SPACED.finditer(text)}
    kept = _SPACED.sub(r"\1", text)
    before, last, places = len(kept) - len(kept.lstrip()), len(kept.strip()), [0]
    for place in range(len(text)):
        places.append(places[-1] + (place not in gone))
    return [min(max(place - before, 0), last) for place in places]


def token_lengths(pieces: Sequence[str], text: str) -> list[int] | None:
    """Length of each token in the shown text, UTF-16 units, in order; they add up to the whole.

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
