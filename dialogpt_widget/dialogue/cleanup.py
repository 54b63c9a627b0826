"""From what a model writes to what is shown.

DialoGPT was trained on tokenised text, so its raw replies read `It 's a comedy .`. The ids keep that form, the text
that is shown does not.
"""

from __future__ import annotations

import re

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
    """Where each place of a text, from 0 to its length, comes to stand in `clean(text)`."""
    gone = {found.start() for found in _SPACED.finditer(text)}
    kept = _SPACED.sub(r"\1", text)
    before, last, places = len(kept) - len(kept.lstrip()), len(kept.strip()), [0]
    for place in range(len(text)):
        places.append(places[-1] + (place not in gone))
    return [min(max(place - before, 0), last) for place in places]
