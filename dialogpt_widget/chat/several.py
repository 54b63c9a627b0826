"""A chat that says more than one thing: the same turn as others would answer it, or many histories at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dialogpt_widget.chat.comparing import Sides, sides_of
from dialogpt_widget.chat.reply_many import BATCH, Histories, reply_many
from dialogpt_widget.chat.reranking import Rerank, Reranking
from dialogpt_widget.chat.runner import Running, alone
from dialogpt_widget.dialogue.nbest import NBest
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.settings import Settings

if TYPE_CHECKING:
    import pandas as pd


class Several(Running):
    """A conversation whose turns can be answered side by side, with a model that answers others, too."""

    def compare(self, sides: Sides, turn: Turn | int | None = None) -> NBest:
        """Answers a turn as several settings or models would, with the same dice; `pick` says which one goes on.

        Args:
            sides: 2 to 6 `Settings`, models or their names, or pairs of a model and settings; in a dictionary they have
                labels.
            turn: a message, or a reply to it; by default the path's last.

        Returns:
            The list of replies, with the log-probability of each as every side would have drawn it.

        Raises:
            TypeError, ValueError: these cannot be compared, or there is nothing to answer.
            ModelError: a model could not be loaded or run.
        """
        with alone(self._busy, self.pace):
            drafting = self.comparison(sides_of(sides, self.settings), turn)
            self.run(drafting)
        if drafting.made is None:
            raise RuntimeError("It was stopped before anything was said.")
        return drafting.made

    def reply_many(
        self,
        histories: Histories,
        settings: Settings | None = None,
        rerank: Rerank | Reranking = None,
        *,
        batch_size: int = BATCH,
        progress: bool = True,
    ) -> pd.DataFrame:
        """Answers many histories, several side by side; see `dialogpt_widget.many.reply_many`.

        Returns:
            A row a history: `history, text, ids, stop, logprob, scores`, and `candidates` where there are several.
        """
        return reply_many(self, histories, settings, rerank, batch_size=batch_size, progress=progress)
