"""A question to a worker that is answered in seconds: no queue, no trace on disk."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from monet_core.errors import MonetError
from monet_core.jobs.endings import last_words
from monet_core.jobs.events import Cancel, Done, Event, Failed, Reporter, silent
from monet_core.jobs.folder import EVENTS
from monet_core.jobs.job import Job
from monet_core.jobs.launching import WorkerProcess, start_worker
from monet_core.jobs.tailing import Tail, without_outdated


def ask(
    kind: str,
    request: dict[str, Any],
    report: Reporter = silent,
    cancel: Cancel | None = None,
    timeout_s: float = 600.0,
) -> dict[str, Any]:
    """What a worker answers to `request` (see `monet_core.worker.requests`): the result of Done.

    Waits for it, so call it from a thread of its own. Raises the MonetError that the worker told,
    or one that says why there is no answer; CancelledError.
    """
    with tempfile.TemporaryDirectory(prefix="monet-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        Job(folder, kind, kind, request).save()
        try:
            process = start_worker(folder)
        except OSError as error:
            raise _no_answer(f"the work could not be started ({error})") from error
        assert process is not None  # nobody else knows the folder
        try:
            return _answer(folder, process, report, cancel or Cancel(), timeout_s)
        finally:
            process.kill()


def _answer(
    folder: Path, process: WorkerProcess, report: Reporter, cancel: Cancel, timeout_s: float
) -> dict[str, Any]:
    tail, deadline = Tail(folder / EVENTS), time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        cancel.check()
        running = process.running
        for event in without_outdated(tail.read()):
            if isinstance(event, Done):
                return event.result
            _raise_failure(event)
            report(event)
        if not running:
            raise _no_answer(last_words(process.exit_code, folder)[1])
        time.sleep(0.05)
    raise _no_answer(f"there was no answer within {timeout_s:.0f} seconds")


def _raise_failure(event: Event) -> None:
    if isinstance(event, Failed):
        raise MonetError.from_dict(event.error) if event.error else _no_answer(event.text)


def _no_answer(text: str) -> MonetError:
    return MonetError("no-answer", text)
