"""Each wing knows only those before it, and the package shows its public names and no more."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import dialogpt_widget

ROOT = Path(dialogpt_widget.__file__).parent
ORDER = ("settings", "errors", "dialogue", "engine", "chat", "__main__", "widget", "training")
ALIASES = {"reranking": "chat", "many": "chat"}  # public paths of what lies deeper
FILES = sorted(file for file in ROOT.rglob("*.py") if file != ROOT / "__init__.py")
HEAVY = {"torch", "transformers", "tokenizers", "huggingface_hub"}


def wing_of(module: str) -> str:
    """The wing of a module named without the package."""
    first = module.partition(".")[0]
    return ALIASES.get(first, first)


def imported(file: Path) -> list[str]:
    """The package's modules that a file imports anywhere, lazily or for its types."""
    found = []
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            package = ("dialogpt_widget", *file.relative_to(ROOT).parts)[: -node.level] if node.level else ()
            origin = ".".join((*package, *filter(None, [node.module])))
            names = [f"{origin}.{alias.name}" for alias in node.names] if origin == "dialogpt_widget" else [origin]
        found += [name.removeprefix("dialogpt_widget.") for name in names if name.startswith("dialogpt_widget.")]
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_a_file_imports_only_from_wings_before_its_own(file: Path) -> None:
    own = wing_of(".".join(file.relative_to(ROOT).with_suffix("").parts))
    assert own in ORDER, f"{own} has no place in the order of the wings"
    later = [name for name in imported(file) if ORDER.index(wing_of(name)) > ORDER.index(own)]
    assert later == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_only_the_engine_and_training_know_torch(file: Path) -> None:
    if file.relative_to(ROOT).parts[0] in ("engine", "training"):
        return
    tree = ast.parse(file.read_text("utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names}.isdisjoint(HEAVY)


def test_the_public_names_are_exactly_these_and_all_there() -> None:
    assert sorted(dialogpt_widget.__all__) == [
        "Chat",
        "ChatModel",
        "ChatWidget",
        "Conversation",
        "ModelError",
        "Settings",
        "TokenTable",
        "Turn",
    ]
    for name in dialogpt_widget.__all__:
        assert getattr(dialogpt_widget, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Chatt'"):
        dialogpt_widget.Chatt  # noqa: B018
