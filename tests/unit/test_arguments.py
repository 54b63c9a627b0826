"""Wrong arguments are refused at once, with what to pass instead; and what objects say of themselves."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from builders import chat_model

from dialogpt_widget import Chat, ChatWidget, Conversation, Settings
from dialogpt_widget.engine.model import ChatModel

either = pytest.mark.parametrize("make", [Chat, ChatWidget])


@either
def test_a_setting_among_the_keywords_is_shown_its_place(make: Any) -> None:
    with pytest.raises(TypeError) as caught:
        make("mini", temperature=1, top_k=3)
    assert f"{make.__name__} takes" in str(caught.value)
    assert "settings=Settings(temperature=1, top_k=3)" in str(caught.value)


@either
def test_an_unknown_keyword_is_refused_with_what_there_is(make: Any) -> None:
    with pytest.raises(TypeError, match=f"{make.__name__} takes no 'devise'. Did you mean 'device'?") as caught:
        make("mini", devise="cpu")
    assert "precision" in str(caught.value)
    with pytest.raises(TypeError, match=r"takes no 'zzz'\. It takes model, device"):
        make("mini", zzz=1)


@either
def test_the_signature_stays_readable(make: Any) -> None:
    assert {"model", "device", "settings"} <= set(inspect.signature(make).parameters)


@pytest.mark.parametrize("settings", [{}, {"temperature": 1}, 3])
def test_settings_are_settings(model: ChatModel, settings: Any) -> None:
    with pytest.raises(TypeError, match=rf"not {type(settings).__name__}: Settings\("):
        Chat(model, settings=settings)
    with pytest.raises(TypeError, match=rf"not {type(settings).__name__}: Settings\("):
        model.generate([1], settings)


def test_generate_has_settings_of_its_own(model: ChatModel) -> None:
    assert list(model.generate([1, 2]))


@pytest.mark.parametrize("ids", ["Hello", np.array([1, 2]), [1.0], ["a"], None, 3, b"hi"])
def test_ids_are_whole_numbers(model: ChatModel, ids: Any) -> None:
    for use in (model.generate, model.score):
        with pytest.raises(TypeError, match=r"ids are a list of whole numbers, not .*model.encode\(text\)"):
            use(ids)
    assert list(model.generate([np.int64(1), 2]))


@pytest.mark.parametrize("text", [None, 3, b"hi"])
def test_encode_takes_a_text(model: ChatModel, text: Any) -> None:
    with pytest.raises(TypeError, match=f"A text is a string, not {type(text).__name__}"):
        model.encode(text)


def test_show_is_a_function_and_nothing_is_said_without(model: ChatModel) -> None:
    chat = Chat(model, settings=Settings(seed=1, max_new_tokens=3))
    with pytest.raises(TypeError, match=r"show is a function .* not 3"):
        chat.send("Hello", show=3)  # type: ignore[arg-type]
    assert chat.conversation.turns == ()
    chat.send("Hello")
    with pytest.raises(TypeError, match="show is a function"):
        chat.regenerate(show=3)  # type: ignore[arg-type]
    assert chat.regenerate().reply == 1, "the dice of a refused reply are not used up"


def test_an_empty_conversation_is_gone_on_with(model: ChatModel) -> None:
    conversation = Conversation()
    chat = Chat(model, conversation=conversation)
    assert chat.conversation is conversation


def test_chats_say_what_they_are() -> None:
    assert repr(Chat("mini")) == "<Chat mini, 0 turns, not loaded>"
    assert repr(Chat("Medium")) == "<Chat microsoft/DialoGPT-medium, 0 turns, not loaded>"
    chat = Chat(chat_model(), settings=Settings(seed=1, max_new_tokens=3))
    chat.send("Hello")
    assert repr(chat) == "<Chat tiny-0, 2 turns, float32 on cpu>"
    widget = ChatWidget("mini")
    assert repr(widget) == "<ChatWidget mini, 0 turns, not loaded>"
    widget.close()
