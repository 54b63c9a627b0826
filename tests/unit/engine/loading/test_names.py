"""How models may be named, and what is made of a name that looks misspelled."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialogpt_widget.engine.loading.hub import find_local
from dialogpt_widget.engine.loading.names import full_name, near_name, title_of
from dialogpt_widget.errors import ModelError

MEDIUM = "microsoft/DialoGPT-medium"


@pytest.mark.parametrize(
    "name", ["medium", "Medium", "MEDIUM", "DialoGPT-medium", "dialogpt-medium", "microsoft/dialogpt-medium", MEDIUM]
)
def test_spellings_of_dialogpt(name: str) -> None:
    assert full_name(name) == MEDIUM


def test_mini_in_any_case() -> None:
    for name in ("mini", "MINI", "Mini"):
        found = find_local(name)
        assert found is not None
        assert found.name == "mini"


def test_a_folder_comes_before_another_spelling_but_not_before_a_short_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("DialoGPT-medium", "medium"):
        Path(name).mkdir()
    assert full_name("DialoGPT-medium") == "DialoGPT-medium"
    assert full_name("medium") == MEDIUM


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("minni", "mini"),
        ("Mni", "mini"),
        ("mini!", "mini"),
        ("medum", "medium"),
        ("lage", "large"),
        ("DialoGPT-smal", "small"),
        ("dialogpt_large", "large"),
        ("DialoGPT", "medium"),
        ("https://huggingface.co/microsoft/DialoGPT-small", "microsoft/DialoGPT-small"),
        ("http://hf.co/someone/model/tree/main?x=1", "someone/model"),
    ],
)
def test_a_misspelled_name_is_not_looked_for_on_the_hub(name: str, meant: str) -> None:
    with pytest.raises(ModelError, match=f"Did you mean '{meant}'?") as caught:
        find_local(name)
    assert caught.value.kind == "not_found"
    assert caught.value.offers == (full_name(meant),)


@pytest.mark.parametrize(
    "name",
    [
        "gpt2",
        "gpt2-medium",
        "gpt2-large",
        "gpt2-xl",
        "distilgpt2",
        "openai-gpt",
        "t5-small",
        "me/DialoGPT-medium",
        "a/mini",
    ],
)
def test_names_on_the_hub_stay_as_they_are(name: str) -> None:
    assert full_name(name) == name
    assert near_name(name) is None
    assert find_local(name) is None  # so it is looked up


@pytest.mark.parametrize("name", ["not a name!", "/no/such/folder", "x/y/z"])
def test_what_cannot_be_a_name_is_said_to_be_neither_a_folder_nor_on_the_hub(name: str) -> None:
    with pytest.raises(ModelError) as caught:
        find_local(name)
    assert caught.value.title == f"{name!r} is neither a folder here nor a name on the hub."
    assert "Did you mean" not in caught.value.message


def test_titles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("models/tiny").mkdir(parents=True)
    titles = {
        MEDIUM: "DialoGPT-medium",
        "microsoft/DialoGPT-tiny": "microsoft/DialoGPT-tiny",
        "gpt2": "gpt2",
        "models/tiny": "tiny",
        "/somewhere/models/tiny/": "tiny",
        r"C:\models\tiny": "tiny",
    }
    assert {name: title_of(name) for name in titles} == titles
