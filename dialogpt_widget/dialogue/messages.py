"""What may be said: the check of a message before it becomes a turn."""

from __future__ import annotations

MAX_MESSAGE_BYTES = 64_000  # UTF-8 bytes; a window of 1000 tokens holds about 4,000


def well_formed(text: str) -> str:
    """Text without lone surrogates, each replaced by U+FFFD; surrogate pairs become the character they mean."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def check_message(text: str) -> str:
    """A message as it will be said: lone surrogates become U+FFFD.

    Raises:
        TypeError: not a string.
        ValueError: empty, or longer than `MAX_MESSAGE_BYTES`.
    """
    if not isinstance(text, str):
        raise TypeError(f"A message is a string, not {type(text).__name__}.")
    if not text.strip():
        raise ValueError("The message is empty: write something to answer.")
    text = well_formed(text)
    size = len(text.encode())
    if size > MAX_MESSAGE_BYTES:
        raise ValueError(
            f"The message has {size / 1000:,.0f} kB; at most {MAX_MESSAGE_BYTES // 1000} kB can be sent. Shorten it: "
            "of a message longer than its window the model reads the end alone."
        )
    return text
