"""Draws the package from its imports: `python tools/map.py` writes docs/map.svg, with `--check` it only compares.

A box is a folder with its files; it knows the boxes below it and none above. An arrow says how many of its files
import from there; one that another path of arrows implies is left out.
"""

from __future__ import annotations

import ast
import sys
import textwrap
from collections import defaultdict
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "dialogpt_widget"
OUT = ROOT / "docs" / "map.svg"
LAYERS = (("widget", "training"), ("chat",), ("engine",), ("dialogue",), ("settings", "errors"))
WIDTH, MARGIN, LINE, GAP = 900, 16, 21, 34  # pixels
LETTER, PROSE = 7.3, 6.3  # width of a letter of a file's name and of a sentence, pixels
STYLE = """
text { font: 12px ui-monospace, monospace; fill: #1f2328 }
.name { font: 600 14px system-ui, sans-serif }
.what, .count { font: 12px system-ui, sans-serif; fill: #59636e }
.box { fill: #f6f8fa; stroke: #d1d9e0 }
.room { fill: #fff; stroke: #d1d9e0 }
.arrow { stroke: #59636e; fill: none; stroke-width: 1.5 }
.head { fill: #59636e }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .what, .count { fill: #9198a1 }
  .box { fill: #151b23; stroke: #3d444d } .room { fill: #0d1117; stroke: #3d444d }
  .arrow { stroke: #9198a1 } .head { fill: #9198a1 }
}
"""


def part_of(file: Path) -> str:
    """The box that a file of the package is in."""
    return file.relative_to(PACKAGE).with_suffix("").parts[0]


