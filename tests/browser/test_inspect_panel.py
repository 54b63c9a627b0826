"""The panel of tokens: what it shows of a chat and what it asks the model."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from .notebook import Notebook, View

MINI = 'ChatWidget("mini", settings=Settings(seed=5, do_sample=True, temperature=0.7, max_new_tokens=24))'


def _open(view: View) -> Locator:
    view.button("Inspect").click()
    panel = view.root.get_by_role("region", name="Inspect")
    expect(panel).to_be_visible()
    return panel


def _section(panel: Locator, name: str) -> Locator:
    section = panel.locator("details").filter(has=panel.page.get_by_role("heading", name=name, exact=True))
    if section.get_attribute("open") is None:
        section.locator("summary").click()
    return section


@pytest.fixture
def talked(notebook: Notebook) -> tuple[Notebook, View]:
    view = notebook.chat(MINI)
    for count, text in enumerate(("Hello, how are you?", "Do you like pizza?"), 1):
        view.send(text)
        view.wait_for_replies(count)
    return notebook, view


def test_the_strip_shows_every_token_and_is_coloured(talked: tuple[Notebook, View]) -> None:
    notebook, view = talked
    strip = _section(_open(view), "Tokens")
    expect(strip.get_by_role("group", name=re.compile("^(You|Model), "))).to_have_count(4)
    cells = strip.locator(".dgpt-cells .dgpt-cell")
    expect(cells).to_have_count(notebook.ask("len(chat.tokens)"))
    expect(cells.filter(has_text="⟨end⟩")).to_have_count(4)
    pieces = notebook.ask("[chat.model.decode([i]) if i != chat.model.eos else None for i in chat.tokens.rows['id']]")
    shown = [piece.replace(" ", "·") if piece is not None else "⟨end⟩" for piece in pieces]
    assert cells.all_text_contents() == shown
    for measure in ("Probability", "Rank", "Entropy", "Time", "Origin", "Surprisal"):
        strip.get_by_label("Colour by").select_option(label=measure)
        expect(strip.locator(".dgpt-legend")).to_contain_text("given, not scored")
    cells.first.click()
    for _ in range(2):
        notebook.page.keyboard.press("ArrowRight")
    expect(cells.nth(2)).to_be_focused()
    notebook.page.keyboard.press("End")
    expect(cells.last).to_be_focused()
    expect(strip.locator(".dgpt-readout")).to_contain_text("end of turn, id")


def test_a_token_of_the_strip_is_explained_in_the_chat(talked: tuple[Notebook, View]) -> None:
    notebook, view = talked
    strip = _section(_open(view), "Tokens")
    strip.get_by_role("group", name=re.compile("^Model, ")).first.locator(".dgpt-cell").first.click()
    notebook.page.keyboard.press("Enter")
    expect(view.log.locator(".dgpt-card")).to_be_visible()


def test_a_turn_is_left_out_and_the_change_is_exact(talked: tuple[Notebook, View]) -> None:
    notebook, view = talked
    context = _section(_open(view), "Context")
    expect(context).to_contain_text(re.compile(r"\d+ of 1,000 tokens, 4 turns|\d+ of \d+ tokens, 4 turns"))
    context.get_by_role("checkbox").first.uncheck()
    result = context.get_by_role("status")
    expect(result).to_contain_text("Without this turn")
    less = notebook.ask("round(chat.without(chat.path[-1], [chat.path[0]]).logprob, 2)")
    expect(result).to_contain_text(f"{less:.2f} nats".replace("-", "\u2212"))
    context.get_by_role("checkbox").nth(1).uncheck()
    expect(result).to_contain_text("Without these 2 turns")


def test_a_typed_reply_is_scored_as_the_kernel_scores_it(talked: tuple[Notebook, View]) -> None:
    notebook, view = talked
    score = _section(_open(view), "Score")
    score.get_by_role("textbox", name="Type a reply").fill("I love pizza.")
    score.get_by_role("button", name="Score").click()
    yours = score.get_by_role("region", name="Yours")
    bits = notebook.ask("float(-chat.score('I love pizza.').rows['logprob'].sum()) / 0.6931471805599453")
    expect(yours).to_contain_text(re.compile(rf"{bits:.3g}"[:4].replace(".", r"\.")))
    expect(score.get_by_role("region", name=re.compile("^The model"))).to_be_visible()


def test_it_can_be_looked_inside(talked: tuple[Notebook, View]) -> None:
    notebook, view = talked
    deeper = _section(_open(view), "Deeper")
    deeper.get_by_role("button", name="Look inside").click()
    expect(deeper.locator(".dgpt-lens tbody tr")).to_have_count(7)
    expect(deeper).to_contain_text("Where the model looked, not why")
    deeper.get_by_role("combobox", name="Layer").select_option(index=0)
    deeper.get_by_role("combobox", name="Head").select_option(index=3)
    expect(deeper.locator(".dgpt-most li")).to_have_count(5)
    deeper.get_by_role("textbox", name="Piece").fill(" pizza")
    deeper.get_by_role("button", name="How probable?").click()
    expect(deeper.locator(".dgpt-table").first).to_contain_text("pizza")
    assert notebook.ask("len(chat.turns)") == 4
