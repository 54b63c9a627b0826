"""The same behaviour in every host."""

from __future__ import annotations

import itertools
import re

from browser.turning import TurnOf
from browser.watching import samples, watch_newest_reply
from playwright.sync_api import expect

from .host import Host

PACED = "Counted(Scripted([words(80)], rate=16))"  # five seconds, so that a host that must ask has news to ask for
SAVED = {"name": "chat.json", "mimeType": "application/json"}
QUICK = "ChatWidget(Scripted([['It is ', 'fine.']]))"
WILD = "Counted('mini', settings=Settings(seed=11, temperature=1.5, top_p=0.95, max_new_tokens=24))"
FORKED = "[[turn.ids[:1], turn.ids[1]] for turn in (chat.turns[1], chat.path[1])]"


def test_a_message_is_answered_and_the_page_shows_what_the_kernel_holds(host: Host) -> None:
    view = host.chat()
    view.send("Hello, how are you?")
    view.wait_for_replies(1)
    view.send("Hello, how are you?")
    view.wait_for_replies(2)
    assert view.texts() == host.said()
    assert view.texts()[::2] == ["Hello, how are you?"] * 2


def test_a_reply_grows_and_only_a_host_that_loses_messages_is_asked_for_them(host: Host) -> None:
    view = host.chat(PACED)
    watch_newest_reply(view.root)
    view.send("Count, please.")
    view.wait_for_replies(1)
    grown = [text for text in samples(view.root) if text]
    assert len(grown) >= 5
    assert all(after.startswith(before) for before, after in itertools.pairwise(grown))
    assert grown[-1] == host.said()[-1]
    asked = host.ask("chat.ops.count('poll')")
    assert asked >= 5 if host.loses else asked <= 1  # a machine that stands still for a moment makes it ask once


def test_code_sends_from_a_cell_and_the_page_follows(host: Host) -> None:
    view = host.chat(PACED)
    watch_newest_reply(view.root)
    host.run("turn = chat.send('Count, please.')", wait=False)
    view.wait_for_replies(1)
    assert len([text for text in samples(view.root) if text]) >= 3
    assert view.texts() == host.said()
    assert host.ask("turn.text") == view.texts()[-1]


def test_stop_ends_a_reply_and_keeps_what_was_said(host: Host) -> None:
    view = host.chat("ChatWidget(Scripted([words(2000)], rate=20))")
    view.send("Count, please.")
    view.wait_for_text(longer_than=40)
    view.stop.click()
    view.wait_for_replies(1)
    expect(view.replies.last).to_contain_text("stopped")
    assert view.texts() == host.said()
    assert host.ask("chat.path[-1].stop") == "user"


def test_a_message_is_said_in_other_words_and_both_versions_stay(host: Host) -> None:
    view = host.chat("ChatWidget(Scripted([['Fine.'], ['No', ' idea.']]))")
    view.send("How are you?")
    view.wait_for_replies(1)
    question = TurnOf(view, 0)
    question.edit("Where are you?")
    question.button("Save").click()
    expect(TurnOf(view, 1).text).to_have_text("No idea.")
    question.assert_version(2, 2)
    view.wait_until_idle()
    assert view.texts() == host.said() == ["Where are you?", "No idea."]
    question.back.click()
    expect(TurnOf(view, 1).text).to_have_text("Fine.")
    assert view.texts() == host.said() == ["How are you?", "Fine."]


def test_a_reply_is_made_again_and_the_page_goes_from_version_to_version(host: Host) -> None:
    view = host.chat("ChatWidget(Scripted([['One', ' day.'], ['Two', ' days.']]))")
    view.send("How long?")
    view.wait_for_replies(1)
    reply = TurnOf(view, 1)
    reply.press("Regenerate")
    expect(reply.text).to_have_text("Two days.")
    view.wait_until_idle()
    reply.assert_version(2, 2)
    for button, words in ((reply.back, "One day."), (reply.forth, "Two days."), (reply.back, "One day.")):
        button.click()
        expect(reply.text).to_have_text(words)
        assert view.texts() == host.said() == ["How long?", words]


def test_a_word_opens_its_card_and_a_bar_of_it_forks_the_reply_there(host: Host) -> None:
    view = host.chat(WILD)
    view.send("Do you like pizza?")
    view.wait_for_replies(1)
    reply = TurnOf(view, 1)
    before = view.texts()[1]
    words = reply.text.locator(".dgpt-word:not(.dgpt-end)")
    expect(words).to_have_count(host.ask("len(chat.path[1].ids)"))
    assert "".join(words.all_inner_texts()).replace(" ", "") == before.replace(" ", "")
    assert ("tokens" in host.ask("chat.ops")) == host.loses
    words.nth(1).click()
    card = reply.element.locator(".dgpt-card")
    expect(card).to_contain_text(re.compile(r"%, the model.s \d+(st|nd|rd|th) choice; the dice picked it"))
    card.get_by_role("list", name="What else there was").get_by_role("button").first.click()
    reply.assert_version(2, 2)
    view.wait_until_idle()
    (kept, old), (prefix, new) = host.ask(FORKED)
    assert prefix == kept
    assert new != old
    assert view.texts() == host.said()
    expect(words).to_have_count(host.ask("len(chat.path[1].ids)"))  # those of the fork are there as well
    reply.press("Previous version")
    expect(reply.text).to_have_text(before)


def test_a_file_crosses_both_ways(host: Host) -> None:
    view = host.chat(QUICK)
    view.send("Hello!")
    view.wait_for_replies(1)
    view.button("Keep").click()
    panel = view.root.get_by_role("region", name="Keep")
    with host.page.expect_download() as saved:
        panel.get_by_role("button", name="Conversation").click()
    panel.get_by_label("File to open").set_input_files({**SAVED, "buffer": saved.value.path().read_bytes()})
    expect(panel.get_by_role("status")).to_contain_text("2 turns from chat.json")
    assert host.ask("[turn.text for turn in chat.turns]") == ["Hello!", "It is fine."] * 2


def test_what_is_said_while_a_cell_runs_is_answered_at_once_or_after_it(host: Host) -> None:
    view = host.chat(QUICK)
    host.run("time.sleep(6)", wait=False)
    view.box.fill("Hello!")
    view.box.press("Enter")
    if host.waits:
        expect(view.root).to_contain_text(re.compile("waits|busy|running", re.IGNORECASE))
    view.wait_for_replies(1)
    assert view.texts() == host.said() == ["Hello!", "It is fine."]


def test_the_chat_is_there_after_a_reload_and_goes_on(host: Host) -> None:
    view = host.chat(QUICK)
    view.send("Hello!")
    view.wait_for_replies(1)
    host.reload()
    view.wait_for_replies(1)
    assert view.texts() == host.said()
    view.send("And again?")
    view.wait_for_replies(2)
    assert view.texts() == host.said()


def test_a_reply_goes_on_over_a_reload_and_loses_nothing(host: Host) -> None:
    view = host.chat("ChatWidget(Scripted([words(200)], rate=20))")
    view.send("Count, please.")
    view.wait_for_text()
    host.reload()
    view.wait_for_text()
    assert view.texts()[1].startswith("0000 0001 ")
    view.wait_for_replies(1)
    assert view.texts() == host.said()
