"""Control of work in another process, by one word in a small file of the job's folder."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from monet_core.files import telling_about
from monet_core.jobs.events import Cancel, CancelledError

CONTROL = "control"
POLL_S = 0.2
"""Seconds between two looks at the file, whether the work is running or waiting."""


class Command(StrEnum):
    """What the user asks of running work."""

    RUN = "run"
    PAUSE = "pause"
    STOP = "stop"
    CANCEL = "cancel"


def send(folder: Path, command: Command) -> None:
    """Ask the work of the job in `folder`. Raises OutputError where that cannot be written."""
    path = folder / CONTROL
    # Not by way of a temporary file: a word that is read half is no word, and read again.
    with telling_about(path):
        path.write_text(command.value, encoding="utf-8")


def asked(folder: Path) -> Command:
    """What was asked last; RUN where nothing was, or nothing that can be read."""
    try:
        return Command((folder / CONTROL).read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        return Command.RUN


class Control(Cancel):
    """A cancel token that obeys the control file of the job in `folder`.

    `check` raises CancelledError once cancellation was asked for (there or by `set`), waits as
    long as a pause is asked for, and tells that through `on_pause`. "Stop and keep" is left to
    the work: it looks at `stop_asked`.
    """

    def __init__(self, folder: Path, on_pause: Callable[[bool], None] | None = None) -> None:
        super().__init__()
        self._folder, self._on_pause = folder, on_pause or (lambda _: None)
        self._looked = float("-inf")
        self._lock = threading.RLock()

    def check(self) -> None:
        """Obey: go on, wait, or raise CancelledError."""
        with self._lock:
            super().check()
            if time.monotonic() - self._looked < POLL_S:
                return
            if self._look() is Command.PAUSE:
                self._wait()

    def _look(self) -> Command:
        command = asked(self._folder)
        self._looked = time.monotonic()
        if command is Command.CANCEL:
            self.set()
            raise CancelledError
        self.stop_asked = command is Command.STOP
        return command

    def _wait(self) -> None:
        began = time.monotonic()
        self._on_pause(True)
        try:
            while self._look() is Command.PAUSE:
                # Not time.sleep: a polite kill ends the pause at once.
                self._flag.wait(POLL_S)
                super().check()
        finally:
            self.paused_s += time.monotonic() - began
        self._on_pause(False)
