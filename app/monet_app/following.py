"""What the program does by itself when jobs tell something, whichever panel is open. No Qt.

Finished scans are attached to the study, times are remembered, a trained model enters the list,
and what failed is told.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from monet_app.notices import Notice
from monet_app.timings import remember_timing, timing_key
from monet_core.jobs import Event, Result
from monet_core.jobs.process import Job, JobState, StateChanged
from monet_core.models import ModelEntry, default_folders, list_models

if TYPE_CHECKING:
    from monet_app.session import Session


class Following:
    """Listens to the jobs of a session as long as it lives."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._busy: set[Path] = set()
        self._waiting: dict[Path, set[Path]] = {}
        session.job_event.connect(self._heard)

    def _heard(self, job: Job, event: Event) -> None:
        if isinstance(event, Result) and event.kind == "scan" and "error" not in event.values:
            self._finished_scan(job, event)
        elif isinstance(event, StateChanged):
            self._changed(job, event.state)

    def _finished_scan(self, job: Job, event: Result) -> None:
        seconds, model = event.values.get("seconds"), str(job.request.get("model") or "")
        if isinstance(seconds, int | float) and not event.values.get("skipped"):
            key = timing_key(_name_of(Path(model)), job.request.get("settings", {}))
            remember_timing(self._session.settings, key, float(seconds))
        files = event.values.get("files", {}).values()
        labels = {Path(str(each.get("labels", ""))) for each in files}
        self._register(Path(str(job.request.get("out", ""))), labels)

    def _register(self, folder: Path, labels: set[Path]) -> None:
        """Attach the results in `folder`; those that come meanwhile are attached afterwards."""
        if folder in self._busy:
            self._waiting.setdefault(folder, set()).update(labels)
            return
        self._busy.add(folder)
        self._session.results_written(folder, labels, ended=lambda: self._registered(folder))

    def _registered(self, folder: Path) -> None:
        self._busy.discard(folder)
        if folder in self._waiting:
            self._register(folder, self._waiting.pop(folder))

    def _changed(self, job: Job, state: JobState) -> None:
        if job.kind == "train" and state.ended:
            self._session.load_models()
        if state in (JobState.FAILED, JobState.INTERRUPTED):
            if job.problem is not None:
                remedy = job.problem.remedy
                text = f"{job.title}: {job.problem.problem.rstrip('.')}."
            else:
                text, remedy = f"{job.title}: {job.error}", ""
            self._session.noticed.emit(Notice("error", text, remedy, job.log(40)))


def find_models(runs: Path | None) -> list[ModelEntry]:
    """Models that ship or are installed, then those of the runs in the folder `runs`."""
    found = list_models(default_folders())
    if runs is not None and runs.is_dir():
        found += list_models([run for run in sorted(runs.iterdir()) if run.is_dir()])
    return found


def _name_of(model: Path) -> str:
    """A model's name as its card says it: a run's folder where it is the run's model."""
    return model.parent.name if model.name == "model" else model.stem
