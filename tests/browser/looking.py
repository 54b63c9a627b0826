"""What eyes, screen readers and keyboards need of a view, measured."""

from __future__ import annotations

from playwright.sync_api import Locator

from .lab import ROOT
from .notebook import Notebook

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"

_STOPS = """root => {
    const all = [...root.querySelectorAll("button, input, textarea, [tabindex='0']")];
    const stops = all.filter(one => one.tabIndex >= 0 && one.checkVisibility({visibilityProperty: true}));
    stops.forEach((one, place) => { one.dataset.stop = place; });
    return stops.length;
}"""
_FOCUSED = """root => {
    const one = document.activeElement;
    if (!root.contains(one)) return null;
    const shown = [one, one.closest(".dgpt-box")].filter(Boolean).map(element => getComputedStyle(element));
    const marked = shown.some(style => style.boxShadow !== "none" || style.outlineStyle !== "none");
    const box = one.getBoundingClientRect();
    return {stop: one.dataset.stop ?? "", marked, name: one.ariaLabel ?? one.textContent, size: box.width * box.height};
}"""


def set_theme(notebook: Notebook, scheme: str) -> None:
    """Changes JupyterLab's theme to its light or its dark one."""
    name = f"JupyterLab {scheme.title()}"
    notebook.page.evaluate("name => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})", name)
    notebook.page.wait_for_function(
        "scheme => document.body.dataset.jpThemeLight === String(scheme === 'light')", arg=scheme
    )


def assert_accessible(root: Locator, what: str) -> None:
    """Nothing that axe-core calls serious or critical."""
    root.page.evaluate(AXE.read_text())
    found = root.evaluate("root => axe.run(root)")["violations"]
    grave = [
        f"{what}: {one['id']}: {one['help']}: {[node['html'][:100] for node in one['nodes']]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert grave == []


def assert_no_sideways(root: Locator) -> None:
    """Nothing sticks out of a view or of the boxes in it that scroll downwards."""
    wide = root.evaluate(
        "root => [root, ...root.querySelectorAll('*')].filter(one => one.scrollWidth > one.clientWidth + 1"
        " && getComputedStyle(one).overflowX !== 'visible' && !one.matches('input, textarea, .dgpt-hidden, svg'))"
        ".map(one => one.className)"
    )
    assert wide == []
    assert root.evaluate("root => root.scrollWidth <= root.clientWidth")


def _still(root: Locator) -> None:
    """Waits until answers that are still on their way are shown."""
    shown = ""
    for _ in range(100):
        before, shown = shown, root.evaluate("root => root.innerHTML")
        if shown == before:
            return
        root.page.wait_for_timeout(300)


def walk(root: Locator) -> list[str]:
    """Walks through a view with the Tab key alone; returns the names of the stops.

    Raises:
        AssertionError: a control was not reached, or one did not show that it had the focus.
    """
    _still(root)
    stops = root.evaluate(_STOPS)
    first = root.locator("[data-stop='0']")
    first.focus()
    first.press("Shift")  # so that the browser takes it for a keyboard's focus
    reached: dict[str, str] = {}
    for _ in range(stops + 1):
        focused = root.evaluate(_FOCUSED)
        if focused is None:
            break
        assert focused["marked"], f"{focused['name']} does not show its focus"
        assert focused["size"] > 0, f"{focused['name']} has the focus and no size"
        reached[focused["stop"]] = focused["name"]
        root.page.keyboard.press("Tab")
    missing = sorted(set(map(str, range(stops))) - set(reached), key=int)
    names = [root.locator(f"[data-stop='{place}']").evaluate("one => one.outerHTML.slice(0, 120)") for place in missing]
    assert names == []
    return list(reached.values())
