"""A conversation with an engine, complete without Jupyter."""

from dialogpt_widget.chat.chat import Chat

__all__ = ["Chat"]
