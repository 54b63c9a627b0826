"""Where a model comes from: loaded once, when somebody first needs it. Importing this brings no torch."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dialogpt_widget.engine.model import ChatModel

Progress = Callable[[str, "float | None"], None]
Advance = Callable[[float], None]


class ModelSource:
    """A model that is loaded when it is first asked for; any thread may ask.

    Attributes:
        model: the model once it is loaded, else None.
    """

    def __init__(
        self,
        name: str,
        device: str = "auto",
        precision: str = "auto",
        revision: str | None = None,
        model: ChatModel | None = None,
    ) -> None:
        self.name, self.device, self.precision, self.revision = name, device, precision, revision
        self.model = model
        self._lock = threading.Lock()

    def load(self, progress: Progress | None = None) -> ChatModel:
        """The model, loaded now if it is not yet.

        Args:
            progress: called with a line for people and a share from 0 to 1, or None where that is unknown.

        Raises:
            ModelError: it could not be loaded; the next call tries again.
        """
        with self._lock:
            if self.model is None:
                from dialogpt_widget.engine.model import ChatModel

                self.model = ChatModel.from_pretrained(
                    self.name,
                    device=self.device,
                    precision=self.precision,
                    revision=self.revision,
                    progress=progress,
                )
            return self.model
