"""The transcript beside the view: displayed once, rewritten when the chat changed, seldom enough, never after."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator

import pytest
from builders import chat_model
from IPython.core.formatters import IPythonDisplayFormatter
from outputs import Notebook
from page import GUARD

from dialogpt_widget import ChatWidget, Settings
from dialogpt_widget.widget.transcript import PAUSE, RATE, TranscriptOutput

QUICK = Settings(seed=1, max_new_tokens=6)


class Text:
    """Something with a transcript."""

    def __init__(self, text: str = "old") -> None:
        self.text = text

    def render(self) -> str:
        return self.text


@pytest.fixture
def text() -> Text:
    return Text()


@pytest.fixture
def output(notebook: Notebook, text: Text) -> TranscriptOutput:
    return TranscriptOutput(text.render, "id")


def test_nothing_is_published_before_it_is_displayed(notebook: Notebook, output: TranscriptOutput) -> None:
    output.changed()
    output.flush()
    notebook.wait(100)
    assert notebook.shown == []


def test_it_is_rewritten_in_the_background_after_a_pause(
    notebook: Notebook, output: TranscriptOutput, text: Text
) -> None:
    output.display()
    text.text = "new"
    output.changed()
    output.changed()
    notebook.wait(PAUSE - 0.1)
    assert notebook.transcripts() == [("old", False)]
    notebook.wait(0.1)
    assert notebook.transcripts() == [("old", False), ("new", True)]
    output.changed()
    notebook.wait(PAUSE)
    assert len(notebook.transcripts()) == 2, "what has not changed is not rewritten"


def test_long_ones_are_rewritten_so_seldom_that_their_bytes_stay_below_a_rate(
    notebook: Notebook, output: TranscriptOutput, text: Text
) -> None:
    output.display()
    text.text = "x" * 100_000
    began = notebook.now
    for step in range(6000):
        text.text = f"{step} {text.text[:100_000]}"
        output.changed()
        notebook.wait(0.1)
    written = sum(len(content) for content, update in notebook.transcripts() if update)
    assert 0 < written <= RATE * (notebook.now - began) + 2 * 100_010


def test_it_is_rewritten_after_each_cell_that_changed_it(
    notebook: Notebook, output: TranscriptOutput, text: Text
) -> None:
    output.display()
    output.display()
    assert len(notebook.after) == 1
    notebook.end_cell()
    text.text = "new"
    output.changed()
    notebook.end_cell()
    assert notebook.timers == []
    assert notebook.transcripts() == [("old", False), ("old", False), ("new", True)]


def test_it_is_rewritten_once_more_when_closed_and_then_no_more(
    notebook: Notebook, output: TranscriptOutput, text: Text
) -> None:
    output.display()
    text.text = "last"
    output.changed()
    output.close()
    text.text = "never"
    output.changed()
    notebook.end_cell()
    notebook.wait(100)
    assert notebook.transcripts() == [("old", False), ("last", True)]


def test_it_keeps_nothing_alive_and_leaves_no_listener(notebook: Notebook, text: Text) -> None:
    output = TranscriptOutput(text.render, "id")
    output.display()
    output.changed()
    gone = weakref.ref(text), weakref.ref(output)
    del text
    notebook.wait(PAUSE)
    del output
    gc.collect()
    assert gone[1]() is None
    notebook.end_cell()
    assert notebook.after == []
    assert notebook.transcripts() == [("old", False)]


@pytest.fixture
def widget(notebook: Notebook) -> Iterator[ChatWidget]:
    widget = ChatWidget(chat_model(), settings=QUICK, inspect=False)
    yield widget
    widget.close()


def test_a_widget_shows_its_view_and_its_transcript_beside_it(notebook: Notebook, widget: ChatWidget) -> None:
    widget._ipython_display_()
    (view, no_id, _), (beside, display_id, update) = notebook.shown
    assert "application/vnd.jupyter.widget-view+json" in view
    assert "text/html" not in view
    assert no_id is None
    assert display_id
    assert not update
    mark = widget.get_state()["view"]
    assert beside == {"text/html": f'<div data-dialogpt="{mark}"></div>'}
    widget.send("Hello <b>")
    notebook.end_cell()
    text, update = notebook.transcripts()[-1]
    assert update
    assert f'data-dialogpt="{mark}"' in text
    assert "Hello &lt;b&gt;" in text
    widget.clear()
    notebook.wait(PAUSE)
    assert "Hello" not in notebook.transcripts()[-1][0]


def test_a_forgotten_turn_leaves_the_transcript(notebook: Notebook, widget: ChatWidget) -> None:
    widget._ipython_display_()
    widget.send("my secret")
    notebook.end_cell()
    assert "secret" in notebook.transcripts()[-1][0]
    widget.forget(widget.path[0])
    notebook.wait(100)
    assert "secret" not in notebook.transcripts()[-1][0]


def test_two_widgets_have_transcripts_of_their_own(notebook: Notebook, widget: ChatWidget) -> None:
    other = ChatWidget(chat_model(), settings=QUICK, inspect=False)
    for one in (widget, other):
        one._ipython_display_()
    assert len({display_id for _, display_id, _ in notebook.shown if display_id}) == 2
    other.close()


def test_a_displayed_widget_that_is_closed_is_collected(notebook: Notebook) -> None:
    widget = ChatWidget(chat_model(), settings=QUICK, inspect=False)
    widget._ipython_display_()
    widget.send("Hello")
    for thread in [thread for thread in threading.enumerate() if thread.name.startswith("dialogpt")]:
        thread.join(GUARD)
    gone = weakref.ref(widget)
    widget.close()
    assert "Hello" in notebook.transcripts()[-1][0]
    del widget
    gc.collect()
    assert gone() is None
    notebook.end_cell()
    assert notebook.after == []


def test_a_chat_that_is_closed_is_displayed_as_its_transcript(notebook: Notebook) -> None:
    widget = ChatWidget(chat_model(), settings=QUICK, inspect=False)
    widget.send("Hello")
    widget.close()
    IPythonDisplayFormatter()(widget)
    assert len(notebook.shown) == 1
    assert "Hello" in notebook.transcripts()[0][0]
