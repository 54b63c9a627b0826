"""Any sequence of requests: each is answered once, and in the end page and kernel show the same."""

from __future__ import annotations

import threading
from typing import Any

from builders import chat_model
from hypothesis import given, settings
from hypothesis import strategies as st
from page import GUARD, Page

from dialogpt_widget import ChatWidget, Settings
from dialogpt_widget.widget import protocol

MODEL = chat_model()
near = st.integers(0, 12)
requests = st.one_of(
    st.tuples(st.just("send"), st.fixed_dictionaries({"text": st.sampled_from(["Hello", "a\nb", ""])})),
    st.tuples(
        st.sampled_from(["regenerate", "continue", "select", "forget", "pin", "code"]),
        st.fixed_dictionaries({"turn": near}),
    ),
    st.tuples(st.just("edit"), st.fixed_dictionaries({"turn": near, "text": st.just("edited")})),
    st.tuples(st.sampled_from(["stop", "undo", "clear", "sync", "retry"]), st.just({})),
    st.tuples(st.just("withdraw"), st.just({})),
    st.tuples(st.just("poll"), st.fixed_dictionaries({"rev": near})),
    st.tuples(st.just("settings"), st.fixed_dictionaries({"values": st.just({"top_k": 5})})),
    st.tuples(st.just("export"), st.just({"format": "conversation", "branches": True})),
    st.tuples(st.just("import"), st.just({"name": "x", "file": b'[{"role": "user", "content": "Hi"}]'})),
)


def settle(page: Page, widget: ChatWidget) -> None:
    """Waits until nothing runs and nothing waits; a job that ends may begin the next one, so there is none left."""
    while jobs := [thread for thread in threading.enumerate() if thread.name.startswith("dialogpt")]:
        jobs[0].join(GUARD)
        assert not jobs[0].is_alive(), page.state["status"]
    page.until(lambda: page.state["status"]["phase"] in ("ready", "error", "idle"))
    if page.state["queue"]:
        page.ask("retry")
        settle(page, widget)


@settings(max_examples=60)
@given(st.lists(requests, max_size=25))
def test_any_requests_are_answered_and_page_and_kernel_agree(asked: list[tuple[str, dict[str, Any]]]) -> None:
    widget = ChatWidget(MODEL, settings=Settings(seed=1, max_new_tokens=4))
    page = Page(widget)
    page.ask("mount", version=protocol.VERSION)
    for op, arguments in asked:
        item = [queued["id"] for queued in page.state["queue"]][:1] or ["none"]
        answer = page.ask(op, **arguments | ({"item": item[0]} if op == "withdraw" else {}))
        assert answer.get("ok") is True or len(answer["error"].split()) > 2
    settle(page, widget)
    kernel = widget.get_state()
    shown = [
        key for key in kernel if key.startswith(protocol.TURN_KEY) or key in ("leaf", "can_undo", "queue", "settings")
    ]
    assert {key: page.state[key] for key in shown} == {key: kernel[key] for key in shown}
    turns = {key: value for key, value in page.state.items() if key.startswith(protocol.TURN_KEY)}
    assert {key for key, value in turns.items() if value is not None} == {key for key in shown if key in turns}
    assert page.texts() == [message["content"] for message in widget.messages]
    assert page.state["status"]["phase"] != "error" or page.state["error"]
    widget.close()
