"""The jobs of one chat: what waits to be answered, and what the thread of a model makes of it."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dialogpt_widget.chat.chat import Chat
from dialogpt_widget.chat.events import CandidateDelta, Event, RankingStarted, TokenRetracted, TokenRevealed
from dialogpt_widget.chat.pace import PaceCommand
from dialogpt_widget.chat.reply import NBestRun, Reply
from dialogpt_widget.dialogue.conversation import UnknownTurnError
from dialogpt_widget.dialogue.nbest import NBest
from dialogpt_widget.dialogue.turn import Turn
from dialogpt_widget.errors import ModelError
from dialogpt_widget.widget import protocol, serialize
from dialogpt_widget.widget.model_queue import MODEL_QUEUES, ModelQueue, QueuedLease, Ticket
from dialogpt_widget.widget.protocol import SELECTION, key_of, nbest_key_of, tokens_key_of
from dialogpt_widget.widget.state import PageState
from dialogpt_widget.widget.streaming import FrameStream, rows_of

if TYPE_CHECKING:
    from dialogpt_widget.chat.candidates import Side

_log = logging.getLogger(__name__)
_PROGRESS_INTERVAL = 0.1  # seconds
FORGOTTEN = "What this was to answer has been forgotten."


@dataclass(eq=False, slots=True)
class Job:
    """Something to answer.

    Attributes:
        kind: a message, or another version of a turn.
        text: the message, or what a message is edited to.
        turn: the turn that gets another version; None for a new message.
        sides: what is to be compared.
        index, token: where a reply is forked, and the id that is put there.
        awaited: whether code waits for the outcome; else the page shows it.
        paced: whether the waiting thread posts the frames: while a cell runs, some hosts show only what its own
            thread sends.
        first: the command with which the reply begins, paused; None where it begins as others do.
        asked: the user's turn that was said for it, once it is.
        made: the reply, once there is one.
        stop: set, it ends the reply before the model's next step.
        done: the reply, or why there is none.
    """

    kind: protocol.Kind
    text: str = ""
    turn: Turn | None = None
    index: int = 0
    token: int = 0
    sides: Sequence[Side] = ()
    awaited: bool = False
    paced: bool = False
    first: PaceCommand | None = None
    asked: Turn | None = None
    made: Reply | NBestRun | None = None
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    stop: threading.Event = field(default_factory=threading.Event)
    done: Future[Turn] = field(default_factory=Future)

    def reply(self, chat: Chat) -> Reply | NBestRun:
        """Adds the user's turn if there is one, and creates the reply or n-best run without starting it.

        Raises:
            UnknownTurnError: the turn was forgotten meanwhile.
            ValueError: it cannot be answered or continued.
        """
        planner, runner = chat.planner, chat.runner
        if self.turn is None or self.kind == "edit":
            if self.asked is None:
                self.asked = runner.say(self.text) if self.turn is None else runner.rewrite(self.turn, self.text)
            make = planner.reply if self.first else planner.answer
            return make(self.asked, self.stop, said=True)
        if self.kind == "fork":
            return planner.fork(self.turn, self.index, self.token, self.stop)
        if self.kind == "compare":
            return planner.comparison(self.sides, self.turn, self.stop)
        if self.kind == "continue":
            return planner.continuation(self.turn, self.stop)
        return planner.reply(self.turn, self.stop) if self.first else planner.answer(self.turn, self.stop)

    def settle(self, outcome: Turn | BaseException) -> None:
        """Tells who waits the reply, or why there is none. The first word counts."""
        if self.done.done():
            return
        if isinstance(outcome, BaseException):
            self.done.set_exception(outcome)
        else:
            self.done.set_result(outcome)

    def about(self, turns: Sequence[Turn]) -> bool:
        """Whether the job concerns one of these turns."""
        return self.turn in turns or self.asked in turns

    def again(self) -> Job:
        """The same once more, for the page."""
        return dataclasses.replace(
            self, awaited=False, paced=False, first=None, made=None, stop=threading.Event(), done=Future()
        )

    def shown(self) -> protocol.Queued:
        """What the page shows while it waits."""
        text = self.text or (self.turn.text if self.turn else "")
        return {"id": self.id, "kind": self.kind, "text": text, "turn": self.turn.id if self.turn else None}


class JobQueue:
    """The jobs of one chat that wait, oldest first. Who reads or changes it holds the lock of the page's state.

    Attributes:
        waiting: what has not begun.
        active: the one that runs, or the first of those that wait once it has a ticket.
        failed: the last one, if it failed; it can be tried again.
        ahead: how many replies of other chats come first.
    """

    def __init__(self) -> None:
        self.waiting: list[Job] = []
        self.active: Job | None = None
        self.failed: Job | None = None
        self.ahead = 0

    @property
    def runs(self) -> bool:
        """Whether the active one has begun."""
        return self.active is not None and self.active not in self.waiting

    def refuse(self, which: Callable[[Job], bool]) -> list[Job]:
        """Removes the waiting jobs for which `which` is true; returns them."""
        refused = [job for job in self.waiting if which(job)]
        for job in refused:
            self.waiting.remove(job)
        return refused

    def shown(self, *, loaded: bool) -> list[protocol.Queued]:
        """What the page shows as queued; what is about to begin is not."""
        begins = self.active if loaded and not self.ahead else None
        return [job.shown() for job in self.waiting if job is not begins]


class JobRunner:
    """Runs the jobs of one chat on the thread of its model: loads that, runs replies, tells what went wrong.

    Args:
        chat: the conversation and its model.
        state: shows what happens.
        frames: the running reply on its way to the page.
        jobs: what waits.

    Attributes:
        model_queue: of the model that the chat is with.
        speed: tokens a second of the last reply.
        reused: the newest reply's id, and how many tokens before it were in the cache.
    """

    def __init__(self, chat: Chat, state: PageState, frames: FrameStream, jobs: JobQueue) -> None:
        self._chat, self._state, self._frames, self._jobs = chat, state, frames, jobs
        self.model_queue = self._found_queue()
        self.speed: float | None = None
        self.reused: tuple[int | None, int | None] = (None, None)
        self._ticket: Ticket | None = None  # of the active job
        self._told = 0.0
        self._ran: serialize.Ran | None = None  # loaded last, by name

    def find_queue(self) -> None:
        """Goes over to the queue of the model that the chat is with now."""
        self.model_queue = self._found_queue()

    def close(self) -> None:
        """Leaves the model's queue; what still waits there ends."""
        self.model_queue = ModelQueue(self._chat.state.model.unloaded().source)

    def next(self) -> None:
        """Begins what waits, if nothing runs."""
        with self._state.lock:
            jobs, queue = self._jobs, self.model_queue
            if jobs.active is not None or not jobs.waiting or self._state.closed:
                return
            job = jobs.active = jobs.waiting[0]
            self._ticket = queue.submit(lambda: self._answer(job, queue), self._moved)

    def prepare(self) -> None:
        """Loads the model in the background."""
        queue = self.model_queue
        if queue.source.model is None:
            self._show_loading(queue)
        queue.submit(lambda: self._prepare(queue))

    def skip(self, *, stopped: bool = False) -> None:
        """Ends the active job's waiting for a model that it is not going to use; must not be called under the lock."""
        with self._state.lock:
            ticket = self._ticket
            if ticket is None or not (stopped or self._jobs.runs or ticket.queue is not self.model_queue):
                return
        ticket.skip()

    def _prepare(self, queue: ModelQueue) -> None:
        try:
            self._load(queue)
        except BaseException as error:
            for refused in self._fail(None, error, queue):
                refused.settle(error)

    def _load(self, queue: ModelQueue) -> None:
        chat = self._chat
        if queue is self.model_queue and queue.source.model is None:
            self._show_loading(queue)
            queue.source.load(self._progress)
        if queue is not self.model_queue:
            return
        named = chat.model is None
        known = [tokens_key_of(turn) for turn in chat.turns] if named else []
        loaded = chat.load_model()
        if named:
            self._ran = serialize.Ran(chat.model_name, chat.precision, loaded.precision)
        chat.replayer.verify()
        with self._state.lock:
            self._jobs.ahead = 0
            self._state.show("info", "precisions", "meter", "queue", *known, status=self._ready())

    def _answer(self, job: Job, queue: ModelQueue) -> None:
        outcome: Turn | BaseException | None = None
        concerned = [job]
        try:
            outcome = self._said(job, queue)
        except UnknownTurnError:  # it was forgotten in the moment in which its reply began
            outcome = RuntimeError(FORGOTTEN)
            self._settled(status=self._ready())
        except BaseException as error:
            outcome = error
            made = job.made
            self._settled(job.asked, made.turn() if made else None, made=made.made if made else None)
            concerned = self._fail(job, error, queue)
        finally:
            with self._state.lock:
                if self._jobs.active is job:
                    self._jobs.active = self._ticket = None
                    if self._state.error is None:
                        self.next()
            if outcome is not None:
                for one in concerned:
                    one.settle(outcome)  # only now, so that who has waited finds the session idle

    def _said(self, job: Job, queue: ModelQueue) -> Turn | None:
        """Runs the reply; None if it is not to be said, or not with this model."""
        if job not in self._jobs.waiting:
            if queue.source.model is not None:
                self._load(queue)  # which also shows that nothing waits any more
            return None
        self._load(queue)
        with self._state.lock:
            if job not in self._jobs.waiting or queue is not self.model_queue:
                return None
            self._jobs.waiting.remove(job)
        reply = job.made = job.reply(self._chat)
        self._begin(reply, queue)
        began = time.perf_counter()
        settled = self._chat.runner.run(reply, hear=lambda event: self._hear(event, reply, job), first=job.first)
        took = time.perf_counter() - began - self._chat.pace.waited - reply.lease.waited
        self.speed = len(reply.tokens) / max(took, 1e-6)
        self.reused = settled.id, reply.reused
        if reply.model.remark:
            self._state.show("info")
        self._settled(settled, made=reply.made, status=self._ready())
        return settled

    def _begin(self, reply: Reply | NBestRun, queue: ModelQueue) -> None:
        self._chat.runner.select_question(reply)
        if isinstance(reply, NBestRun):
            self._frames.begin_drafts(reply.id, len(reply.drafts))
        else:
            self._frames.begin(reply.id, rows_of(reply) if self._state.inspect else None)
        reply.lease = QueuedLease(queue, lambda ticket: self._held_up(reply, ticket))
        self._state.show(key_of(reply.parent), "queue", *SELECTION, status=self._busy(reply))

    def _hear(self, event: Event, reply: Reply | NBestRun, job: Job) -> None:
        frames = self._frames
        if isinstance(event, CandidateDelta):
            frames.add_to(event.place, event.piece)
        elif isinstance(event, TokenRevealed):
            frames.add(event.piece)
        elif isinstance(event, TokenRetracted) and isinstance(reply, Reply):
            frames.cut(reply.text, len(reply.prefix.ids) + len(reply.tokens))
        elif isinstance(event, RankingStarted):
            if not job.paced:
                frames.flush()
            by = self._chat.reranking.title_for(reply.model.name)
            detail = f"Ranking {len(reply.drafts)} candidates by {by}"
            self._state.show(status=self._busy(reply) | {"detail": detail})
        if not job.paced:
            frames.post_due()

    def _settled(self, *turns: Turn | None, made: NBest | None = None, **status: Any) -> None:
        self._frames.end()
        conversation = self._chat.conversation
        kept = [key_of(turn) for turn in turns if turn is not None and turn.id in conversation]
        lists = [nbest_key_of(made)] if made is not None and made.id in conversation.nbests else []
        self._state.show(*kept, *lists, *SELECTION, **status)

    def _fail(self, job: Job | None, problem: BaseException, queue: ModelQueue) -> list[Job]:
        """Shows an error; returns the jobs that are yet to be told of it."""
        expected = isinstance(problem, ModelError)
        _log.log(logging.INFO if expected else logging.ERROR, "A reply failed.", exc_info=problem)
        with self._state.lock:
            jobs = self._jobs
            begun = job is not None and job not in jobs.waiting
            if queue is not self.model_queue and not begun:
                return []  # another model has been chosen, with which they are answered
            refused = jobs.refuse(lambda waiting: waiting.awaited)
            if jobs.active in refused:
                jobs.active = None
            if job is not None and begun:
                jobs.failed = job
                refused.append(job)
            jobs.ahead = 0
            error = serialize.error(problem, serialize.way_back(self._ran, self._chat))
            self._state.show("queue", status=serialize.status("error", ""), error=error)
        return refused

    def _progress(self, what: str, share: float | None) -> None:
        now = time.monotonic()
        if share in (None, 0.0, 1.0) or now - self._told >= _PROGRESS_INTERVAL:
            self._told = now
            self._state.show(status=serialize.status("loading", what, progress=share))

    def _show_loading(self, queue: ModelQueue) -> None:
        title = serialize.info(queue.source.name)["title"]
        self._state.show(status=serialize.status("loading", f"Loading {title}"))

    def _moved(self, ticket: Ticket) -> None:
        with self._state.lock:
            ahead = ticket.ahead
            if ahead and self.model_queue.source.model is not None:  # else it is loaded, with a status of its own
                self._jobs.ahead = ahead
                self._state.show("queue", status=serialize.waiting(ahead))

    def _held_up(self, reply: Reply | NBestRun, ticket: Ticket | None) -> None:
        """Shows how a reply that has begun, and was slow, waits for other chats to go on."""
        with self._state.lock:
            ahead = ticket.ahead if ticket is not None else 0
            if ahead or ticket is None:
                waiting = serialize.waiting(ahead, reply.id, reply.parent.id)
                self._state.show(status=waiting if ahead else self._busy(reply))

    def _busy(self, reply: Reply | NBestRun) -> protocol.Status:
        drafts = len(reply.drafts) if isinstance(reply, NBestRun) else 0
        turn, parent = reply.id, reply.parent.id
        return serialize.status("generating", "", turn=turn, parent=parent, speed=self.speed, drafts=drafts)

    def _ready(self) -> protocol.Status:
        return serialize.status("ready", "", speed=self.speed)

    def _found_queue(self) -> ModelQueue:
        handle = self._chat.state.model
        queue = MODEL_QUEUES.of(handle.source)
        handle.source = queue.source
        return queue
