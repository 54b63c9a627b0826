"""Rules that drop a reply; the public path of `dialogpt_widget.engine.rerank.rules`."""

from dialogpt_widget.engine.rerank.rules import Rules

__all__ = ["Rules"]
