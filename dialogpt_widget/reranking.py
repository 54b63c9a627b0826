"""What chooses one of several replies; the public path of `dialogpt_widget.chat.reranking`."""

from dialogpt_widget.chat.reranking import RERANKERS, Reranking

__all__ = ["RERANKERS", "Reranking"]
