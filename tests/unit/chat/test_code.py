"""The Python that a reply gives makes the same ids again."""

from __future__ import annotations

from typing import Any

import pytest
from builders import chat_model
from samples import stop_after

from dialogpt_widget import Chat, Settings, Turn
from dialogpt_widget.engine.model import ChatModel

SAMPLED = Settings(seed=7, max_new_tokens=20, temperature=0.8, top_k=0, top_p=0.95)


def sampled(chat: Chat) -> Turn:
    chat.send("Hello, how are you?")
    chat.send("What do you like?")
    return chat.regenerate()


def drawn(chat: Chat) -> Turn:
    chat.settings = Settings(max_new_tokens=10)
    return chat.send("Hello")


def greedy(chat: Chat) -> Turn:
    chat.settings = Settings(do_sample=False, repetition_penalty=1.2)
    return chat.send("Does money buy happiness?")


def continued(chat: Chat) -> Turn:
    chat.settings = SAMPLED.replace(max_new_tokens=4, min_new_tokens=4)
    cut = chat.send("Tell me something funny.")
    chat.settings = chat.settings.replace(max_new_tokens=8)
    return chat.continue_(cut)


def continued_by_hand(chat: Chat) -> Turn:
    return chat.continue_(chat.edit(chat.send("Hello"), "I am a"))


def continued_in_a_narrow_window(chat: Chat) -> Turn:
    chat.settings = SAMPLED.replace(max_context=44, max_new_tokens=25, min_new_tokens=25)
    chat.messages = [{"role": "user", "content": "one two three four"}, {"role": "assistant", "content": "five six"}]
    stop_after(chat, 15)
    longer = chat.continue_(chat.send("What do you like to do on weekends?"))
    path = chat.path[:-1]
    assert longer.settings is not None
    assert chat.state.context_of(path, longer.settings).dropped == ()
    assert len(longer.context) < len(path), "what the reply begins with needs room too"
    return longer


def stopped(chat: Chat) -> Turn:
    chat.settings = SAMPLED.replace(min_new_tokens=20)
    stop_after(chat, 3)
    return chat.send("Tell me a story.")


def overflowed(chat: Chat) -> Turn:
    chat.settings = SAMPLED.replace(max_context=60)
    for text in ("Hello", "What do you like to do on weekends?", "And then?", "Why is that so?"):
        turn = chat.send(text)
    assert len(turn.context) < len(chat.path) - 1
    return turn


def cut_message(chat: Chat) -> Turn:
    chat.settings = SAMPLED.replace(max_context=40)
    turn = chat.send("a very long message " * 30)
    assert chat.state.context_of(chat.path[:1], chat.settings).cut
    return turn


def after_an_import(chat: Chat) -> Turn:
    chat.send("Hello")
    chat.messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "I'm fine."}]
    return chat.send("And you?")


@pytest.mark.parametrize(
    "happens",
    [
        sampled,
        drawn,
        greedy,
        continued,
        continued_by_hand,
        continued_in_a_narrow_window,
        stopped,
        overflowed,
        cut_message,
        after_an_import,
    ],
)
def test_the_code_of_a_reply_makes_its_ids_again(
    mini: ChatModel, happens: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chat = Chat(mini, settings=SAMPLED)
    turn = happens(chat)
    chat.settings = Settings(seed=1, max_context=30)  # what is set now does not matter
    code = chat.code(turn)
    names: dict[str, Any] = {}
    exec(compile(code, "copied", "exec"), names)
    assert tuple(names["ids"]) == turn.ids
    assert names["model"] is not mini
    assert capsys.readouterr().out.split() == mini.decode(turn.ids).split()


def test_what_differs_from_the_default_is_written_and_no_more(mini: ChatModel) -> None:
    chat = Chat(mini, settings=Settings(seed=3, max_new_tokens=5))
    code = chat.code(chat.send("Hello").id)
    assert "settings = Settings(max_new_tokens=5, seed=3)" in code
    assert "begun" not in code
    assert "ChatModel.from_pretrained('mini', precision='float32')" in code


def test_what_no_model_made_has_no_code() -> None:
    chat = Chat(chat_model(), settings=Settings(seed=1, max_new_tokens=4))
    reply = chat.send("Hello")
    written = chat.edit(reply, "Written")
    for turn in (chat.path[0], written):
        with pytest.raises(ValueError, match="A person wrote this: no token of it was chosen"):
            chat.code(turn)
    chat.use(chat_model(1))
    with pytest.raises(ValueError, match="This reply is by tiny-0: choose that model first"):
        chat.code(reply)
