"""Several replies side by side: they grow, one is chosen, another can be, and the panel shows why."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from .notebook import Notebook, View

SEVERAL = 'ChatWidget("mini", settings=Settings(candidates=6, temperature=1.0, seed=3, max_context=256))'


def _decided(notebook: Notebook, source: str = SEVERAL) -> View:
    """A chat in which one of six replies was chosen, with the panel open."""
    view = notebook.chat(source)
    view.send("Do you like music?")
    view.wait_for_replies(1)
    view.root.get_by_role("button", name="Decide", exact=True).click()
    expect(view.root.get_by_role("table")).to_be_visible()
    return view


def _rows(view: View) -> list[str]:
    """The replies in the table, in its order."""
    rows: list[str] = view.root.locator(".dgpt-pick").all_inner_texts()
    return rows


def test_one_of_several_is_chosen_and_says_so(notebook: Notebook) -> None:
    view = notebook.chat(SEVERAL)
    view.send("Do you like music?")
    view.wait_for_replies(1)
    chosen = notebook.ask("[turn.text for turn in chat.path][-1]")
    expect(view.replies.last.locator(".dgpt-text")).to_have_text(chosen)
    chip = view.replies.last.get_by_role("button", name="1st of 6 by MMI")
    chip.click()
    assert sorted(_rows(view)) == sorted(notebook.ask("[turn.text for turn in chat.candidates().turns]"))
    assert _rows(view)[0] == chosen


def test_any_column_sorts_and_any_row_goes_on(notebook: Notebook) -> None:
    view = _decided(notebook)
    table = view.root.get_by_role("table")
    before = _rows(view)
    head = table.get_by_role("columnheader", name="tokens")
    head.get_by_role("button").click()
    lengths = notebook.ask("{turn.text: len(turn.ids) for turn in chat.candidates().turns}")
    sizes = [lengths[text] for text in _rows(view)]
    assert sizes in (sorted(sizes), sorted(sizes, reverse=True))
    expect(head).to_have_attribute("aria-sort", re.compile("ascending|descending"))
    other = before[-1]
    table.get_by_role("button", name=other, exact=True).last.click()
    notebook.until(lambda: notebook.ask("chat.path[-1].text") == other)
    expect(view.replies.last.locator(".dgpt-text")).to_have_text(other)
    notebook.until(lambda: notebook.ask("len(chat.siblings(chat.path[-1]))") == 2)


def test_what_chooses_is_changed_and_ranks_again(notebook: Notebook) -> None:
    view = _decided(notebook)
    view.root.locator("summary", has_text="How to choose").click()
    words = view.root.get_by_role("textbox", name="Words that drop a reply")
    words.fill("music, zebra")
    words.press("Enter")
    notebook.until(lambda: notebook.ask("chat._session.chat.reranking.rules.words") == ["music", "zebra"])
    view.button("Rank again").click()
    assert [text for text in _rows(view) if "music" in text]
    expect(view.root.get_by_role("table")).to_contain_text("dropped: says 'music'")
    view.root.get_by_role("combobox", name="Scorer").select_option(label="Log-probability")
    view.button("Rank again").click()
    expect(view.replies.last.get_by_role("button", name="of 6 by log-probability")).to_be_visible()
    view.root.get_by_role("combobox", name="Scorer").select_option(label="DialogRPT")
    view.button("Rank again").click()
    expect(view.notice.filter(has_text="DialogRPT reads GPT-2's 50,257 ids")).to_be_visible()


def test_decoders_are_compared_and_one_goes_on(notebook: Notebook) -> None:
    view = _decided(notebook)
    view.root.locator("summary", has_text="Side by side").click()
    ways = view.root.get_by_role("group", name="Ways to answer")
    for name in ("As now", "Wild"):  # the first is chosen, as Greedy is
        ways.get_by_role("button", name=name).click()
    view.root.get_by_role("button", name="Answer side by side").click()
    notebook.until(lambda: notebook.ask("[made.kind for made in chat.conversation.nbests][-1]") == "compared")
    go = view.log.get_by_role("button", name="Go on with this one")
    expect(go.first).to_be_visible()
    labels = notebook.ask("list(list(chat.conversation.nbests)[-1].labels)")
    assert {"Greedy", "Wild"} <= set(labels)
    go.nth(labels.index("Greedy")).click()
    texts = notebook.ask("[turn.text for turn in list(chat.conversation.nbests)[-1].turns]")
    notebook.until(lambda: notebook.ask("chat.path[-1].text") == texts[labels.index("Greedy")])
    view.wait_until_idle()
    expect(view.replies.last.locator(".dgpt-text")).to_have_text(texts[labels.index("Greedy")])


def test_after_a_reload_the_lists_are_there_again(notebook: Notebook) -> None:
    view = _decided(notebook)
    rows = _rows(view)
    notebook.command("docmanager:save")
    notebook.page.reload()
    notebook.open()
    view = View(notebook.page.locator(".jp-Notebook .jp-Cell").last)
    expect(view.replies).to_have_count(1)
    view.root.get_by_role("button", name="Decide", exact=True).click()
    expect(view.root.get_by_role("table")).to_be_visible()
    assert _rows(view) == rows
