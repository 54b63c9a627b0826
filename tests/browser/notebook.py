"""A notebook open in JupyterLab, steered through JupyterLab's own commands, and the views in its cells."""

from __future__ import annotations

import ast
import json
import re
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, expect

from .lab import Lab

PATIENCE = 60_000  # milliseconds; what is waited for is a condition, and only a broken one takes this long

_READY = """name => {
    const panel = window.jupyterapp?.shell.currentWidget;
    return panel?.context?.path === name && panel.context.isReady && panel.sessionContext.isReady
        && panel.sessionContext.session?.kernel?.connectionStatus === "connected";
}"""
_RUN = """async ([source, wait]) => {
    const panel = window.jupyterapp.shell.currentWidget, cells = panel.content.model.sharedModel;
    const place = cells.cells.length;
    cells.insertCell(place, {cell_type: "code", source, metadata: {trusted: true}});
    panel.content.activeCellIndex = place;
    const run = window.jupyterapp.commands.execute("notebook:run-cell");
    if (wait) await run;
    return place;
}"""
_RERUN = """async place => {
    const {content} = window.jupyterapp.shell.currentWidget;
    content.activeCellIndex = place;
    await window.jupyterapp.commands.execute("notebook:run-cell");
}"""
_EMPTY = """() => {
    const cells = window.jupyterapp.shell.currentWidget.content.model.sharedModel;
    cells.deleteCellRange(0, cells.cells.length);
}"""
_OUTPUTS = """place => window.jupyterapp.shell.currentWidget.content.model.cells.get(place).outputs?.toJSON() ?? []"""
_APART = """() => {
    const {kernel} = window.jupyterapp.shell.currentWidget.sessionContext.session;
    return kernel._comms.size > 0 && [...kernel._comms.values()].every(comm => comm.subshellId);
}"""
_ASK = """async ([setup, value]) => {
    const {kernel} = window.jupyterapp.shell.currentWidget.sessionContext.session;
    const asked = kernel.requestExecute({
        code: setup, silent: true, store_history: false,
        user_expressions: {value: `__import__("json").dumps(${value})`},
    });
    const {content} = await asked.done;
    const answer = content.user_expressions?.value ?? content;
    return answer.status === "ok" ? answer.data["text/plain"] : {error: `${answer.ename}: ${answer.evalue}`};
}"""


class View:
    """One view of a chat, found by the names that the design promises."""

    def __init__(self, within: Locator) -> None:
        self.root = within.get_by_role("region", name=re.compile("^Chat with "))
        self.log = self.root.get_by_role("log", name="Conversation")
        self.box = self.root.get_by_role("textbox", name="Message", exact=True)
        self.turns = self.log.get_by_role("article")
        self.replies = self.log.locator("[data-role=assistant]")
        self.stop = self.button("Stop")
        self.state = self.button(re.compile(", model details$"))
        self.notice = self.root.get_by_role("alert").filter(visible=True)

    def button(self, name: str | re.Pattern[str]) -> Locator:
        """A button by its exact name."""
        return self.root.get_by_role("button", name=name, exact=isinstance(name, str))

    def send(self, text: str) -> None:
        """Types a message, sends it, and waits until the kernel has taken it."""
        self.box.fill(text)
        self.box.press("Enter")
        expect(self.box).not_to_have_value(text)

    def texts(self) -> list[str]:
        """What the turns say, oldest first."""
        texts: list[str] = self.turns.evaluate_all("all => all.map(one => one.querySelector('.dgpt-text').textContent)")
        return texts

    def wait_for_texts(self, texts: list[str]) -> None:
        """Waits until the turns say this: a page draws what it has got with its next frame."""
        deadline = time.monotonic() + PATIENCE / 1000
        while (shown := self.texts()) != texts:
            assert time.monotonic() < deadline, f"The turns say {shown}, not {texts}."
            self.root.page.wait_for_timeout(100)

    def wait_for_replies(self, count: int) -> None:
        """Waits until so many replies have been given and nothing runs any more."""
        expect(self.replies).to_have_count(count, timeout=PATIENCE)
        self.wait_until_idle()

    def wait_until_idle(self) -> None:
        """Waits until the model is loaded and nothing runs or waits."""
        expect(self.state).to_have_accessible_name("Ready, model details", timeout=PATIENCE)
        expect(self.stop).to_be_hidden(timeout=PATIENCE)

    def wait_for_text(self, longer_than: int = 0) -> None:
        """Waits until the newest reply shows some text."""
        newest = self.replies.last.locator(".dgpt-text")
        expect(newest).to_have_text(re.compile(rf"[\s\S]{{{longer_than + 1}}}"), timeout=PATIENCE)


