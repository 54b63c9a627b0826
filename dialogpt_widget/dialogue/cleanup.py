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
