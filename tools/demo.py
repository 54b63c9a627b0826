"""Opens JupyterLab at the quickstart; prints the address where no browser can open."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Replaces this process by JupyterLab."""
    command = [sys.executable, "-m", "jupyterlab", "notebooks/quickstart.ipynb"]
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        print("No display found: open the address that JupyterLab prints below in a browser.", flush=True)
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    os.chdir(ROOT)
    os.execv(command[0], command)  # so that Ctrl-C reaches JupyterLab alone


if __name__ == "__main__":
    main()
