"""A JupyterLab server of its own, in a temporary folder, on a free port of this machine."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
IMPORTED = ("kernel_side.py", "hostile.py")
_STARTING = 60  # seconds
_STOPPING = 20  # seconds
_QUIET = {  # JupyterLab's own questions, which would stand in front of the notebook
    "@jupyterlab/apputils-extension/notification": {
        "checkForUpdates": False,
        "doNotDisturbMode": True,
        "fetchNews": "false",
    },
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
}


class Lab:
    """The server; `folder` holds its notebooks, its settings and its log.

    The network is closed to the kernels as far as models go: the hub is offline, its cache is empty.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notebooks = folder / "notebooks"
        self.notebooks.mkdir()
        self.token = secrets.token_hex(16)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = (folder / "lab.log").open("w")
        for plugin, values in _QUIET.items():
            file = folder / "settings" / f"{plugin}.jupyterlab-settings"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(values))
        self._process = subprocess.Popen(
            self._command(), stdout=self._log, stderr=subprocess.STDOUT, env=self._environment()
        )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def _command(self) -> list[str]:
        own = [
            "--no-browser",
            "--allow-root",
            "--expose-app-in-browser",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={self.port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={self.notebooks}",
            f"--IdentityProvider.token={self.token}",
            f"--LabApp.user_settings_dir={self.folder / 'settings'}",
            f"--LabApp.workspaces_dir={self.folder / 'workspaces'}",
        ]
        return [sys.executable, "-m", "jupyterlab", *own]

    def _environment(self) -> dict[str, str]:
        folders = {
            name: str(self.folder / name.lower())
            for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "HF_HOME")
        }
        return os.environ | folders | kernel_environment(self.folder)

    def _wait(self) -> None:
        deadline = time.monotonic() + _STARTING
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/api?token={self.token}", timeout=5):
                    return
            except (OSError, urllib.error.URLError):
                time.sleep(0.2)
        raise RuntimeError(f"JupyterLab did not start:\n{(self.folder / 'lab.log').read_text()[-3000:]}")

    def new_notebook(self, name: str) -> str:
        """Writes an empty notebook and returns its file name."""
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        empty = {"cells": [], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
        (self.notebooks / f"{name}.ipynb").write_text(json.dumps(empty))
        return f"{name}.ipynb"

    def address(self, notebook: str) -> str:
        """Where a browser finds a notebook."""
        return f"{self.url}/lab/tree/{notebook}?token={self.token}&reset"

    def stop(self) -> None:
        """Ends the server, and with it its kernels."""
        self._process.terminate()
        try:
            self._process.wait(_STOPPING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()


def kernel_environment(folder: Path) -> dict[str, str]:
    """Lets a kernel find this package and what the notebooks import.

    That is copied, since beside it are modules named like packages: `notebook`.
    """
    imports = folder / "imports"
    imports.mkdir(exist_ok=True)
    for name in IMPORTED:
        shutil.copy(HERE / name, imports)
    path = os.pathsep.join(filter(None, [str(ROOT), str(imports), os.environ.get("PYTHONPATH", "")]))
    return {"PYTHONPATH": path, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}  # one thread suits a model this small


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
