"""Where a model comes from: loaded once, when somebody first needs it. Importing this brings no torch."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from dialogpt_widget.engine.loading.hub import Progress
from dialogpt_widget.engine.loading.names import check_names, full_name

if TYPE_CHECKING:
    from dialogpt_widget.engine.model import ChatModel


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


Source = Callable[[Progress | None], "ChatModel"]


class ModelHolder:
    """Holds a model, or the name of one that is loaded when it is needed.

    Attributes:
        model_name: its full name.
        device, precision, revision: as asked for.
        source: gives the model; chats that are to share one share this.
    """

    def use(
        self, model: str | ChatModel, *, device: str = "auto", precision: str = "auto", revision: str | None = None
    ) -> None:
        """Goes on with another model, which is loaded when it is needed; the conversation stays.

        Raises:
            TypeError: neither a name nor a `ChatModel`.
            ValueError: that is not a device, or not a precision.
        """
        if not isinstance(model, str) and not hasattr(model, "generate"):
            raise TypeError(f'A model is a name such as "mini", or a ChatModel, not {type(model).__name__}.')
        check_names(device, precision)
        self._model = None if isinstance(model, str) else model
        self.model_name = full_name(model) if isinstance(model, str) else model.name
        self.device, self.precision, self.revision = device, precision, revision
        self.source: Source = ModelSource(self.model_name, device, precision, revision).load

    @property
    def model(self) -> ChatModel | None:
        """The model if it is loaded, else None."""
        return self._model

    def admit(self, model: ChatModel) -> None:
        """Raises ValueError where a model cannot be used with what else is held."""

    def load_model(self, progress: Progress | None = None) -> ChatModel:
        """The model, loaded now if it is not yet.

        Args:
            progress: called with a line for people and a share from 0 to 1, or None where that is unknown.

        Raises:
            ModelError: it could not be loaded; the message says why and what to do.
            ValueError: a conversation that is damaged has ids that it does not have.
        """
        if self._model is not None:
            return self._model
        source = self.source
        model = source(progress)
        self.admit(model)
        if source == self.source:  # nobody has chosen another model meanwhile
            self._model = model
        return model

    def unload(self) -> None:
        """Lets go of the model; it is loaded again, by its name, when it is needed."""
        self.use(self.model_name, device=self.device, precision=self.precision, revision=self.revision)
