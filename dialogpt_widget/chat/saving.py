"""Keeping a conversation: files of its own, and other tools' formats."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dialogpt_widget.dialogue import exports, files
from dialogpt_widget.engine.loading.names import MEDIUM

if TYPE_CHECKING:
    from typing_extensions import Self

    from dialogpt_widget.dialogue.tokens import TokenTable
    from dialogpt_widget.engine.model import ChatModel


class Keeps:
    """What can be written of a conversation. Each file is written whole or not at all.

    The methods raise OSError where a file cannot be written.
    """

    @classmethod
    def load(cls, path: str | Path, model: str | ChatModel | None = None, **options: Any) -> Self:
        """A chat from a file that `save` wrote.

        Args:
            path: of the file.
            model: to go on with; the one that it was saved with if not given.
            **options: of the constructor, such as `device`.

        Raises:
            ValueError: the file is damaged, of a newer version, or no saved conversation; nothing is loaded by halves.
            FileNotFoundError: there is no such file.
            OSError: it cannot be read.
        """
        saved = files.load(path)
        options.setdefault("settings", saved.settings)
        make: Any = cls
        chat: Self = make(model or saved.model or MEDIUM, conversation=saved.conversation, **options)
        return chat

    @property
    @abstractmethod
    def tokens(self) -> TokenTable:
        """One row a token of the selected path."""

    @property
    @abstractmethod
    def saved(self) -> files.Saved:
        """What a file of this chat holds."""

    def save(self, path: str | Path, branches: bool = True) -> None:  # noqa: FBT001, FBT002
        """Writes the conversation with ids, settings and token rows as JSON, from which `load` makes it anew.

        Args:
            path: of the file.
            branches: whether all branches, or the selected path alone.
        """
        files.save(self.saved, path, branches=branches)

    def export_markdown(self, path: str | Path, *, branches: bool = False) -> None:
        """Writes the selected path, or every branch, as Markdown."""
        files.write(path, exports.to_markdown(self.saved.conversation, branches=branches))

    def export_messages(self, path: str | Path, *, branches: bool = False) -> None:
        """Writes `[{"role", "content"}]` as JSON; with branches a list of such lists."""
        files.write(path, exports.to_messages(self.saved.conversation, branches=branches))

    def export_dataset(self, path: str | Path, *, branches: bool = False) -> None:
        """Writes rows `{"messages": [...]}` as JSON lines, for `datasets.load_dataset("json", data_files=path)`."""
        files.write(path, exports.to_dataset(self.saved.conversation, branches=branches))

    def export_tokens(self, path: str | Path) -> None:
        """Writes the selected path's token table as CSV or Parquet, by the file's ending.

        Raises:
            ValueError: another ending.
            ImportError: pandas, or for Parquet pyarrow, is not installed.
        """
        ending = Path(path).suffix.lower()
        if ending not in (".csv", ".parquet"):
            raise ValueError(f"Tokens are written as .csv or .parquet, not {ending or 'without an ending'}.")
        table = self.tokens
        files.write(path, table.to_csv() if ending == ".csv" else table.to_parquet())
