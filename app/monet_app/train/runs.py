"""The study's trainings: what runs, what ran, what could go on. No Qt, no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monet_app.segment.cards import PARTS
from monet_app.train.kinds import Kind, kind_of_settings
from monet_app.words import dice
from monet_core.files import read_json
from monet_core.jobs import EVENTS, Done
from monet_core.jobs.process import Job, JobState
from monet_core.jobs.tailing import Tail
from monet_core.training.history import read_metrics
from monet_core.training.settings import FULL, PARTIAL

CONFIG, MODEL, DATA = "config.json", "model", "data.tsv"
JOB = "train"
WORDS = {
    JobState.QUEUED: "waits",
    JobState.PREPARING: "starts",
    JobState.RUNNING: "trains",
    JobState.PAUSED: "paused",
    JobState.CANCELLING: "stops",
    JobState.DONE: "done",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "cancelled",
    JobState.INTERRUPTED: "interrupted",
}


@dataclass(frozen=True)
class Run:
    """One training in the study's folder of runs; `job` where the queue knows it.

    `protocols` by decoder, `created` seconds since 1970, `epochs` as planned, `epoch` as reached.
    """

    folder: Path
    kind: Kind
    state: JobState
    protocols: Mapping[str, str]
    created: float
    epochs: int
    epoch: int = 0
    best_dice: float | None = None
    has_model: bool = False
    job: Job | None = None

    @property
    def name(self) -> str:
        """What the run and its model are called."""
        return self.folder.name

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return not self.state.ended

    @property
    def can_go_on(self) -> bool:
        """Whether it could go on from its checkpoint."""
        return self.state.ended and self.state is not JobState.DONE

    @property
    def words(self) -> str:
        """ "trains, epoch 63 of 200"."""
        place = f", epoch {self.epoch} of {self.epochs}" if self.epoch else ""
        return f"{WORDS[self.state]}{place}"

    @property
    def score(self) -> str:
        """The best validation Dice of the main decoder."""
        return dice(self.best_dice)

    @property
    def main(self) -> str:
        """The decoder of the scans' own labels."""
        return FULL if FULL in self.protocols else PARTIAL

    @property
    def part(self) -> str:
        """What users call the main decoder."""
        return PARTS[self.main]


def find_runs(folder: Path, jobs: Sequence[Job]) -> list[Run]:
    """The runs in `folder` and those that wait to be one, the newest first."""
    by_folder: dict[Path, Job] = {}
    for job in reversed(jobs):  # the newest job of a folder counts
        if job.kind == JOB:
            by_folder[Path(str(job.request.get("out", "")))] = job
    found = [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    runs = [_run(path, by_folder.get(path)) for path in {*found, *by_folder}]
    return sorted((run for run in runs if run), key=lambda run: run.created, reverse=True)


def _run(folder: Path, job: Job | None) -> Run | None:
    config = _read(folder / CONFIG)
    settings = config.get("settings") or (job.request.get("settings", {}) if job else {})
    if not settings or (job is None and not config):
        return None
    stage = settings.get("stage") or (job.request.get("stage") if job else "finetune")
    protocols = {str(name): str(value) for name, value in settings.get("protocols", {}).items()}
    started = bool(config.get("start") or (job and job.request.get("start")))
    rows = read_metrics(folder)
    main = FULL if FULL in protocols else PARTIAL
    scores = [row.get(f"validation/dice/{main}") for row in rows]
    known = [float(score) for score in scores if isinstance(score, int | float)]
    has_model = (folder / MODEL).is_dir()
    return Run(
        folder=folder,
        kind=kind_of_settings(str(stage), tuple(protocols), started),
        state=job.state if job else _state_of(folder),
        protocols=protocols,
        created=job.created if job else (folder / CONFIG).stat().st_mtime,
        epochs=int(settings.get("epochs", 0) or 0),
        epoch=int(rows[-1].get("epoch", 0)) if rows else 0,
        best_dice=max(known, default=None),
        has_model=has_model,
        job=job,
    )


def _state_of(folder: Path) -> JobState:
    """How a run ended that the queue does not know, e.g. one of the command line."""
    events = Tail(folder / EVENTS).read()
    return JobState.DONE if events and isinstance(events[-1], Done) else JobState.INTERRUPTED


def _read(path: Path) -> dict[str, Any]:
    try:
        found = read_json(path)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
