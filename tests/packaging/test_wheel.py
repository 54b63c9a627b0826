"""What users install: the wheel, built and tried in a folder of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIRST_REPLY = """
import dialogpt_widget, sys
assert dialogpt_widget.__file__.startswith(sys.argv[1]), dialogpt_widget.__file__
chat = dialogpt_widget.ChatWidget("mini")
assert chat.send("Hello!").text
assert chat.get_state(["_esm"])["_esm"]
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def test_the_wheel_answers_on_its_own(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", FIRST_REPLY, str(tmp_path)]
    subprocess.run(command, check=True, env=environment, cwd=tmp_path)


def test_the_wheel_holds_what_it_should_and_no_more(wheel: Path) -> None:
    sizes = {entry.filename: entry.file_size for entry in zipfile.ZipFile(wheel).infolist()}
    assert sizes["dialogpt_widget/mini/model.safetensors"] <= 12_000_000
    assert sizes["dialogpt_widget/static/widget.js"] < 60_000
    assert sizes["dialogpt_widget/static/widget.css"] < 12_000
    assert sizes["dialogpt_widget/static/inspect.js"] < 92_000  # apart, for it comes to a page with the first reply
    assert sizes["dialogpt_widget/static/decide.js"] < 30_000  # apart, for few pages need it
    assert sizes["dialogpt_widget/mini/backward/model.safetensors"] < 8_500_000
    assert wheel.stat().st_size < 25_000_000
    assert "dialogpt_widget/py.typed" in sizes
    assert any(name.endswith("licenses/NOTICE") for name in sizes)
    assert {name.split("/")[0] for name in sizes} == {"dialogpt_widget", "dialogpt_widget-0.1.0.dist-info"}


def test_the_bundle_takes_nothing_from_a_network(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    for name, imports in (("widget.js", 1), ("widget.css", 0), ("inspect.js", 0), ("decide.js", 0)):
        text = archive.read(f"dialogpt_widget/static/{name}").decode()
        namespaces = {"http://www.w3.org/2000/svg"}  # a name, never fetched
        assert set(re.findall(r"https?://[^\"'`)\s]+", text)) <= namespaces
        assert not re.search(r"\bfetch\(|XMLHttpRequest|@import|sendBeacon|WebSocket", text)
        assert text.count("import(") == imports  # of the inspector, which the kernel sends
