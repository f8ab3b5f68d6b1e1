"""Worker processes: started apart from the window, found again, ended with all they started."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from monet_core.errors import OutputError
from monet_core.files import read_json, telling_about, write_json

log = logging.getLogger(__name__)

PROCESS, OUTPUT = "process.json", "output.txt"
_START_LOCK = ".start.lock"
_SAME_START_S = 5.0
"""Start times are derived from the clock, which may be set while a process runs."""

_DYING_S = 5.0


def worker_command() -> list[str]:
    """The words that start a worker; the job's folder follows them."""
    if getattr(sys, "frozen", False):
        return [sys.executable, "--worker"]
    return [sys.executable, "-m", "monet_core.worker"]


@dataclass(eq=False)
class WorkerProcess:
    """A process by its number and start time (numbers are used again), and its handle where it
    is a child of this program."""

    pid: int
    started: float
    child: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether it is still there."""
        if self.child is not None:
            return self.child.poll() is None
        return _find(self.pid, self.started) is not None

    @property
    def exit_code(self) -> int | None:
        """How it ended: negative for a signal, None where it runs or that cannot be known."""
        return self.child.poll() if self.child is not None else None

    def terminate(self) -> None:
        """Ask it politely to end."""
        found = _find(self.pid, self.started)
        if found is not None:
            _quietly(found.terminate)

    def kill(self) -> None:
        """End it and all processes that it started, at once; waits until it is gone."""
        found = _find(self.pid, self.started)
        if found is None:
            return
        try:
            family = [*found.children(recursive=True), found]
        except psutil.Error:
            family = [found]
        if hasattr(os, "killpg"):
            # A worker leads its own group: what lost its parent is reached too.
            _quietly(lambda: os.killpg(self.pid, signal.SIGKILL))
        for process in family:
            _quietly(process.kill)
        if self.child is not None:
            _quietly(lambda: self.child and self.child.wait(_DYING_S))
        else:
            psutil.wait_procs([found], timeout=_DYING_S)


def start_worker(folder: Path) -> WorkerProcess | None:
    """Start the job in `folder`, or find its worker if another program started it meanwhile.

    None where another program is about to start it. Raises OutputError where the folder cannot be
    written to, OSError where no process can be started.
    """
    try:
        with FileLock(folder / _START_LOCK).acquire(timeout=0):
            return find_worker(folder) or _start(folder)
    except Timeout:
        return None


def find_worker(folder: Path) -> WorkerProcess | None:
    """The running worker of the job in `folder`, started by whatever program."""
    try:
        record = read_json(folder / PROCESS)
        pid, started = int(record["pid"]), float(record["started"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return WorkerProcess(pid, started) if _find(pid, started) is not None else None


def remember_process(folder: Path, pid: int) -> float:
    """Keep in the job's folder which process works there; its start time."""
    try:
        started = psutil.Process(pid).create_time()
    except psutil.Error:  # gone already
        started = 0.0
    write_json(folder / PROCESS, {"pid": pid, "started": started})
    return started


def _start(folder: Path) -> WorkerProcess:
    with telling_about(folder / OUTPUT), (folder / OUTPUT).open("ab") as output:
        child = subprocess.Popen(
            [*worker_command(), str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            **_apart(),
        )
    try:
        started = remember_process(folder, child.pid)
    except OutputError as error:
        # The worker writes the same when it begins, and knows what to say of a full disk.
        log.info("%s", error)
        started = time.time()
    return WorkerProcess(child.pid, started, child)


def _apart() -> dict[str, Any]:
    """Arguments of Popen that keep the worker alive without this program and its terminal."""
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        return {"creationflags": flags}
    return {"start_new_session": True}


def _find(pid: int, started: float) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - started) < _SAME_START_S
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


def _quietly(end: Any) -> None:
    try:
        end()
    except (psutil.Error, OSError, subprocess.TimeoutExpired):
        return
