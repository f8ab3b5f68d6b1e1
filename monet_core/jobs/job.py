"""`Job`: long work as the program sees it, and how it is kept in a folder."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from threading import RLock
from typing import Any

from monet_core.errors import MonetError, OutputError
from monet_core.files import read_json, write_json
from monet_core.jobs.control import CONTROL, Command, send
from monet_core.jobs.events import (
    Cancelled,
    Done,
    Event,
    Failed,
    Message,
    Paused,
    Phase,
    Progress,
)
from monet_core.jobs.folder import EVENTS
from monet_core.jobs.launching import PROCESS, WorkerProcess
from monet_core.jobs.tailing import Tail

JOB, END = "job.json", "end.json"
GRACE_S = 20.0
"""Seconds that cancelled work is given to end by itself before it is terminated."""
_MOST_MESSAGES = 200


class JobState(StrEnum):
    """Where a job stands. INTERRUPTED: its process is gone without having said how it ended."""

    QUEUED = "queued"
    PREPARING = "preparing"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def ended(self) -> bool:
        """Whether nothing happens any more unless the user asks for it."""
        return self in _ENDED


_ENDED = frozenset(
    {JobState.DONE, JobState.FAILED, JobState.CANCELLED, JobState.INTERRUPTED}
)  # fmt: skip


@dataclass(eq=False)
class Job:
    """One job; attributes are changed by the queue's thread and may be read from any.

    `kind` and `request` as in `monet_core.worker.requests`. `phase`, `progress` and `messages`
    are the last ones told; `error` is what the user reads where it failed or was interrupted,
    `problem` the same in parts where the work said it; `result` is what Done told. `created`,
    `started` and `ended` are seconds since 1970.
    """

    folder: Path
    kind: str
    title: str
    request: dict[str, Any]
    created: float = field(default_factory=time.time)
    state: JobState = JobState.QUEUED
    phase: str = ""
    progress: Progress | None = None
    messages: deque[Message] = field(default_factory=lambda: deque(maxlen=_MOST_MESSAGES))
    error: str = ""
    problem: MonetError | None = None
    result: dict[str, Any] = field(default_factory=dict)
    started: float | None = None
    ended: float | None = None
    grace_s: float = GRACE_S
    process: WorkerProcess | None = field(default=None, repr=False)
    give_up_at: float | None = field(default=None, repr=False)
    lock: RLock = field(default_factory=RLock, repr=False)

    @property
    def id(self) -> str:
        """What the job is called by: its folder's name."""
        return self.folder.name

    @property
    def active(self) -> bool:
        """Whether it waits, runs or is about to end."""
        return not self.state.ended

    # -- what the user asks -------------------------------------------------------------------

    def cancel(self) -> None:
        """End the work at its next step, and its processes `grace_s` seconds later.

        What was finished, and a training's last checkpoint, stay. Does nothing to ended jobs.
        """
        with self.lock:
            if self.state is JobState.QUEUED:
                self.end(JobState.CANCELLED)
            elif self.active:
                self.state = JobState.CANCELLING
                self._ask(Command.CANCEL)
                self.give_up_at = time.monotonic() + self.grace_s

    def pause(self) -> None:
        """Let the work wait after its present step; it keeps its memory. Raises OutputError."""
        with self.lock:
            if self.state in (JobState.PREPARING, JobState.RUNNING):
                send(self.folder, Command.PAUSE)

    def resume(self) -> None:
        """Let paused work go on. Raises OutputError. (For ended jobs see `JobQueue.resume`.)"""
        with self.lock:
            if self.state in (JobState.PREPARING, JobState.RUNNING, JobState.PAUSED):
                send(self.folder, Command.RUN)

    def stop_and_keep(self) -> None:
        """End a training now and keep its best weights as its model; ends as DONE.

        Raises OutputError. Work of other kinds goes on.
        """
        with self.lock:
            if self.state in (JobState.PREPARING, JobState.RUNNING, JobState.PAUSED):
                send(self.folder, Command.STOP)

    def _ask(self, command: Command) -> None:
        try:
            send(self.folder, command)
        except OutputError:  # a full disk must not keep work from being cancelled
            if self.process is not None:
                self.process.terminate()

    # -- what it said -------------------------------------------------------------------------

    def events(self) -> list[Event]:
        """All that the work said since it was last started, from disk."""
        return Tail(self.folder / EVENTS).read()

    def log(self, lines: int = 200) -> str:
        """The last lines of the work's log, and of what its libraries printed."""
        parts = (_last_lines(self.folder / name, lines) for name in ("output.txt", "log.txt"))
        return "\n".join(part for part in parts if part)

    def apply(self, event: Event) -> None:
        """Bring the attributes up to date with what the work said."""
        with self.lock:
            if self.started is None:
                self.started = event.time
            if self.state is JobState.PREPARING:
                self.state = JobState.RUNNING
            self._note(event)

    def _note(self, event: Event) -> None:
        match event:
            case Phase(name=name):
                self.phase, self.progress = name, None
            case Progress():
                self.progress = event
            case Message():
                self.messages.append(event)
            case Paused(paused=paused) if self.state is not JobState.CANCELLING:
                self.state = JobState.PAUSED if paused else JobState.RUNNING
            case Done(result=result):
                self.result = result
                self.end(JobState.DONE, when=event.time)
            case Failed(text=text, error=error):
                self.problem = MonetError.from_dict(error) if error else None
                self.end(JobState.FAILED, text, event.time)
            case Cancelled():
                self.end(JobState.CANCELLED, when=event.time)

    def end(self, state: JobState, error: str = "", when: float | None = None) -> None:
        """Keep how the job ended, in memory and (as far as the disk takes it) in its folder."""
        self.state, self.error, self.ended = state, error, when or time.time()
        record = {
            "state": state.value,
            "error": error,
            "problem": self.problem.as_dict() if self.problem else None,
            "result": self.result,
            "phase": self.phase,
            "started": self.started,
            "ended": self.ended,
        }
        try:
            write_json(self.folder / END, record)
        except OutputError:
            return  # the events tell the same when the queue is opened again

    # -- on disk ------------------------------------------------------------------------------

    def save(self) -> None:
        """Write what is to be done. Raises OutputError."""
        names = ("kind", "title", "request", "created")
        write_json(self.folder / JOB, {name: getattr(self, name) for name in names})

    def begin_again(self, resume: bool) -> None:
        """Back into the queue; the former attempt's events are put aside. Raises OutputError."""
        with self.lock:
            self.request = {**self.request, "resume": resume}
            self.save()
            for name in (END, PROCESS, CONTROL):
                (self.folder / name).unlink(missing_ok=True)
            events = self.folder / EVENTS
            if events.exists():
                events.replace(events.with_name("events-before.jsonl"))
            self.phase, self.progress, self.error, self.problem = "", None, "", None
            self.result, self.started, self.ended = {}, None, None
            self.process, self.give_up_at = None, None
            self.messages.clear()
            self.state = JobState.QUEUED


def load_job(folder: Path) -> Job | None:
    """The job kept in `folder`, as it was last known; None where there is none or it is damaged.

    One that was started and has no end yet is PREPARING until its events are read.
    """
    try:
        what = read_json(folder / JOB)
        job = Job(folder, what["kind"], what["title"], what["request"], float(what["created"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    end = _read(folder / END)
    if end:
        _restore(job, end)
    elif (folder / PROCESS).exists():
        job.state = JobState.PREPARING
    return job


def _restore(job: Job, end: Mapping[str, Any]) -> None:
    try:
        job.state = JobState(end["state"])
    except (ValueError, KeyError):
        job.state = JobState.INTERRUPTED
    problem = end.get("problem")
    job.error, job.phase = str(end.get("error", "")), str(end.get("phase", ""))
    job.problem = MonetError.from_dict(problem) if problem else None
    job.result = end.get("result") or {}
    job.started, job.ended = end.get("started"), end.get("ended")


def _read(path: Path) -> dict[str, Any]:
    try:
        found = read_json(path)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _last_lines(path: Path, number: int) -> str:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-number:])