def imported_parts(file: Path) -> set[str]:
    """The boxes that a file imports from, lazily or for its types too."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names = [node.module] if "." in node.module else [f"{node.module}.{alias.name}" for alias in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith(f"{PACKAGE.name}.")}
    return found - {part_of(file)}


def first_line(file: Path) -> str:
    """What a module says of itself."""
    return (ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "").partition("\n")[0]


def arrows() -> dict[tuple[str, str], int]:
    """How many files of a box import from another, without what other arrows imply."""
    boxes = [name for layer in LAYERS for name in layer]
    counted: dict[tuple[str, str], int] = defaultdict(int)
    for file in PACKAGE.rglob("*.py"):
        for other in imported_parts(file) & set(boxes):
            if part_of(file) in boxes:
                counted[part_of(file), other] += 1
    reach = {box: _below(box, counted) for box in boxes}
    ways: dict[str, set[str]] = defaultdict(set)
    for start, end in counted:
        ways[start].add(end)
    return {
        (start, end): count
        for (start, end), count in counted.items()
        if not any(end in reach[other] for other in ways[start] - {end})
    }


def _below(box: str, counted: dict[tuple[str, str], int]) -> set[str]:
    left, seen = [box], set()
    while left:
        at = left.pop()
        new = {b for a, b in counted if a == at} - seen
        seen |= new
        left += new
    return seen


class Drawing:
    """Shapes, and where the next one goes."""

    def __init__(self) -> None:
        self.shapes: list[str] = []
        self.boxes: dict[str, tuple[float, float, float, float]] = {}

    def text(self, x: float, y: float, text: str, kind: str = "", **more: str) -> None:
        """Adds a line of text."""
        attributes = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in more.items())
        self.shapes.append(f'<text x="{x:g}" y="{y:g}" class="{kind}"{attributes}>{escape(text)}</text>')

    def rectangle(self, x: float, y: float, width: float, height: float, kind: str) -> None:
        """Adds a box."""
        self.shapes.append(f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" class="{kind}"/>')

    def files(self, x: float, y: float, width: float, names: list[str]) -> float:
        """Adds names of files in lines; returns where they end."""
        at, line = x, y
        for name in names:
            size = len(name) * LETTER + 2 * LETTER
            if at > x and at + size > x + width:
                at, line = x, line + LINE
            self.text(at, line, name)
            at += size
        return line

    def box(self, name: str, x: float, y: float, width: float) -> float:
        """Adds a folder with its files and rooms, or a single file; returns its height."""
        place = len(self.shapes)
        folder = PACKAGE / name
        single = not folder.is_dir()
        doc = first_line(PACKAGE / f"{name}.py") if single else first_line(folder / "__init__.py")
        self.text(x + 12, y + 22, f"{name}.py" if single else f"{name}/", "name")
        lines = textwrap.wrap(doc, int((width - 24) / PROSE))
        for number, line in enumerate(lines):
            self.text(x + 12, y + 40 + 16 * number, line, "what")
        bottom = y + 28 + 16 * len(lines)
        if not single:
            bottom = self.files(x + 12, bottom + 20, width - 24, _names(folder)) + 2
            rooms = sorted(room for room in folder.iterdir() if (room / "__init__.py").exists())
            inner = (width - 24 - 10 * (len(rooms) - 1)) / max(len(rooms), 1)
            ends = []
            for number, room in enumerate(rooms):
                left = x + 12 + number * (inner + 10)
                spot = len(self.shapes)
                self.text(left + 8, bottom + 28, f"{room.name}/", "name")
                end = self.files(left + 8, bottom + 48, inner - 16, _names(room)) + 10
                ends.append((spot, left, end))
            low = max((end for _, _, end in ends), default=bottom)
            for spot, left, _ in reversed(ends):
                self.rectangle(left, bottom + 10, inner, low - bottom - 10, "room")
                self.shapes.insert(spot, self.shapes.pop())
            bottom = low + (4 if ends else 0)
        height = bottom + 10 - y
        self.rectangle(x, y, width, height, "box")
        self.shapes.insert(place, self.shapes.pop())
        self.boxes[name] = (x, y, width, height)
        return height

    def arrow(self, start: str, end: str, count: int) -> None:
        """Adds an arrow from the lower edge of a box to the upper edge of another."""
        (ax, ay, aw, ah), (bx, by, bw, _) = self.boxes[start], self.boxes[end]
        left, right = max(ax, bx), min(ax + aw, bx + bw)
        x = (left + right) / 2 if left < right else ax + aw / 2
        self.shapes.insert(0, f'<path class="arrow" d="M{x:g} {ay + ah:g}V{by - 7:g}"/>')  # behind other boxes
        self.shapes.append(f'<path class="head" d="M{x - 5:g} {by - 8:g}h10l-5 8z"/>')
        self.text(x + 9, by - 12, f"{count} {'file' if count == 1 else 'files'}", "count")


def _names(folder: Path) -> list[str]:
    return [file.stem for file in sorted(folder.glob("*.py")) if file.stem != "__init__"]


def drawn() -> str:
    """The map as SVG."""
    drawing, y = Drawing(), float(MARGIN)
    for layer in LAYERS:
        width = (WIDTH - 2 * MARGIN - GAP * (len(layer) - 1)) / len(layer)
        places = [MARGIN + number * (width + GAP) for number in range(len(layer))]
        heights = [drawing.box(name, x, y, width) for name, x in zip(layer, places, strict=True)]
        y += max(heights) + GAP + 8
    below = {name: number for number, layer in enumerate(LAYERS) for name in layer}
    for (start, end), count in sorted(arrows().items()):
        if below[end] > below[start]:
            drawing.arrow(start, end, count)
    body = "\n".join(drawing.shapes)
    size = f'width="{WIDTH}" height="{y - GAP + 8:g}" viewBox="0 0 {WIDTH} {y - GAP + 8:g}"'
    title = "The folders of dialogpt_widget and what they import"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n<title>{title}</title>\n<style>{STYLE}</style>'
    return f"{head}\n{body}\n</svg>\n"


def main() -> int:
    """Writes the map, or says that it is out of date."""
    svg = drawn()
    if "--check" in sys.argv:
        if OUT.exists() and OUT.read_text("utf-8") == svg:
            return 0
        print(f"{OUT.relative_to(ROOT)} is out of date: python tools/map.py draws it anew.", file=sys.stderr)
        return 1
    OUT.write_text(svg, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
