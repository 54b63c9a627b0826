"""A chat at work in a notebook: jobs queue, the model's thread runs them, the page is told."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import TYPE_CHECKING, Any

from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.chat.pace import Pace, PaceCommand
from dialogpt_widget.chat.reply import Reply
from dialogpt_widget.chat.runner import PAUSED
from dialogpt_widget.dialogue.nbest import NBest
from dialogpt_widget.dialogue.share import SharedChat
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.widget import protocol, serialize
from dialogpt_widget.widget.jobs import FORGOTTEN, Job, JobQueue, JobRunner
from dialogpt_widget.widget.protocol import SELECTION, key_of, nbest_key_of
from dialogpt_widget.widget.state import PageState, View
from dialogpt_widget.widget.streaming import FrameStream

if TYPE_CHECKING:
    from dialogpt_widget.engine.model import ChatModel


class Session:
    """The work behind one widget: what is asked for, queued, answered or taken back.

    Args:
        chat: the conversation and its model.
        view: shows the state.
        values: values of further keys of the state; see `PageState`.
        inspect: whether the page gets what is known of tokens.

    Attributes:
        state: what the page gets.
        frames: the running reply on its way to the page.
    """

    def __init__(
        self, chat: Chat, view: View, values: Mapping[str, Callable[[], Any]], *, inspect: bool = True
    ) -> None:
        self.chat = chat
        self._jobs = JobQueue()
        self.state = PageState(
            chat,
            view,
            {
                **values,
                "queue": lambda: self._jobs.shown(loaded=chat.model is not None),
                "meter": lambda: serialize.meter(chat.context, self.reused) if chat.model else None,
                "pace": lambda: self.pace,
            },
            inspect=inspect,
        )
        self.frames = FrameStream(self.state.post)
        self._runner = JobRunner(chat, self.state, self.frames, self._jobs)
        self._begun = False  # whether the model is being loaded, or was
        self._shown = self.pace
        chat.slow_motion.launcher = weakref.proxy(self)  # the chat does not keep its session alive
        chat.pace.on_change(self._pace_changed)

    @property
    def reused(self) -> int | None:
        """Tokens before the reply at the end of the path that were in the cache; None if it is not the newest one."""
        newest, reused = self._runner.reused
        return reused if newest == self.chat.conversation.leaf else None

    @property
    def pace(self) -> protocol.PaceState:
        """How the running reply is revealed, as the page needs it."""
        pace, running = self.chat.pace, self.chat.running
        return {
            "mode": pace.mode,
            "rate": pace.rate,
            "guessing": pace.guessing,
            "waiting": pace.waiting,
            "count": len(running.tokens) if running else 0,
        }

    def begin(self) -> None:
        """Loads the model in the background, once."""
        with self.state.lock:
            if not self._begun and not self.state.closed:
                self._begun = True
                self._runner.prepare()

    def open(self, shared: SharedChat) -> None:
        """Shows what was shared, and expects that this machine would choose the same tokens."""
        self.chat.replayer.expect(shared)
        turn, index = shared.pinned
        self.state.pinned = None if turn is None else [turn, index]
        self.state.show("pinned")

    def put(self, job: Job) -> Job:
        """Takes something to answer; it waits for what came before it.

        Raises:
            RuntimeError: the widget is closed, or the caller is a callback of the running reply.
        """
        with self.state.lock:
            if self.state.closed:
                raise RuntimeError("This widget is closed. Make a new one to go on.")
            if job.paced and self._runner.model_queue.is_current_thread:
                raise RuntimeError("A callback of a reply cannot wait for another reply; use a thread, or asend.")
            self._jobs.waiting.append(job)
            self._begun, self._jobs.failed = True, None
            self.state.show(error=None)
            self._runner.next()
            self.state.show("queue")
        return job

    def wait(self, job: Job) -> Turn:
        """Waits for a reply and posts its frames meanwhile. Ctrl-C stops it.

        Raises:
            KeyboardInterrupt: after the reply has been stopped and kept.
            RuntimeError: the one before it is paused.
        """
        try:
            while not wait([job.done], timeout=protocol.FRAME_INTERVAL).done:
                self.frames.post_due()
                self._refuse_behind_pause(job)
        except KeyboardInterrupt:
            if self.withdraw(job.id) is None:
                job.stop.set()
                wait([job.done])
            raise
        return job.done.result()

    async def wait_async(self, job: Job) -> Turn:
        """Waits for a reply without blocking the event loop; cancelling stops it."""
        try:
            return await asyncio.shield(asyncio.wrap_future(job.done))
        except asyncio.CancelledError:
            if self.withdraw(job.id) is None:
                job.stop.set()
            raise

    def stop(self) -> None:
        """Stops the running reply before the model's next step, also one that waits for other chats on the model."""
        active = self._jobs.active
        if active is not None and (self._jobs.runs or self._jobs.ahead):
            active.stop.set()
            self.chat.pace.wake()
            self._runner.skip(stopped=True)

    def withdraw(self, job_id: str) -> Job | None:
        """Takes back what has not begun; None if it has."""
        with self.state.lock:
            withdrawn = self._refuse(lambda job: job.id == job_id, "The message was withdrawn before it was answered.")
            if withdrawn:
                self.state.show("queue")
        self._runner.skip()
        return withdrawn[0] if withdrawn else None

    def retry(self) -> None:
        """Tries again what failed: the loading, or the last reply."""
        with self.state.lock:
            if self._jobs.failed is not None:
                self._jobs.waiting.insert(0, self._jobs.failed.again())
            self._jobs.failed = None
            self._go_on()

    def use(self, model: str | ChatModel, precision: str | None = None) -> None:
        """Goes on with another model or precision, loaded in the background; the conversation stays.

        Raises:
            RuntimeError: a reply is running.
            ValueError: that is not a precision.
        """
        with self.state.lock:
            if self._jobs.runs:
                raise RuntimeError("A reply is running: stop it first, then choose another model.")
            chat = self.chat
            revision = chat.revision if precision else None
            chat.use(model, device=chat.device, precision=precision or chat.precision, revision=revision)
            self._runner.find_queue()
            self._go_on()
            self.state.show("info", "models", "precisions", "settings", "settings_schema", "meter", "rerank")
        self._runner.skip()

    def close(self) -> None:
        """Stops what runs, refuses what waits, lets go of the model."""
        with self.state.lock:
            self.state.closed = True
            self._refuse(lambda _: True, "The widget was closed before this was answered.")
            if self._jobs.active is not None:
                self._jobs.active.stop.set()
                self.chat.pace.wake()
            self._runner.close()
            self.chat.unload()
        self._runner.skip()

    def pick(self, made: NBest | int, place: int) -> Turn:
        """Makes one of several replies a version in the tree, if it is none yet, and selects it."""
        with self.state.lock:
            turn = self.chat.pick(made, place)
            self.state.show(key_of(turn), *SELECTION)
        return turn

    def rank(self, made: NBest | int | None = None) -> NBest:
        """Ranks several replies anew by what chooses now."""
        ranked = self.chat.rank(made)
        self.state.show(nbest_key_of(ranked))
        return ranked

    def forget(self, turn: Turn | int) -> tuple[Turn, ...]:
        """Erases a turn and all that follows it, with what waits for one of those; returns what was erased."""
        with self.state.lock:
            before = {made.id for made in self.chat.conversation.nbests}
            gone = self.chat.forget(turn)
            self._refuse(lambda job: job.about(gone), FORGOTTEN)
            if self._jobs.failed is not None and self._jobs.failed.about(gone):
                self._jobs.failed = None
            lists = [f"{protocol.NBEST_KEY}{list_id}" for list_id in before]
            self.state.show(*map(key_of, gone), *lists, "queue", *SELECTION)
        self._runner.skip()
        return gone

    def ask(self, command: PaceCommand) -> None:
        """Has the running reply carry out a command, or begins one with it; does not wait for it.

        Raises:
            ValueError: there is nothing to answer.
            RuntimeError: a reply is about to begin.
        """
        with self.state.lock:
            if self.chat.runner.ask(command) is not None:
                return
            if self._jobs.waiting or self._jobs.active:
                raise RuntimeError("A reply is about to begin: try again in a moment.")
            self.put(Job("regenerate", turn=self.chat.conversation.question(), first=command))

    def begin_with(self, command: PaceCommand) -> Reply:
        """Begins a reply to the path's last message, paused, and blocks until its first command is carried out."""
        asked = self.chat.conversation.question()
        job = self.put(Job("regenerate", turn=asked, first=command, awaited=True, paced=True))
        self._wait(job, command.done, job.done)
        if job.made is None:
            job.done.result()
        assert isinstance(job.made, Reply)
        return job.made

    def wait_for(self, done: Future[Any]) -> None:
        """Blocks until a command is carried out, or a reply has settled; posts frames meanwhile."""
        self._wait(self._jobs.active, done)

    def _wait(self, job: Job | None, *done: Future[Any]) -> None:
        waited_for = job is not None and job.paced and job.first is None
        if job is not None:
            job.paced = True
        try:
            while not wait(done, protocol.FRAME_INTERVAL, FIRST_COMPLETED).done:
                self.frames.post_due()
                if job is not None:
                    self._refuse_behind_pause(job)
        finally:
            if job is not None:
                job.paced = waited_for
            self.frames.flush()

    def _refuse_behind_pause(self, job: Job) -> None:
        if self.chat.pace.waiting and self.withdraw(job.id) is not None:
            raise RuntimeError(PAUSED)

    def _refuse(self, which: Callable[[Job], bool], why: str) -> list[Job]:
        refused = self._jobs.refuse(which)
        for job in refused:
            job.done.set_exception(RuntimeError(why))
        return refused

    def _go_on(self) -> None:
        self._begun = False
        self.state.show(status=serialize.status("idle", ""), error=None)
        self._runner.next()
        if self._jobs.active is None:
            self.begin()

    def _pace_changed(self, pace: Pace) -> None:
        job = self._jobs.active
        if job is not None and not job.paced and pace.waiting:
            self.frames.flush()
        with self.state.lock:
            shown = self.pace
            if self.chat.running is not None and not shown["waiting"]:
                shown["count"] = self._shown["count"]  # that alone is news only where the reply waits or has ended
            if shown != self._shown:
                self._shown = self.pace
                self.state.show("pace")
