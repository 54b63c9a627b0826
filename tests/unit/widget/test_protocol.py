"""The wire: both sides agree, and nothing unchecked comes over it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dialogpt_widget
from dialogpt_widget.widget import protocol

TOOL = Path(dialogpt_widget.__file__).parent.parent / "tools" / "protocol.py"
json_values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
EXAMPLES: dict[Any, Any] = {
    int: 7,
    str: "7",
    bool: True,
    dict: {"seed": 7},
    (int, type(None)): None,
    (str, type(None)): None,
    list: [7],
    (int, float): 0.5,
}
near_requests = st.fixed_dictionaries(
    {"op": st.sampled_from(sorted(protocol.OPS)) | json_values, "id": st.text(max_size=70) | json_values},
    optional=dict.fromkeys((*(name for names in protocol.OPS.values() for name in names), "more"), json_values),
)


@given(json_values | near_requests)
def test_any_json_is_a_request_or_refused(content: Any) -> None:
    try:
        request = protocol.parse_request(content)
    except protocol.RequestError:
        return
    assert set(request) == {"op", "id", *protocol.OPS[request["op"]]}
    for name, kind in protocol.OPS[request["op"]].items():
        kinds = kind if isinstance(kind, tuple) else (kind,)
        assert type(request[name]) in kinds  # type: ignore[literal-required]


@pytest.mark.parametrize("op", protocol.OPS)
def test_every_request_is_understood_and_what_it_does_not_need_is_left_out(op: str) -> None:
    arguments = {name: EXAMPLES[kind] for name, kind in protocol.OPS[op].items()}
    assert protocol.parse_request({"op": op, "id": "a", **arguments, "more": 1}) == {"op": op, "id": "a", **arguments}
    for name in arguments:
        with pytest.raises(protocol.RequestError, match=name):
            protocol.parse_request({"op": op, "id": "a", **arguments, name: b"no JSON"})


@pytest.mark.parametrize("version", [True, 1.0, "1"])
def test_a_version_is_a_whole_number(version: Any) -> None:
    with pytest.raises(protocol.RequestError):
        protocol.parse_request({"op": "mount", "id": "a", "version": version})


def test_both_sides_say_the_same() -> None:
    checked = subprocess.run([sys.executable, TOOL, "--check"], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_a_change_of_one_side_is_noticed(tmp_path: Path) -> None:
    """The same tool, with a kernel that knows one request more."""
    other = "import sys; sys.argv = ['protocol', '--check']; from dialogpt_widget.widget import protocol; "
    other += f"protocol.OPS['dance'] = {{}}; import runpy; runpy.run_path({str(TOOL)!r}, run_name='__main__')"
    changed = subprocess.run([sys.executable, "-c", other], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert changed.returncode == 1
    assert "tools/protocol.py" in changed.stderr
