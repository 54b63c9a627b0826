"""Among the versions that Colab has: the package changes none of them, and its unit tests pass."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from browser.lab import ROOT

VERSIONS = re.findall(r"^(\S+)==(\S+)$", (ROOT / "tools" / "colab.txt").read_text(), re.MULTILINE)
OF_THE_REPOSITORY = ("test_architecture", "test_benchmarks", "test_house")  # the same whatever is installed
_ASK = "import json, sys; from importlib.metadata import version; print(json.dumps([version(n) for n in sys.argv[1:]]))"


@pytest.fixture(scope="module")
def colab(kernel_python: Callable[[str], Path]) -> Path:
    return kernel_python("colab")


def test_these_are_the_versions(colab: Path) -> None:
    names, wanted = zip(*VERSIONS, strict=True)
    answer = subprocess.run([colab, "-c", _ASK, *names], capture_output=True, text=True, check=True).stdout
    assert json.loads(answer) == list(wanted)


def test_installing_the_package_changes_none_of_them(colab: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    pip = [sys.executable, "-m", "pip", "--python", str(colab), "install", "--quiet", "--disable-pip-version-check"]
    options = ["--dry-run", "--no-index", "--no-build-isolation", "--report", str(report)]
    subprocess.run([*pip, *options, f"{ROOT}[data,training]"], check=True, capture_output=True)
    changed = [item["metadata"]["name"] for item in json.loads(report.read_text())["install"]]
    assert changed == ["dialogpt-widget"]


@pytest.mark.timeout(900)
def test_the_unit_tests_pass_there(colab: Path) -> None:
    own = {"PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}", "PYTHONDONTWRITEBYTECODE": "1"}
    left = (f"--ignore=tests/unit/{name}.py" for name in OF_THE_REPOSITORY)
    command = [colab, "-m", "pytest", "tests/unit", "-q", "-p", "no:cacheprovider", "--color=no", *left]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ | own, check=False)
    assert done.returncode == 0, done.stdout[-6000:]