class Cell:
    """A cell of the notebook."""

    def __init__(self, notebook: Notebook, place: int) -> None:
        self._notebook, self._place = notebook, place
        self.element = notebook.page.locator(".jp-Notebook .jp-Cell").nth(place)

    @property
    def view(self) -> View:
        """The chat in the cell's output."""
        return View(self.element)

    @property
    def running(self) -> bool:
        """Whether the cell still runs."""
        return "[*]" in self.element.locator(".jp-InputPrompt").inner_text()

    def wait(self) -> None:
        """Waits until the cell has run."""
        expect(self.element.locator(".jp-InputPrompt")).not_to_have_text(re.compile(r"\[[* ]\]"), timeout=PATIENCE)

    def run_again(self) -> None:
        """Runs the cell once more, to its end."""
        self._notebook.page.evaluate(_RERUN, self._place)

    def errors(self) -> list[str]:
        """Names of the exceptions in the cell's output."""
        outputs = self._notebook.page.evaluate(_OUTPUTS, self._place)
        return [output["ename"] for output in outputs if output["output_type"] == "error"]


class Notebook:
    """A notebook in a page."""

    def __init__(self, lab: Lab, page: Page, name: str) -> None:
        self.lab, self.page, self.name = lab, page, name
        self.open()

    @property
    def address(self) -> str:
        """Where a browser finds the notebook."""
        return self.lab.address(self.name)

    def open(self) -> None:
        """Goes to the notebook, or loads the page again."""
        self.page.goto(self.address)
        self.page.wait_for_function(_READY, arg=self.name, timeout=PATIENCE)

    def command(self, name: str) -> None:
        """Executes one of JupyterLab's commands to its end."""
        self.page.evaluate("name => window.jupyterapp.commands.execute(name).then(() => null)", name)

    def run(self, source: str, *, wait: bool = True) -> Cell:
        """Adds a cell at the end and runs it; with `wait`, to its end and without an error."""
        cell = Cell(self, int(self.page.evaluate(_RUN, [source, wait])))
        if wait and (errors := cell.errors()):
            raise AssertionError(f"The cell failed: {errors}\n{cell.element.inner_text()}")
        return cell

    def keep_busy(self, source: str) -> Cell:
        """Runs a cell and goes on at once.

        JupyterLab gives the comms of a kernel a thread of their own a moment after the first has opened; until then
        they too wait for the running cell.
        """
        self.page.wait_for_function(_APART, timeout=PATIENCE)
        return self.run(source, wait=False)

    def chat(self, source: str = 'ChatWidget("mini")', *, load: bool = True) -> View:
        """Shows a chat, kept as `chat` in the kernel; with `load`, once its model is there."""
        view = self.run(f"chat = {source}\nchat").view
        expect(view.box).to_be_visible(timeout=PATIENCE)
        if load:
            view.wait_until_idle()
        return view

    def ask(self, value: str, setup: str = "") -> Any:
        """The value of a Python expression in the kernel, by way of JSON."""
        answer = self.page.evaluate(_ASK, [setup, value])
        assert isinstance(answer, str), answer["error"]
        return json.loads(ast.literal_eval(answer))

    def said(self) -> list[str]:
        """The texts of `chat.messages` in the kernel."""
        return [message["content"] for message in self.ask("chat.messages")]

    def clear(self) -> None:
        """Removes all cells and closes all widgets of the kernel."""
        self.page.evaluate(_EMPTY)
        self.ask("kernel_side.reset()", "import kernel_side")

    def until(self, condition: Callable[[], bool]) -> None:
        """Waits for a condition that only Python can tell."""
        deadline = time.monotonic() + PATIENCE / 1000
        while not condition():
            assert time.monotonic() < deadline, "The condition never came true."
            self.page.wait_for_timeout(100)
