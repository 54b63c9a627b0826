"""Makes environments for other kernels than a virtual environment's own: `python tools/kernels.py .venv [name]`.

Each is a virtual environment in `.venv/kernels` that holds packages of other versions and takes the rest, PyTorch and
this package among them, from the one around it.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COLAB = ROOT / "tools" / "colab.txt"
WHAT = {"ipykernel6": ["ipykernel>=6.29,<7"], "colab": ["-r", str(COLAB)]}  # pip's own words


def python_of(home: Path) -> Path:
    """The interpreter of a virtual environment."""
    return home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def kernel(around: Path, name: str) -> Path:
    """The interpreter of a kernel's environment, which is made unless it is there and up to date.

    Args:
        around: the virtual environment that it extends.
        name: "ipykernel6" or "colab".

    Raises:
        RuntimeError: pip could not install it; the message ends with pip's own.
    """
    home = around / "kernels" / name
    python, made = python_of(home), home / "made"
    wanted = COLAB.read_text() if name == "colab" else "\n".join(WHAT[name])
    if made.exists() and made.read_text() == wanted:
        return python
    venv.create(home, with_pip=False, clear=True)
    outer, inner = (_packages(python_of(folder)) for folder in (around, home))
    (inner / "around.pth").write_text(f"import site; site.addsitedir({str(outer)!r})\n")
    pip = [str(python_of(around)), "-m", "pip", "--python", str(python), "install", "--quiet"]
    options = ["--disable-pip-version-check", "-c", str(ROOT / "constraints.txt")]
    done = subprocess.run([*pip, *options, *WHAT[name]], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"The kernel {name} could not be installed: {done.stderr.strip()[-2000:]}")
    made.write_text(wanted)
    return python


def _packages(python: Path) -> Path:
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip())


def main(around: str, *names: str) -> None:
    """Makes the kernels named, or all of them."""
    for name in names or WHAT:
        print(f"Making the kernel {name} ...", flush=True)
        try:
            kernel(Path(around).absolute(), name)
        except RuntimeError as error:
            sys.exit(str(error))


if __name__ == "__main__":
    main(*sys.argv[1:])
