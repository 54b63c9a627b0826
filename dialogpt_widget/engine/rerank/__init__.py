"""Which of several replies is better: scorers, rules that drop some, and the choice between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dialogpt_widget.engine.rerank.dialogrpt import DialogRPT
    from dialogpt_widget.engine.rerank.mmi import MMI
    from dialogpt_widget.engine.rerank.scorers import Likelihood, Scorer

__all__ = ["MMI", "DialogRPT", "Likelihood", "Scorer"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from dialogpt_widget.engine.rerank import dialogrpt, mmi, scorers  # they bring torch, which `rules` must not

    return next(getattr(module, name) for module in (mmi, dialogrpt, scorers) if hasattr(module, name))
