"""Any sequence of verbs on a chat: nothing is lost but by forgetting, and undo goes back exactly one change."""

from __future__ import annotations

from typing import Any

from builders import chat_model
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from samples import contents, stop_after

from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.dialogue import files
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.settings import Settings

MODEL = chat_model()
pick = st.integers(0, 1000)
words = st.sampled_from(["Hello", "soup", "naïve 😀", "a\nb"])


class Walk(RuleBasedStateMachine):
    """A chat, what it has said, and the leaves that were selected one after the other."""

    def __init__(self) -> None:
        super().__init__()
        self.chat = Chat(MODEL)
        self.said: dict[int, tuple[Turn, Any]] = {}
        self.selected: list[int | None] = [None]

    @initialize(seed=st.integers(0, 9), length=st.integers(1, 6), window=st.sampled_from([24, 60, 1000]))
    def begin(self, seed: int, length: int, window: int) -> None:
        self.chat.settings = Settings(seed=seed, max_new_tokens=length, max_context=window, min_new_tokens=0)

    def one_change(self) -> None:
        """At most one, whatever it took."""
        if self.chat.conversation.leaf != self.selected[-1]:
            self.selected.append(self.chat.conversation.leaf)

    def any_turn(self, number: int) -> Turn:
        return self.chat.turns[number % len(self.chat.turns)]

    @rule(text=words)
    def send(self, text: str) -> None:
        before = self.chat.path
        reply = self.chat.send(text)
        assert self.chat.path == (*before, self.chat.conversation[reply.parent or 0], reply)
        self.one_change()

    @rule(text=words, tokens=st.integers(1, 3))
    def send_and_stop(self, text: str, tokens: int) -> None:
        stop_after(self.chat, tokens)
        assert len(self.chat.send(text).ids) <= tokens
        self.one_change()

    @precondition(lambda self: self.chat.turns)
    @rule(number=pick)
    def regenerate(self, number: int) -> None:
        try:
            asked = self.chat.conversation.question(self.any_turn(number))
        except ValueError:
            return
        reply = self.chat.regenerate(self.any_turn(number))
        assert self.chat.path == (*self.chat.conversation.path_to(asked), reply)
        self.one_change()

    @precondition(lambda self: self.chat.turns)
    @rule(number=pick)
    def regenerate_and_stop_before_the_first_token(self, number: int) -> None:
        before = self.chat.conversation.leaf
        try:
            reply = self.chat.planner.reply(self.any_turn(number))
        except ValueError:
            return
        reply.stop.set()
        self.chat.runner.run(reply)
        assert self.chat.conversation.leaf == before

    @precondition(lambda self: self.chat.turns)
    @rule(number=pick)
    def continue_(self, number: int) -> None:
        old = self.any_turn(number)
        before = self.chat.path
        try:
            reply = self.chat.continue_(old)
        except ValueError:
            assert self.chat.path == before
            return
        assert reply.ids[: len(old.ids)] == old.ids
        assert len(reply.ids) > len(old.ids) or reply.stop == "eos"
        self.one_change()

    @precondition(lambda self: self.chat.turns)
    @rule(number=pick, text=words)
    def edit(self, number: int, text: str) -> None:
        old = self.any_turn(number)
        made = self.chat.edit(old, text)
        changed = made if old.role == "assistant" else self.chat.conversation[made.parent or 0]
        assert (changed.text, changed.role, changed.parent) == (text, old.role, old.parent)
        assert self.chat.path[-1] == made
        self.one_change()

    @precondition(lambda self: self.chat.turns)
    @rule(number=pick)
    def select(self, number: int) -> None:
        wanted = self.any_turn(number)
        assert wanted in self.chat.select(wanted)
        self.one_change()

    @rule()
    def clear(self) -> None:
        self.chat.clear()
        assert self.chat.messages == []
        self.one_change()

    @rule()
    def undo(self) -> None:
        if len(self.selected) > 1:
            self.selected.pop()
        self.chat.undo()
        assert self.chat.conversation.leaf == self.selected[-1]
        assert self.chat.conversation.can_undo == (len(self.selected) > 1)

    @rule(length=st.integers(0, 3))
    def assign_messages(self, length: int) -> None:
        messages = [{"role": ("user", "assistant")[place % 2], "content": f"told {place}"} for place in range(length)]
        self.chat.messages = messages
        assert self.chat.messages == messages
        self.one_change()

    @precondition(lambda self: len(self.chat.turns) < 60)
    @rule()
    def take(self) -> None:
        before = self.chat.messages
        self.chat.take(files.dump(self.chat.saved))
        assert self.chat.messages == before
        self.one_change()

    @rule()
    def save_and_load(self) -> None:
        text = files.dump(self.chat.saved)
        saved = files.parse(text)
        assert contents(saved.conversation) == contents(self.chat.conversation)
        assert saved.settings is not None
        self.chat = Chat(MODEL, settings=saved.settings, conversation=saved.conversation)
        assert files.dump(self.chat.saved) == text
        self.selected = [self.chat.conversation.leaf]

    @precondition(lambda self: self.chat.turns)
    @rule(number=pick)
    def forget(self, number: int) -> None:
        first = self.any_turn(number)
        gone = {turn.id for turn in self.chat.forget(first)}
        assert gone == {own for own, (turn, _) in self.said.items() if own == first.id or turn.parent in gone}
        for own in gone:
            del self.said[own]
        left = [leaf for leaf in self.selected[:-1] if leaf not in gone] + [self.chat.conversation.leaf]
        self.selected = [leaf for place, leaf in enumerate(left) if place == 0 or left[place - 1] != leaf]

    @invariant()
    def no_turn_is_lost_and_none_changes(self) -> None:
        for turn in self.chat.turns:
            rows = None if turn.rows is None else turn.rows.tobytes()
            assert self.said.setdefault(turn.id, (turn, rows)) == (turn, rows)
        assert set(self.said) == {turn.id for turn in self.chat.turns}

    @invariant()
    def the_path_is_consistent(self) -> None:
        path, conversation = self.chat.path, self.chat.conversation
        assert [turn.parent for turn in path] == [None, *(turn.id for turn in path)][: len(path)]
        assert conversation.leaf == (path[-1].id if path else None)
        assert all(turn in conversation.siblings(turn) for turn in path)

    @invariant()
    def the_token_table_ends_each_turn_with_one_eos(self) -> None:
        ends = self.chat.tokens["eos"]
        assert ends.sum() == len(self.chat.path)

    @invariant()
    def no_two_new_replies_share_their_dice(self) -> None:
        assert self.chat.state._next_number > max(
            (turn.reply for turn in self.chat.turns if turn.reply is not None), default=-1
        )


Walk.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestAnyWalk = Walk.TestCase
