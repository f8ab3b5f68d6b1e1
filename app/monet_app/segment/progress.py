"""How a segmentation stands, from what its job says: finished scans, failed ones, time. No Qt."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monet_app.words import count
from monet_core.jobs import Event, Phase, Result
from monet_core.jobs.process import Job, JobState

PHASES = ("Reading", "Preparing", "Predicting", "Checking", "Saving")
"""Of one scan, as the engine names them."""
_WHICH = re.compile(r"Scan (\d+) of \d+: (.*)")
_BETWEEN = " · "
"""Between scan and phase in what the worker tells."""


@dataclass
class Progress:
    """What one job of this panel said so far.

    `current` is the number (from 1) of the scan that is worked on, `phase` one of PHASES or
    another word; `failed` holds (scan, why).
    """

    job: Job
    current: int = 1
    name: str = ""
    phase: str = ""
    done: list[str] = field(default_factory=list)
    failed: list[tuple[Path, str]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many scans the job has."""
        return len(self.job.request.get("scans", ()))

    @property
    def running(self) -> bool:
        """Whether something still happens."""
        return self.job.active

    @property
    def share(self) -> float | None:
        """How much of the present phase is done, 0 to 1; None where that is not known."""
        progress = self.job.progress
        if progress is None or progress.total <= 0:
            return None
        return progress.done / progress.total

    def hear(self, event: Event) -> None:
        """Take in one event of the job."""
        match event:
            case Phase(name=text):
                item, _, phase = text.rpartition(_BETWEEN)
                which = _WHICH.match(item)
                number = int(which[1]) if which else self.current
                self._at(number, which[2] if which else item, phase)
            case Result(kind="scan", values=values):
                self._finished(values)

    def _at(self, number: int, name: str, phase: str) -> None:
        # Other phases, such as "Resampling", are parts of those that are shown.
        if phase in PHASES or name != self.name or not name:
            self.phase = phase
        self.current, self.name = number, name

    def _finished(self, values: dict[str, Any]) -> None:
        scan = Path(str(values.get("scan", "")))
        if "error" in values:
            self.failed.append((scan, str(values["error"])))
            return
        self.done.append(str(values.get("stem", scan.name)))
        seconds = values.get("seconds")
        if isinstance(seconds, int | float) and not values.get("skipped"):
            self.seconds.append(float(seconds))

    def remaining(self, each: float | None) -> float | None:
        """Seconds left for all scans; `each` is what one took on this computer before."""
        known = sum(self.seconds) / len(self.seconds) if self.seconds else each
        if known is None or not self.running:
            return None
        left = self.total - len(self.done) - len(self.failed)
        begun = 0.0
        if self.job.started is not None:
            begun = time.time() - self.job.started - sum(self.seconds)
        return max(0.0, left * known - min(max(0.0, begun), known))

    @property
    def text(self) -> str:
        """One line about the whole job."""
        state = self.job.state
        if state is JobState.QUEUED:
            return "waiting for other work to end"
        if state is JobState.PREPARING:
            return "starting…"
        if state is JobState.CANCELLING:
            return "cancelling… finished scans are kept"
        if self.running:
            paused = "paused; " if state is JobState.PAUSED else ""
            if not self.name:
                return f"{paused}{self.phase or 'starting…'}"
            number = f"scan {self.current} of {self.total}: " if self.total > 1 else ""
            return f"{paused}{number}{self.name}"
        return self._ended()

    def _ended(self) -> str:
        made = f"{len(self.done)} of {count(self.total, 'scan')} segmented"
        ends = {
            JobState.DONE: made,
            JobState.CANCELLED: f"cancelled; {made}",
            JobState.INTERRUPTED: f"interrupted; {made}",
            JobState.FAILED: f"failed; {made}",
        }
        return ends.get(self.job.state, made)


def progress_of_ended(job: Job) -> Progress:
    """What is known of a job that ended before the window was opened."""
    made = Progress(job)
    for failed in job.result.get("failed", ()):
        made.failed.append((Path(str(failed.get("scan", ""))), str(failed.get("error", ""))))
    ended = job.state is JobState.DONE
    names = [Path(str(each.get("path", ""))).name for each in job.request.get("scans", ())]
    if ended:
        bad = {path.name for path, _ in made.failed}
        made.done = [name for name in names if name not in bad]
    return made
