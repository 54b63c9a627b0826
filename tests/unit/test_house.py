"""How the package is built inside: no circles, few ancestors, a name once, the notebook's libraries at the edge."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import dialogpt_widget

ROOT = Path(dialogpt_widget.__file__).parent
PACKAGE = ROOT.name
ANCESTORS = {"Chat": 1, "ChatModel": 2, "ChatWidget": 1}  # classes of the package, its own among them
ALIASES = {"many.py", "reranking.py", "engine/rules.py"}  # where documented names were before, and still are
NOTEBOOK = {"anywidget", "traitlets", "IPython", "ipywidgets"}
AT_THE_EDGE = {"widget/transcript.py", "widget/widget.py"}  # who may know a notebook
GUARD = 120  # seconds


def name_of(file: Path) -> str:
    """`a/b.py` is `a.b`, and `a/__init__.py` is `a`; the package itself has the empty name."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {name_of(file): file for file in sorted(ROOT.rglob("*.py"))}


def imports(file: Path) -> Iterator[tuple[str, str]]:
    """What a file imports anywhere, lazily or for its types: a module in full, and a name taken from it or nothing."""
    base = [PACKAGE, *file.relative_to(ROOT).parts]
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = base[: -node.level] if node.level else []
            origin = ".".join([*start, *filter(None, [node.module])])
            yield from ((origin, alias.name) for alias in node.names)


def graph(files: dict[str, Path]) -> dict[str, set[str]]:
    """The package's files that each of its files imports."""
    made: dict[str, set[str]] = {}
    for own, file in files.items():
        made[own] = set()
        for module, name in imports(file):
            if module.partition(".")[0] == PACKAGE:
                inner = module.removeprefix(PACKAGE).removeprefix(".")
                within = f"{inner}.{name}".strip(".")
                made[own].add(within if within in files else inner)
        made[own] -= {own}
    return made


def circles(edges: dict[str, set[str]]) -> set[frozenset[str]]:
    """Groups of files that reach each other."""
    reached = {start: reach(edges, start) for start in edges}
    groups = {frozenset(other for other in reached[one] if one in reached[other]) for one in edges}
    return {group for group in groups if group}


def reach(edges: dict[str, set[str]], start: str) -> set[str]:
    """All that is imported by a file, directly or not; itself only if it is in a circle."""
    seen: set[str] = set()
    left = [*edges[start]]
    while left:
        at = left.pop()
        if at not in seen:
            seen.add(at)
            left += edges.get(at, ())
    return seen


def test_no_files_import_each_other_in_a_circle() -> None:
    assert not circles(graph(FILES))


def test_circles_are_found() -> None:
    edges = {"a": {"b"}, "b": {"c", "d"}, "c": {"a"}, "d": {"e"}, "e": {"d"}, "f": {"a"}}
    assert circles(edges) == {frozenset("abc"), frozenset("de")}


def test_lazy_imports_and_those_for_types_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path / PACKAGE)
    for name, text in {
        "__init__.py": "from dialogpt_widget.one import x",
        "one.py": "def f():\n    from dialogpt_widget.inner import two",
        "inner/__init__.py": "",
        "inner/two.py": "if TYPE_CHECKING:\n    import dialogpt_widget.one\nfrom . import three",
        "inner/three.py": "from ..one import x\nimport os",
    }.items():
        file = tmp_path / PACKAGE / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    files = {name_of(file): file for file in (tmp_path / PACKAGE).rglob("*.py")}
    assert graph(files) == {
        "": {"one"},
        "one": {"inner.two"},
        "inner": set(),
        "inner.two": {"one", "inner.three"},
        "inner.three": {"one"},
    }


@pytest.mark.parametrize("name", ANCESTORS)
def test_a_public_class_has_few_ancestors_in_the_package(name: str) -> None:
    lineage = getattr(dialogpt_widget, name).__mro__
    own = [one.__qualname__ for one in lineage if one.__module__.partition(".")[0] == PACKAGE]
    assert len(own) == ANCESTORS[name], own


def test_a_file_name_stands_once() -> None:
    own = (file for file in FILES.values() if file.relative_to(ROOT).as_posix() not in ALIASES)
    names = Counter(file.name for file in own if not file.name.startswith("__"))
    assert not {name for name, count in names.items() if count > 1}


def floors() -> int:
    """The longest way from the package's `__init__` to `settings`, by imports of its folders."""
    edges: dict[str, set[str]] = {}
    for own, others in graph(FILES).items():
        part = own.partition(".")[0]
        edges.setdefault(part, set()).update({other.partition(".")[0] for other in others} - {part, ""})

    def longest(part: str) -> int:
        return 0 if part == "settings" else max((1 + longest(other) for other in edges[part]), default=0)

    return longest("")


def test_the_house_has_few_floors_and_an_entrance_that_is_seen_at_once() -> None:
    assert floors() <= 6
    assert len(list(ROOT.glob("*.py"))) <= 6
    assert len(FILES) <= 85


def test_only_the_edge_knows_a_notebook() -> None:
    knowing = {
        file.relative_to(ROOT).as_posix()
        for file in FILES.values()
        if NOTEBOOK & {module.partition(".")[0] for module, _ in imports(file)}
    }
    assert knowing == AT_THE_EDGE


LIGHT = """
import sys
import dialogpt_widget
heavy = {"torch", "transformers", "tokenizers", "huggingface_hub"}
print("import", sorted(heavy & {*sys.modules}))
for make in (dialogpt_widget.Chat, dialogpt_widget.ChatWidget):
    made = make("mini")
    print(make.__name__, made.path, made.settings.temperature, sorted(heavy & {*sys.modules}))
"""


def test_importing_the_package_and_making_a_chat_brings_no_torch() -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, timeout=GUARD, check=True)
    assert done.stdout.splitlines() == ["import []", "Chat () 0.6 []", "ChatWidget () 0.6 []"]
