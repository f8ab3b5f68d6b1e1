"""The folder of a run: its lock, its event log, its record; and jobs run in the foreground."""

from __future__ import annotations

import json
import logging
import os
import platform
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

from filelock import FileLock, Timeout

from monet_core.errors import OutputError
from monet_core.files import append_line, remove_leftovers, require_writable, write_json
from monet_core.jobs.events import Event, Reporter, event_line

EVENTS = "events.jsonl"
_LOCK, _HOLDER = ".lock", ".holder.json"
_VERSIONED = ("monet-studio", "torch", "numpy", "nibabel", "SimpleITK", "monai")


@contextmanager
def locked(folder: Path) -> Iterator[Path]:
    """Hold `folder` for one program.

    The operating system drops the lock with the process, so a lock never outlives a crash.
    Raises OutputError naming the program that holds it, or where the folder is not writable.
    """
    folder = require_writable(folder)
    lock = FileLock(folder / _LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise OutputError(
            "folder-in-use",
            f"another program works in this folder ({_holder(folder)})",
            remedy="Wait for it, stop it, or choose another folder.",
            file=folder,
        ) from None
    try:
        remove_leftovers(folder)
        write_json(folder / _HOLDER, {"pid": os.getpid(), "host": socket.gethostname()})
        yield folder
    finally:
        (folder / _HOLDER).unlink(missing_ok=True)
        lock.release()


class JsonlReporter:
    """Appends every event to `events.jsonl` and passes it on."""

    def __init__(self, folder: Path, also: Reporter) -> None:
        self._path = folder / EVENTS
        self._also = also
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Write the event as one line of JSON with its type's name under "event"."""
        with self._lock:
            append_line(self._path, event_line(event))
        self._also(event)


class _RunLog(logging.FileHandler):
    """A log that goes without a line where the disk is full; the checkpoint tells that."""

    def handleError(self, _: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Keep logging's own traceback from the user."""


@contextmanager
def log_to(folder: Path) -> Iterator[None]:
    """Copy the engine's log into `log.txt` of the run folder while the job runs."""
    handler = _RunLog(folder / "log.txt", encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("monet_core")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()


def versions() -> dict[str, str]:
    """Versions of the program, Python and the libraries that decide a result."""
    found = {"python": platform.python_version(), "system": platform.system()}
    for package in _VERSIONED:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _holder(folder: Path) -> str:
    try:
        holder = json.loads((folder / _HOLDER).read_text(encoding="utf-8"))
        return f"process {holder['pid']} on {holder['host']}"
    except (OSError, ValueError, KeyError):
        return "unknown process"
