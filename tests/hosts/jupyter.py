"""JupyterLab 4 and Notebook 7, which one server shows, with kernels of either generation."""

from __future__ import annotations

import json
from pathlib import Path

from browser.lab import Lab
from browser.notebook import Notebook
from playwright.sync_api import Page


class Jupyter(Lab):
    """The server: JupyterLab at `/lab`, Notebook at `/notebooks`, Voila at `/voila`."""

    def _command(self) -> list[str]:
        settings = f"--JupyterNotebookApp.user_settings_dir={self.folder / 'settings'}"
        return [*super()._command(), "--JupyterNotebookApp.expose_app_in_browser=True", settings]

    def add_kernel(self, name: str, python: Path) -> None:
        """Offers another kernel."""
        folder = self.folder / "jupyter_data_dir" / "kernels" / name
        folder.mkdir(parents=True)
        command = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec = {"argv": command, "display_name": name, "language": "python"}
        (folder / "kernel.json").write_text(json.dumps(spec))

    def new_notebook(self, name: str, kernel: str = "python3") -> str:
        """Writes an empty notebook for a kernel and returns its file name."""
        file = super().new_notebook(name)
        path = self.notebooks / file
        content = json.loads(path.read_text())
        content["metadata"]["kernelspec"] = {"name": kernel, "display_name": kernel, "language": "python"}
        path.write_text(json.dumps(content))
        return file


class InLab(Notebook):
    """A notebook in JupyterLab.

    Args:
        server: that shows it.
        page: to show it in.
        name: of the notebook.
        waits: whether what the page says waits for the running cell.
    """

    loses = False

    def __init__(self, server: Jupyter, page: Page, name: str, *, waits: bool = False) -> None:
        self.waits = waits
        super().__init__(server, page, name)
        self.run("import time\nfrom kernel_side import *")

    def reload(self) -> None:
        """Saves the notebook and loads the page again."""
        self.command("docmanager:save")
        self.open()

    def close(self) -> None:
        """Closes the page."""
        self.page.context.close()


class InNotebook(InLab):
    """A notebook in Notebook 7."""

    @property
    def address(self) -> str:
        """Where a browser finds the notebook."""
        return f"{self.lab.url}/notebooks/{self.name}?token={self.lab.token}"
