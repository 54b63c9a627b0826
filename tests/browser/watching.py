"""What happens on a page between two moments."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

_SAMPLE = """view => {
    window.__samples = [];
    const look = () => {
        const reply = [...view.querySelectorAll("[data-role=assistant] .dgpt-text")].at(-1)?.textContent ?? "";
        if (reply !== (window.__samples.at(-1) ?? "")) window.__samples.push(reply);
        window.__sampling = requestAnimationFrame(look);
    };
    look();
}"""
_SAMPLES = "() => { cancelAnimationFrame(window.__sampling); return window.__samples; }"


def watch_newest_reply(view: Locator) -> None:
    """Begins to note, at every picture that the browser paints, what the newest reply says."""
    view.evaluate(_SAMPLE)


def samples(view: Locator) -> list[str]:
    """What the newest reply said over time, each state once."""
    seen: list[str] = view.evaluate(_SAMPLES)
    return seen


class InputMethod:
    """An input method, by way of DevTools; synthetic composition events would mislead."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)

    def compose(self, text: str) -> None:
        """Shows a text that is not decided yet."""
        place = {"selectionStart": len(text), "selectionEnd": len(text)}
        self._session.send("Input.imeSetComposition", {"text": text, **place})

    def enter(self) -> None:
        """The Enter that the input method takes for itself, with its key code 229."""
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229, "nativeVirtualKeyCode": 229}
        self._session.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", **key})
        self._session.send("Input.dispatchKeyEvent", {"type": "keyUp", **key, "windowsVirtualKeyCode": 13})

    def commit(self, text: str) -> None:
        """Decides on a text."""
        self._session.send("Input.insertText", {"text": text})
