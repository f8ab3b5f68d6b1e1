"""The worker process: takes the job in a folder, does it, and says how it ended."""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import psutil

from monet_core.errors import MonetError, OutputError
from monet_core.files import read_json
from monet_core.jobs.control import Control
from monet_core.jobs.endings import ALREADY_RUNNING, CANNOT_WRITE
from monet_core.jobs.events import (
    Cancelled,
    CancelledError,
    Done,
    Event,
    Failed,
    Paused,
    Reporter,
    silent,
)
from monet_core.jobs.folder import locked, log_to
from monet_core.jobs.job import JOB
from monet_core.jobs.launching import remember_process
from monet_core.jobs.sharing import is_helper
from monet_core.jobs.telling import in_words
from monet_core.worker.reporting import JobReporter

log = logging.getLogger(__name__)

NICER = 5
"""How much more readily than the window the work gives up the processor."""
_THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
)
_AGAIN = "let the job go on"
_FAULT = "the job's log says where; please report it"


def main(words: Sequence[str]) -> int:
    """Do the job in the folder that `words` name; the process's exit status.

    0 where the job's events say how it ended (well or not), else as in `jobs.endings`.
    """
    if len(words) != 1:
        sys.stderr.write("usage: python -m monet_core.worker FOLDER\n")
        return 2
    faulthandler.enable()
    folder = Path(words[0])
    if is_helper():
        return _work(folder, silent)
    try:
        with locked(folder):
            return _alone(folder)
    except OutputError as error:
        log.error("%s", error)
        return ALREADY_RUNNING if error.code == "folder-in-use" else CANNOT_WRITE


def _alone(folder: Path) -> int:
    remember_process(folder, os.getpid())
    _step_back()
    with log_to(folder):
        logging.getLogger("monet_core").setLevel(logging.INFO)
        return _work(folder, JobReporter(folder))


def _work(folder: Path, report: Reporter) -> int:
    control = Control(folder, lambda paused: report(Paused(paused)))
    _obey_signals(control)
    end = _ended(folder, report, control)
    try:
        report(end)
    except OutputError as error:
        log.error("%s", error)
        return CANNOT_WRITE
    return 0


def _ended(folder: Path, report: Reporter, control: Control) -> Event:
    """Do the job; how it ended."""
    try:
        return Done(_do(folder, report, control))
    except CancelledError:
        return Cancelled()
    except MonetError as error:
        return Failed(str(error), error.as_dict())
    # Here the process ends: whatever happened is told in words, its traceback goes to the log.
    except Exception as error:
        log.exception("the job failed")
        return Failed(in_words(error, _AGAIN, _FAULT))


def _do(folder: Path, report: Reporter, control: Control) -> dict[str, Any]:
    job = _read(folder)
    limit_threads(job["request"].get("threads"))
    control.check()
    # Only now: numeric libraries read the limits when they are loaded.
    from monet_core.worker.requests import parse_request
    from monet_core.worker.run import run

    return run(parse_request(job["kind"], job["request"]), report, control)


def limit_threads(wanted: int | None) -> None:
    """Let numeric libraries that are loaded from now on use `wanted` threads, or all cores but
    one, so that the window stays responsive. The user's own limits count where none is wanted."""
    threads = str(wanted or max(1, _cores() - 1))
    for name in _THREADS:
        if wanted or name not in os.environ:
            os.environ[name] = threads


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 2


def _step_back() -> None:
    """Leave the processor to the window, and to whatever else the user does."""
    if sys.platform == "win32":
        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
    else:
        os.nice(NICER)


def _read(folder: Path) -> dict[str, Any]:
    try:
        job = read_json(folder / JOB)
        return {"kind": str(job["kind"]), "request": dict(job["request"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MonetError(
            "job-damaged",
            f"the job's description cannot be read ({error})",
            remedy="Start the work again from its panel.",
            file=folder / JOB,
        ) from error


def _obey_signals(control: Control) -> None:
    """A polite kill (a shutdown, say) cancels: what was finished is kept. A second one ends."""

    def stop(number: int, _: FrameType | None) -> None:
        control.set()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
