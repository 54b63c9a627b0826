"""A chat for where there is no kernel: one web page, and what a saved notebook keeps."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dialogpt_widget.dialogue import files
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.widget import page, present, reader, wire
from dialogpt_widget.widget.keys import key_of, nbest_key_of, tokens_key_of
from dialogpt_widget.widget.verbs import Verbs


class Alone(Verbs):
    """What a widget leaves to readers without a kernel."""

    _esm: str
    _css: str
    _inspector: str
    _mark: str

    def export_html(self, path: str | Path, *, branches: bool = False) -> None:
        """Writes one web page with the chat, to be read offline in any browser.

        Raises:
            OSError: it cannot be written.
        """
        files.write(path, self.page(branches=branches))

    def page(self, *, branches: bool = False) -> str:
        """The web page that `export_html` writes."""
        path = self.path
        state = self._alone(path, self.turns if branches else path, time.time())
        title = present.info(self._session.chat.model_name)["title"]
        return page.page(state, path, title, self._esm, self._css)

    def _alone(self, path: Sequence[Turn], turns: Sequence[Turn], when: float) -> dict[str, Any]:
        """The state of a page without a kernel, JSON."""
        state = {name: self._value(name) for name in wire.TRAITS}
        state |= {key_of(turn): self._value(key_of(turn)) for turn in turns}
        here = {turn.id for turn in turns}
        lists = [nbest_key_of(made) for made in self.conversation.nbests if made.parent in here]
        state |= {key: self._value(key) for key in lists}
        state |= {tokens_key_of(turn): page.plain(self._value(tokens_key_of(turn))) for turn in turns}
        state |= {"offline": when, "error": None, "queue": [], "status": present.status("idle", "")}
        return state | {"leaf": path[-1].id if path else None}

    def _transcribed(self) -> str:
        return page.transcript(self.path, present.info(self._session.chat.model_name)["title"], self._mark)

    def _kept_tokens(self) -> str:
        path = self.path
        state = self._alone(path, path, path[-1].created if path else 0)
        lists = any(name.startswith(wire.NBEST_KEY) for name in state)
        without = {"inspector": ""} if lists else {"inspector": "", "decider": ""}
        return reader.tokens(self._mark, state | without | {"rev": 0})

    def _reader_code(self) -> str:
        return reader.code(self._mark, self._esm, self._css, self._inspector)

    @abstractmethod
    def _value(self, name: str) -> Any:
        """The value of a key of the state."""
