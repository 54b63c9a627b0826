"""Makes a virtual environment for the demo or for the tests: `python tools/environment.py .venv demo`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import urllib.request
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
WHAT = {
    "demo": ["-e", f"{ROOT}[demo,data]"],
    "test": ["-e", f"{ROOT}[demo,data,training]", "--group", f"{ROOT / 'pyproject.toml'}:dev"],
}


def main(folder: str, purpose: str) -> None:
    """Makes the environment if it is not there, then installs what its purpose needs."""
    if sys.version_info < (3, 10):  # noqa: UP036  (this runs before pip can say so)
        sys.exit(f"dialogpt-widget needs Python 3.10 or newer; this is {sys.version.split()[0]}.")
    home = Path(folder)
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        print(f"Making a virtual environment in {home} ...", flush=True)
        venv.create(home, with_pip=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, "--upgrade", "pip>=25.1"])
    install_torch(python, pip)
    print("Installing dialogpt-widget and what it needs ...", flush=True)
    run([*pip, "-c", str(ROOT / "constraints.txt"), *WHAT[purpose]])
    if purpose == "test":
        subprocess.run([python, ROOT / "tools" / "kernels.py", home], check=False)  # tests that miss one say so


def install_torch(python: Path, pip: list[str]) -> None:
    """PyTorch: its CPU build where there is no NVIDIA GPU and that index answers, else what pip finds."""
    if subprocess.run([python, "-c", "import torch"], capture_output=True, check=False).returncode == 0:
        return
    print("Installing PyTorch ...", flush=True)
    pinned = ["-c", str(ROOT / "constraints.txt"), "torch"]
    tries = [[*pinned], ["torch"]]
    if shutil.which("nvidia-smi") is None and reachable(CPU_INDEX):
        tries.insert(0, [*pinned, "--index-url", CPU_INDEX])
    for options in tries:
        if subprocess.run([*pip, *options], check=False).returncode == 0:
            return
    sys.exit("PyTorch could not be installed; pip's message above says why.")


def reachable(index: str) -> bool:
    """Whether an index answers within a few seconds."""
    try:
        with urllib.request.urlopen(f"{index}/torch/", timeout=5):
            return True
    except OSError:
        return False


def run(command: list[str]) -> None:
    """Runs a command and ends with its status if it fails."""
    status = subprocess.run(command, check=False).returncode
    if status:
        sys.exit(status)


if __name__ == "__main__":
    main(*sys.argv[1:])
