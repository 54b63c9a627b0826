"""The wire: both sides agree, and nothing unchecked comes over it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dialogpt_widget
from dialogpt_widget.dialogue.turn import MAX_MESSAGE_BYTES
from dialogpt_widget.widget import protocol

MIRROR = (Path(dialogpt_widget.__file__).parent.parent / "js" / "protocol.js").read_text("utf-8")
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


def constant(name: str) -> str:
    found = re.search(rf"export const {name} = ([^;]+);", MIRROR)
    assert found is not None
    return found[1].strip().strip('"')


def block(name: str) -> str:
    found = re.search(rf"export const {name} = [^(]*\(([\[{{].*?[\]}}])\);", MIRROR, re.DOTALL)
    assert found is not None
    return found[1]


def fields(typedef: str) -> list[str]:
    found = re.search(rf"@typedef {{object}} {typedef}\b(.*?)(?:@typedef|\*/)", MIRROR, re.DOTALL)
    assert found is not None
    return re.findall(r"@property {[^}]*(?:{[^}]*})?[^}]*} \[?(\w+)", found[1])


def test_both_sides_have_the_same_constants() -> None:
    assert int(constant("VERSION")) == protocol.VERSION
    assert int(constant("MAX_MESSAGE_BYTES").replace("_", "")) == MAX_MESSAGE_BYTES
    assert constant("TURN_KEY") == protocol.TURN_KEY
    assert constant("TOKENS_KEY") == protocol.TOKENS_KEY


def test_both_sides_have_the_same_traits() -> None:
    assert re.findall(r'"(\w+)"', block("TRAITS")) == list(protocol.TRAITS)


def test_both_sides_have_the_same_requests() -> None:
    theirs = {op: re.findall(r'"(\w+)"', names) for op, names in re.findall(r"(\w+): \[(.*?)\]", block("OPS"))}
    assert theirs == {op: list(arguments) for op, arguments in protocol.OPS.items()}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (protocol.Info, "Info"),
        (protocol.Status, "Status"),
        (protocol.Action, "Action"),
        (protocol.Error, "Failure"),
        (protocol.Queued, "Queued"),
        (protocol.Meter, "Meter"),
        (protocol.TurnState, "Turn"),
        (protocol.Frame, "Frame"),
        (protocol.TokensState, "Tokens"),
        (protocol.PaceState, "Pace"),
        (protocol.Made, "Made"),
        (protocol.Preset, "Preset"),
        (protocol.Choice, "Choice"),
        (protocol.CandidateState, "Candidate"),
        (protocol.NBestState, "NBest"),
        (protocol.RerankState, "Rerank"),
        (protocol.Sync, "Snapshot"),
        (protocol.Poll, "Poll"),
    ],
)
def test_both_sides_have_the_same_fields(ours: Any, theirs: str) -> None:
    assert fields(theirs) == list(ours.__annotations__)
