"""Token rows on the wire: what they cost, and that nothing a page shows is lost."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from builders import chat_model
from page import Page

from dialogpt_widget import Chat, ChatWidget, Settings
from dialogpt_widget.dialogue.tokens import ALTERNATIVES, FILTERS, ORIGINS
from dialogpt_widget.widget.streaming import FATE_BITS, pack, tokens_state, wire_type

QUICK = Settings(seed=5, max_new_tokens=12, top_k=5, repetition_penalty=1.2)


@pytest.fixture
def chat() -> Chat:
    chat = Chat(chat_model(3), settings=QUICK)
    chat.send("naïve café 😀")
    return chat


def test_a_token_with_ten_alternatives_takes_at_most_100_bytes() -> None:
    assert wire_type(wide=False, full=True).itemsize <= 100  # the vocabulary of DialoGPT has 50,257 ids
    assert wire_type(wide=False, full=False).itemsize <= 8


def test_rows_come_back_as_they_were(chat: Chat) -> None:
    rows = chat.path[-1].rows
    assert rows is not None
    packed = np.frombuffer(pack(rows, list(range(len(rows)))), wire_type(wide=False, full=True))
    for name in ("id", "rank", "kept", "cut_count"):
        assert packed[name].tolist() == rows[name].tolist()
    for name in ("logprob", "logprob_used", "draw"):
        assert packed[name].tobytes() == rows[name].astype("<f4").tobytes()
    for name in ("entropy", "entropy_used", "cut_mass", "alt_logprob"):
        np.testing.assert_allclose(packed[name], rows[name], rtol=1e-3, atol=1e-4)
    assert packed["alt_id"].tolist() == rows["alt_id"].tolist()
    for number, fates in zip(packed["alt_fate"].tolist(), rows["alt_fate"].tolist(), strict=True):
        mask = (1 << FATE_BITS) - 1
        assert [number >> (FATE_BITS * place) & mask for place in range(ALTERNATIVES)] == fates
    assert packed["chars"].tolist() == list(range(len(rows)))
    assert {flags & 3 for flags in packed["flags"].tolist()} == {ORIGINS.index("sampled")}
    assert len(FILTERS) < 1 << FATE_BITS


def test_a_turn_has_every_piece_once_and_its_end(chat: Chat) -> None:
    model = chat.load_model()
    for turn in chat.path:
        state = tokens_state(turn, model)
        kind = wire_type(wide=state["wide"], full=state["full"])
        rows = np.frombuffer(state["data"], kind)
        assert rows["id"].tolist() == [*turn.ids, model.eos]
        assert state["full"] == (turn.role == "assistant")
        assert rows["chars"].sum() == len(turn.text.encode("utf-16-le")) // 2
        named: dict[int, Any] = {}
        for row in rows:
            for token in [row["id"], *(row["alt_id"] if state["full"] and row["flags"] & 8 else [])]:
                if int(token) not in named:
                    named[int(token)] = state["pieces"][len(named)]
        assert len(named) == len(state["pieces"])
        for token, piece in named.items():
            raw = piece.encode() if isinstance(piece, str) else bytes(piece)
            assert raw.decode("utf-8", "replace") == model.decode([token])
        json.dumps(state["pieces"])


def test_the_page_gets_tokens_with_the_turn_and_after_a_reload() -> None:
    widget = ChatWidget(chat_model(3), settings=QUICK)
    page = Page(widget)
    reply = widget.send("Hello")
    page.answered(2)
    for turn in (reply.id, reply.parent):
        assert page.state[f"tokens_{turn}"]["data"] == widget.get_state()[f"tokens_{turn}"]["data"]
    widget.forget(reply)
    assert page.state[f"tokens_{reply.id}"] is None


def test_a_conversation_that_was_loaded_gets_its_tokens_with_the_model(chat: Chat, hub: dict[str, Any]) -> None:
    hub["some/model"] = chat_model(3)
    other = Chat(hub["some/model"], settings=QUICK)
    other.send("Hello")
    widget = ChatWidget("some/model", conversation=other.conversation)
    page = Page(widget)
    assert page.state["tokens_1"] is None or page.state["tokens_1"]["full"]
    page.ask("mount", version=1)
    page.until(lambda: page.state["status"]["phase"] == "ready")
    page.until(lambda: page.state["tokens_0"] is not None and page.state["tokens_1"]["full"])


def test_off_sends_text_alone() -> None:
    widget = ChatWidget(chat_model(3), settings=QUICK, inspect=False)
    page = Page(widget)
    page.ask("watch", on=True)
    reply = widget.send("Hello")
    page.answered(2)
    assert page.state["inspector"] == ""
    assert page.state[f"tokens_{reply.id}"] is None
    assert page.files == {}
    assert reply.rows is not None


def test_a_page_that_watches_gets_rows_in_frames_of_few_bytes() -> None:
    widget = ChatWidget(chat_model(3, eagerness=0.0), settings=QUICK.replace(max_new_tokens=60))
    page = Page(widget)
    page.ask("watch", on=True)
    reply = widget.send("Hello")
    page.answered(2)
    frames = page.frames()
    assert frames
    rows = b"".join(page.frame_rows)
    assert rows == pack(reply.rows)[: len(rows)]  # type: ignore[arg-type]
    assert rows
    for frame in frames:
        assert len(json.dumps(frame)) - len(json.dumps(frame["text"])) <= 100
    page.frame_rows.clear()
    page.ask("watch", on=False)
    widget.send("Hello")
    assert page.frame_rows == []
