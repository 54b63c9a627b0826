"""Which parts of the state have changed, for pages that ask for it instead of being told."""

from __future__ import annotations

import threading
from collections.abc import Iterable


class Changes:
    """Numbers the publications of a state's keys; any thread may publish, any may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._revision = 0
        self._last: dict[str, int] = {}

    @property
    def revision(self) -> int:
        """The number of the last publication."""
        return self._revision

    def note(self, names: Iterable[str]) -> None:
        """These keys are published."""
        with self._lock:
            self._revision += 1
            self._last |= dict.fromkeys(names, self._revision)

    def since(self, revision: int) -> tuple[int, list[str]]:
        """The revision reached, and the keys that were published after an older one."""
        with self._lock:
            return self._revision, [name for name, last in self._last.items() if last > revision]
