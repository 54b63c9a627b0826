"""One name for two things: of the class, and of its instances."""

from __future__ import annotations

from typing import Any


class OnClass:
    """A method of the class, where an instance's attribute of that name is another method.

    ipywidgets calls `open` on every instance to open its channel; `ChatWidget.open` opens a shared chat.

    Args:
        on_class: name of the class method.
        on_instance: name of the instance's method.
    """

    def __init__(self, on_class: str, on_instance: str) -> None:
        self.on_class, self.on_instance = on_class, on_instance

    def __get__(self, instance: object, owner: type) -> Any:
        return getattr(owner, self.on_class) if instance is None else getattr(instance, self.on_instance)
