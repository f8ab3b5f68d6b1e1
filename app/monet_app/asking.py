"""Questions that only the worker can answer (devices, estimates, checks), beside the job queue.

The window imports no torch, and a question must not wait behind a running training: each gets a
worker process of its own in a temporary folder. No Qt.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from monet_core.errors import MonetError
from monet_core.jobs import EVENTS, Cancel, CancelledError, Reporter, silent
from monet_core.jobs.job import Job, JobState
from monet_core.jobs.launching import WorkerProcess, start_worker
from monet_core.jobs.tailing import Tail

POLL_S = 0.1


def ask_worker(
    kind: str, request: dict[str, Any], report: Reporter = silent, cancel: Cancel | None = None
) -> dict[str, Any]:
    """What the worker answers to a request (see `monet_core.worker.requests`); takes seconds.

    Called from a background thread. Raises MonetError in words, CancelledError.
    """
    with tempfile.TemporaryDirectory(prefix="monet-ask-", ignore_cleanup_errors=True) as folder:
        job = Job(Path(folder), kind, kind, request)
        job.save()
        process = start_worker(job.folder)
        if process is None:
            raise MonetError("no-answer", "the worker could not be started", remedy="Try again.")
        try:
            return _answer(job, process, report, cancel or Cancel())
        finally:
            process.kill()


def _answer(job: Job, process: WorkerProcess, report: Reporter, cancel: Cancel) -> dict[str, Any]:
    tail = Tail(job.folder / EVENTS)
    while job.active:
        cancel.check()
        running = process.running  # asked first: what was said before the end is read in any case
        for event in tail.read():
            job.apply(event)
            report(event)
        if job.active and not running:
            raise MonetError(
                "no-answer",
                f"the worker ended without an answer (exit status {process.exit_code})",
                remedy=job.log(5) or "Try again; if it happens again, please report it.",
            )
        if job.active:
            time.sleep(POLL_S)
    if job.state is JobState.CANCELLED:
        raise CancelledError
    if job.state is not JobState.DONE:
        raise job.problem or MonetError("no-answer", job.error or "the worker gave up")
    return job.result
