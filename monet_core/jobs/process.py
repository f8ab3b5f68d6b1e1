"""`JobQueue`: long work in processes of its own, which outlive the window and its crashes."""

from __future__ import annotations

import itertools
import logging
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monet_core.errors import MonetError
from monet_core.files import require_writable
from monet_core.jobs.control import Command, asked
from monet_core.jobs.endings import ALREADY_RUNNING, last_words
from monet_core.jobs.events import Event
from monet_core.jobs.folder import EVENTS
from monet_core.jobs.job import Job, JobState, load_job
from monet_core.jobs.launching import (
    WorkerProcess,
    find_worker,
    start_worker,
    worker_command,
)
from monet_core.jobs.tailing import Tail, without_outdated

log = logging.getLogger(__name__)

_BUSY_S, _IDLE_S, _RESCAN_S = 0.1, 1.0, 3.0
_number = itertools.count()


@dataclass(frozen=True)
class StateChanged(Event):
    """The queue's own event: a job's `state` is another one now, for whatever reason."""

    state: JobState


OnEvent = Callable[[Job, Event], None]


class JobQueue:
    """The jobs in `folder`; starts those that wait, at most `parallel` at a time.

    `on_event` is called from the queue's thread with all that the jobs say, and with
    StateChanged. Of jobs that were running when the queue was opened, or ended since it was last
    open, everything is told again from their start. Jobs that another program started in the same
    folder are watched too. Raises OutputError where the folder cannot be written to.
    """

    def __init__(self, folder: Path, on_event: OnEvent, parallel: int = 1) -> None:
        self.folder = require_writable(Path(folder))
        self.parallel = parallel
        self._on_event = on_event
        self._jobs: dict[str, Job] = {}
        self._tails: dict[str, Tail] = {}
        self._told: dict[str, JobState] = {}
        self._lock = threading.RLock()
        self._wake, self._closing = threading.Event(), threading.Event()
        self._scanned = float("-inf")
        self._rescan()
        self._told.update({job.id: job.state for job in self._jobs.values()})
        self._thread = threading.Thread(target=self._supervise, name="jobs", daemon=True)
        self._thread.start()

    @property
    def jobs(self) -> list[Job]:
        """All jobs, the newest first."""
        with self._lock:
            return sorted(self._jobs.values(), key=lambda job: (job.created, job.id), reverse=True)

    @property
    def active(self) -> list[Job]:
        """The jobs that wait, run or are about to end, the newest first."""
        return [job for job in self.jobs if job.active]

    def submit(self, kind: str, title: str, request: dict[str, Any]) -> Job:
        """Put work at the end of the queue (`request` as in `monet_core.worker.requests`, JSON).

        Raises OutputError where it cannot be written down.
        """
        name = f"{time.strftime('%Y%m%d-%H%M%S')}-{time.time_ns() % 10**9:09d}-{next(_number)}"
        job = Job(require_writable(self.folder / name), kind, title, request)
        job.save()
        with self._lock:
            self._jobs[job.id] = job
        self._wake.set()
        return job

    def resume(self, job: Job) -> None:
        """Let an ended job go on: a training from its checkpoint, a segmentation with the scans
        that are not finished. Does nothing to an active one. Raises OutputError."""
        self._again(job, resume=True)

    def retry(self, job: Job) -> None:
        """Do an ended job again from its beginning. Raises OutputError."""
        self._again(job, resume=False)

    def forget(self, job: Job) -> None:
        """Take an ended job off the list, with its folder; its results stay."""
        if job.active:
            return
        with self._lock:
            self._jobs.pop(job.id, None)
            self._tails.pop(job.id, None)
        shutil.rmtree(job.folder, ignore_errors=True)

    def close(self, detach: bool = True, wait_s: float = 5.0) -> None:
        """Leave the jobs alone (`detach`: what runs goes on, what waits starts when the queue is
        opened again), or cancel them all and wait so long for them to end.

        What needs longer ends by itself, or is ended when the queue is opened again.
        """
        if not detach:
            self._cancel_all(wait_s)
        self._closing.set()
        self._wake.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=10)

    def _cancel_all(self, wait_s: float) -> None:
        active = self.active
        for job in active:
            job.cancel()
        deadline = time.monotonic() + wait_s
        while any(job.active or job.process for job in active) and self._thread.is_alive():
            if time.monotonic() > deadline:
                return
            time.sleep(_BUSY_S / 2)

    def _again(self, job: Job, resume: bool) -> None:
        with job.lock:
            if job.active:
                return
            if job.process is not None:
                job.process.kill()  # it said its last word, and is on its way out
            job.begin_again(resume)
            self._tails.pop(job.id, None)
        self._wake.set()

    # -- the supervisor thread ----------------------------------------------------------------

    def _supervise(self) -> None:
        while not self._closing.is_set():
            try:
                self._turn()
            # One job's fault, or a caller's, must not end the watch over the others.
            except Exception:
                log.exception("watching jobs")
            busy = any(job.active or job.process for job in self.jobs)
            self._wake.wait(_BUSY_S if busy else _IDLE_S)
            self._wake.clear()

    def _turn(self) -> None:
        if time.monotonic() - self._scanned > _RESCAN_S:
            self._rescan()
        jobs = self.jobs[::-1]
        for job in jobs:
            if job.state is not JobState.QUEUED and (job.active or job.process):
                self._watch(job)
        for job in jobs:
            if job.state is JobState.QUEUED and self._room():
                self._start(job)
        for job in jobs:
            self._tell_state(job)

    def _rescan(self) -> None:
        """Find jobs of former sessions and of other programs; drop those that were removed."""
        self._scanned = time.monotonic()
        there = {path.name: path for path in self.folder.iterdir() if path.is_dir()}
        with self._lock:
            for name in there.keys() - self._jobs.keys():
                job = load_job(there[name])
                if job is not None:
                    self._jobs[name] = job
            for name in self._jobs.keys() - there.keys():
                if not self._jobs[name].active:
                    del self._jobs[name]

    def _room(self) -> bool:
        running = (job.state is not JobState.QUEUED and job.active for job in self.jobs)
        ending = (job.process is not None and not job.active for job in self.jobs)
        return sum(running) + sum(ending) < self.parallel

    def _start(self, job: Job) -> None:
        with job.lock:
            if job.state is not JobState.QUEUED:
                return
            try:
                job.process = start_worker(job.folder)
            except (MonetError, OSError) as error:
                job.end(JobState.FAILED, f"The work could not be started: {error}")
                return
            if job.process is not None:
                job.state = JobState.PREPARING

    def _watch(self, job: Job) -> None:
        if job.process is None:
            job.process = find_worker(job.folder)
        if asked(job.folder) is Command.CANCEL and job.active and job.give_up_at is None:
            job.cancel()  # asked for by another program, or before a crash of this one
        process = job.process
        # Asked before reading: what was written before the end is read in any case.
        running = process is not None and process.running
        tail = self._tails.setdefault(job.id, Tail(job.folder / EVENTS))
        for event in without_outdated(tail.read()):
            job.apply(event)
            self._tell_state(job)
            self._tell(job, event)
        if not running:
            self._gone(job, process)
        elif job.give_up_at is not None and time.monotonic() > job.give_up_at:
            assert job.process is not None
            job.process.kill()
        elif not job.active and job.give_up_at is None:
            job.give_up_at = time.monotonic() + job.grace_s  # it said its last word, but stays

    def _gone(self, job: Job, process: WorkerProcess | None) -> None:
        with job.lock:
            if job.process is not process or job.state is JobState.QUEUED:
                return  # meanwhile it was asked to go on
            code = process.exit_code if process is not None else None
            job.process, job.give_up_at = None, None
            if not job.active:
                return
            if code == ALREADY_RUNNING:
                # Another one works there, or is about to be gone: found, or started again.
                job.state = JobState.QUEUED
                return
            if job.state is JobState.CANCELLING:
                job.end(JobState.CANCELLED)
                return
            interrupted, text = last_words(code, job.folder)
            job.end(JobState.INTERRUPTED if interrupted else JobState.FAILED, text)

    def _tell_state(self, job: Job) -> None:
        if self._told.get(job.id) is not job.state:
            self._told[job.id] = job.state
            self._tell(job, StateChanged(job.state))

    def _tell(self, job: Job, event: Event) -> None:
        try:
            self._on_event(job, event)
        # What a listener does wrong is not the queue's, nor the other listeners', trouble.
        except Exception:
            log.exception("telling of job %s", job.id)


__all__ = ["Job", "JobQueue", "JobState", "StateChanged", "worker_command"]
