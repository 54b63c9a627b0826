"""The turns of a chat and what their buttons do, as a reader finds them."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from .notebook import View


class TurnOf:
    """A turn of a view by its place on the page; -1 is the last."""

    def __init__(self, view: View, place: int) -> None:
        self.view = view
        self.element = view.turns.nth(place)
        self.text = self.element.locator(".dgpt-text")
        self.back = self.button("Previous version")
        self.forth = self.button("Next version")
        self.versions = self.element.get_by_role("group", name="Versions")
        self.field = self.element.get_by_role("textbox")

    def button(self, name: str) -> Locator:
        """A button of the turn, by its exact name."""
        return self.element.get_by_role("button", name=name, exact=True)

    def press(self, name: str) -> None:
        """Goes to the turn with the mouse and clicks one of its buttons."""
        self.element.hover()
        self.button(name).click()

    def choose(self, item: str) -> None:
        """Opens the turn's menu and chooses from it."""
        self.press("More")
        self.view.root.get_by_role("menuitem", name=item, exact=True).click()

    def edit(self, text: str) -> None:
        """Opens the editor and writes."""
        self.press("Edit")
        expect(self.field).to_be_focused()
        self.field.fill(text)

    def assert_version(self, place: int, count: int) -> None:
        """Which of its versions it is."""
        expect(self.versions).to_have_text(f"{place} / {count}")
