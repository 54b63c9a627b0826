"""The model of a chat: loaded once, when it is first needed. Importing this brings no torch."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from dialogpt_widget.engine.loading.hub import Progress
from dialogpt_widget.engine.loading.names import check_names, full_name

if TYPE_CHECKING:
    from dialogpt_widget.engine.model import ChatModel


class ModelSource:
    """A model that is loaded when it is first asked for; any thread may ask. Chats that share a model share this.

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
        """Returns the model, loaded now if it is not yet.

        Args:
            progress: called with a line for people and a share from 0 to 1, or None where that is unknown.

        Raises:
            ModelError: the model could not be loaded; the next call tries again.
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


class ModelHandle:
    """The model that a chat is with, by name or loaded. Another model is another handle.

    Args:
        model: a name, or a model.
        device, precision, revision: as of `Chat`.

    Attributes:
        name: the model's full name.
        device, precision, revision: as asked for.
        source: gives the model; may be replaced by one that other chats share.
        loaded: the model once the chat uses it, else None.

    Raises:
        TypeError: neither a name nor a `ChatModel`.
        ValueError: that is not a device, or not a precision.
    """

    def __init__(
        self,
        model: str | ChatModel,
        *,
        device: str = "auto",
        precision: str = "auto",
        revision: str | None = None,
    ) -> None:
        if not isinstance(model, str) and not hasattr(model, "generate"):
            raise TypeError(f'A model is a name such as "mini", or a ChatModel, not {type(model).__name__}.')
        check_names(device, precision)
        self.loaded = None if isinstance(model, str) else model
        self.name = full_name(model) if isinstance(model, str) else model.name
        self.device, self.precision, self.revision = device, precision, revision
        self.source = ModelSource(self.name, device, precision, revision, self.loaded)

    def unloaded(self) -> ModelHandle:
        """The same model by its name, to be loaded again when it is needed."""
        return ModelHandle(self.name, device=self.device, precision=self.precision, revision=self.revision)

    def load(self, check: Callable[[ChatModel], object], progress: Progress | None = None) -> ChatModel:
        """Returns the model, loaded now if it is not yet.

        Args:
            check: called with the model before the chat uses it; raises where the chat cannot.
            progress: as for `ModelSource.load`.

        Raises:
            ModelError: the model could not be loaded; the message says why and what to do.
        """
        if self.loaded is None:
            model = self.source.load(progress)
            check(model)
            self.loaded = model
        return self.loaded
