"""What a worker says, written into its job's folder."""

from __future__ import annotations

import time
from pathlib import Path

from monet_core.jobs.events import Done, Event, Phase, Progress, Reporter, silent
from monet_core.jobs.folder import JsonlReporter

_BETWEEN_S = 0.1


class JobReporter:
    """Writes events to `events.jsonl`; of Progress at most ten a second, and the last step.

    Raises OutputError where the disk is full.
    """

    def __init__(self, folder: Path) -> None:
        self._write = JsonlReporter(folder, silent)
        self._told = float("-inf")

    def __call__(self, event: Event) -> None:
        """Write `event`."""
        if isinstance(event, Progress) and event.done < event.total:
            now = time.monotonic()
            if now - self._told < _BETWEEN_S:
                return
            self._told = now
        self._write(event)


def without_end(report: Reporter) -> Reporter:
    """A reporter that keeps back Done: a job has one end, and that is the worker's to tell."""

    def tell(event: Event) -> None:
        if not isinstance(event, Done):
            report(event)

    return tell


class PerItem:
    """A reporter that begins the names of phases with the item that is being worked on."""

    def __init__(self, report: Reporter) -> None:
        self._report = report
        self.item = ""

    def __call__(self, event: Event) -> None:
        """Pass `event` on."""
        if isinstance(event, Phase) and self.item:
            event = Phase(f"{self.item} · {event.name}", time=event.time)
        self._report(event)
