"""The live page's logic: one run, its figures, its preview, and what can be asked of it. No Qt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal

from monet_app.train.history import RunFigures, run_figures
from monet_app.train.preview import Previews
from monet_app.train.runs import DATA, JOB, Run, find_runs
from monet_app.words import dice, duration
from monet_core.errors import OutputError
from monet_core.jobs import Event, Metrics, Progress
from monet_core.jobs.process import Job, JobState, StateChanged
from monet_core.worker.requests import TrainRequest

if TYPE_CHECKING:
    from monet_app.session import Session

_STEPS = "Epoch"
"""How the phases begin whose progress is that of the whole training."""
STOPPABLE = (JobState.PREPARING, JobState.RUNNING, JobState.PAUSED)


class RunModel:
    """All runs of the study, and one that is looked at."""

    runs_changed = Signal()
    """The list, or a state in it, is another."""
    progressed = Signal()
    """The run that is looked at said something."""
    figures_changed = Signal()
    """It has new figures."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.previews = Previews(session)
        self.runs: list[Run] = []
        self.run: Run | None = None
        self.figures = RunFigures()
        self._wanted: Path | None = None
        self._stopping: set[str] = set()
        self._last: Progress | None = None
        session.study_changed.connect(self._study_changed)
        session.job_event.connect(self._heard)
        self.look()

    # -- the list ---------------------------------------------------------------------------

    def look(self) -> None:
        """Find the runs anew."""
        study, queue = self.session.study, self.session.jobs
        if study is not None:
            jobs = queue.jobs if queue else []
            self.session.run(find_runs, study.runs, jobs, done=self._found, key="train-runs")

    def select(self, folder: Path | None) -> None:
        """Look at this run."""
        self._wanted = folder
        chosen = next((run for run in self.runs if run.folder == folder), None)
        if chosen is None or self.run is None or chosen.folder != self.run.folder:
            self.figures, self._last = RunFigures(), None
        self.run = chosen
        self._read_figures()
        self.runs_changed.emit()
        self.figures_changed.emit()

    def _found(self, runs: list[Run]) -> None:
        self.runs = runs
        wanted = self._wanted or (self.run.folder if self.run else None)
        chosen = next((run for run in runs if run.folder == wanted), runs[0] if runs else None)
        another = (chosen and chosen.folder) != (self.run and self.run.folder)
        self.run = chosen
        if another or not self.figures.epoch:
            self.figures = RunFigures()
            self._last = None if another else self._last
            self._read_figures()
        self.runs_changed.emit()

    def _read_figures(self) -> None:
        run = self.run
        if run is None:
            return
        self.previews.find(run.folder, run.main)

        def read(figures: RunFigures) -> None:
            if self.run is not None and self.run.folder == run.folder:
                self.figures = figures
                self.figures_changed.emit()

        self.session.run(run_figures, run.folder, run.protocols, done=read, key="train-figures")

    # -- what is said of the run ------------------------------------------------------------

    @property
    def state(self) -> JobState | None:
        """How the run stands now."""
        if self.run is None:
            return None
        return self.run.job.state if self.run.job is not None else self.run.state

    @property
    def line(self) -> str:
        """ "Epoch 63 of 200; best .71 at epoch 58; about 1 h 24 min left"."""
        if self.run is None:
            return ""
        parts = [self._doing(self.run)]
        if self.figures.best_dice == 0:
            parts.append("no region is found yet")
        elif self.figures.best_dice is not None:
            parts.append(f"best {dice(self.figures.best_dice)} at epoch {self.figures.best_epoch}")
        left = self.remaining_s
        if left is not None:
            parts.append(f"about {duration(left)} left")
        return "; ".join(part for part in parts if part)

    def _doing(self, run: Run) -> str:
        job, state = run.job, self.state
        if state is JobState.QUEUED:
            return "Waits for other work to end"
        if job is not None and job.id in self._stopping and not state_ended(state):
            return "Stops after this step and keeps the best weights…"
        if state is JobState.CANCELLING:
            return "Cancelling…"
        if state is JobState.PAUSED:
            return f"Paused in {job.phase.lower()}" if job and job.phase else "Paused"
        if job is not None and not state_ended(state):
            text = job.progress.text if job.progress is not None else ""
            return f"{job.phase or 'Starting'}{f' ({text})' if text else ''}"
        return run.words.capitalize()

    @property
    def remaining_s(self) -> float | None:
        """Seconds that are left of the training, as it measures; None where that is not known."""
        return self._last.remaining_s if self._last is not None and self.can_stop else None

    @property
    def share(self) -> float | None:
        """How much is done, 0 to 1."""
        last = self._last
        return last.done / last.total if last is not None and last.total else None

    # -- what can be asked ------------------------------------------------------------------

    @property
    def can_stop(self) -> bool:
        """Whether it runs, so that it can be stopped, paused or cancelled."""
        return self.state in STOPPABLE

    @property
    def can_cancel(self) -> bool:
        """Whether it runs or waits."""
        return self.can_stop or self.state is JobState.QUEUED

    @property
    def can_go_on(self) -> bool:
        """Whether it ended before its time."""
        run, state = self.run, self.state
        if run is None or state is None or not state.ended or state is JobState.DONE:
            return False
        return run.job is not None or (run.folder / DATA).exists()

    def pause(self) -> None:
        """Let it wait, or go on."""
        job = self.run.job if self.run else None
        if job is not None:
            self._ask(job.resume if job.state is JobState.PAUSED else job.pause)

    def stop_and_keep(self) -> None:
        """End now; the best weights become the model."""
        job = self.run.job if self.run else None
        if job is not None and self.can_stop:
            self._stopping.add(job.id)
            self._ask(job.stop_and_keep)

    def cancel(self) -> None:
        """End now; the model is not offered, the run could go on later."""
        job = self.run.job if self.run else None
        if job is not None:
            self._ask(job.cancel)

    def go_on(self) -> None:
        """Go on from the last checkpoint."""
        run, queue = self.run, self.session.jobs
        if run is None or queue is None:
            return
        if run.job is not None:
            self._stopping.discard(run.job.id)
            self._ask(lambda: queue.resume(run.job))
        else:
            request = _resumed(run).model_dump(mode="json")
            self.session.submit(JOB, f"{run.kind.text}: {run.name}", request)
        self.look()

    def _ask(self, what: object) -> None:
        try:
            what()  # type: ignore[operator]
        except OutputError as error:
            self.session.tell(error, "Asking the training")
        self.progressed.emit()
        self.session.jobs_changed.emit()

    # -- events -----------------------------------------------------------------------------

    def _heard(self, job: Job, event: Event) -> None:
        if job.kind != JOB:
            return
        mine = self.run is not None and self.run.job is not None and self.run.job.id == job.id
        if isinstance(event, StateChanged | Metrics) or not self._knows(job):
            self.look()
        if not mine:
            return
        if isinstance(event, Metrics):
            self._read_figures()
        if isinstance(event, Progress) and job.phase.startswith(_STEPS):
            self._last = event
        self.progressed.emit()

    def _knows(self, job: Job) -> bool:
        return any(run.job is not None and run.job.id == job.id for run in self.runs)

    def _study_changed(self, _: object) -> None:
        self.runs, self.run, self.figures, self._wanted = [], None, RunFigures(), None
        self.runs_changed.emit()
        self.figures_changed.emit()
        self.look()


def state_ended(state: JobState | None) -> bool:
    """Whether nothing happens in a run any more."""
    return state is None or state.ended


def _resumed(run: Run) -> TrainRequest:
    """A request that goes on with a run which the queue does not know; its own settings count."""
    return TrainRequest(
        stage=run.kind.stage,
        data=run.folder / DATA,
        out=run.folder,
        settings={"protocols": dict(run.protocols)},
        resume=True,
    )
