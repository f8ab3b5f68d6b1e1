"""The Segment panel's logic: scans, model, device, options, plan and jobs. No Qt."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from psygnal import Signal

from monet_app.devices import Devices
from monet_app.segment.cards import ModelCard, card_of
from monet_app.segment.progress import Progress, progress_of_ended
from monet_app.session import Session
from monet_app.timings import timing_key
from monet_app.words import count, duration, listed
from monet_core.cohort.settings import Scheduler
from monet_core.datasets.names import stem_of
from monet_core.errors import MonetError
from monet_core.jobs import Event
from monet_core.jobs.process import Job, JobState
from monet_core.segmenting.settings import SegmentSettings
from monet_core.worker.requests import ScanToSegment, SegmentRequest
from monet_core.workspace import ScanEntry, Study

Place = Literal["study", "beside"]
KIND = "segment"
_DONE = JobState.DONE


@dataclass(frozen=True)
class Options:
    """What stands under Advanced."""

    overlap: float = 0.5
    mirror: bool = True
    entropy: bool = False
    picture: bool = False
    cluster: str = ""
    """Where workers are asked for: slurm, or the address of a Dask scheduler; "": nowhere."""

    @property
    def scheduler(self) -> Scheduler | None:
        """Who shares the work out; None: the job itself does it."""
        return Scheduler(where=self.cluster) if self.cluster else None


@dataclass(frozen=True)
class Plan:
    """What Start will do: the button's text, what happens, how long, and why it cannot start."""

    button: str
    text: str
    time: str
    problem: str = ""

    @property
    def ready(self) -> bool:
        """Whether it can start."""
        return not self.problem


class SegmentModel:
    """State and actions of the Segment panel."""

    changed = Signal()
    """What can be chosen, or is chosen, is another."""
    progressed = Signal()
    """A job of this kind said something."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.devices = Devices(session)
        self.cards: list[ModelCard] = []
        self.card: ModelCard | None = None
        self.place: Place = "study"
        self.options = Options(cluster=session.settings.cluster)
        self._progress: dict[str, Progress] = {}
        self._selected: list[ScanEntry] | None = None
        self._made: set[tuple[int, str]] | None = None
        for signal in (
            session.selection_changed, session.scans_changed, session.study_changed,
            session.current_changed, session.segmentations_changed,
        ):  # fmt: skip
            signal.connect(self._study_said)
        session.models_changed.connect(self._models_changed)
        session.job_event.connect(self._heard)
        session.jobs_changed.connect(self.progressed.emit)
        self._models_changed()

    # -- what is chosen ---------------------------------------------------------------------

    @property
    def selected(self) -> list[ScanEntry]:
        """The selected scans; asked of the study when something changed."""
        if self._selected is None:
            self._selected = self.session.selected_scans()
        return self._selected

    @property
    def scans(self) -> list[ScanEntry]:
        """The selected scans that can be segmented."""
        return [entry for entry in self.selected if not why_not(entry)]

    @property
    def refused(self) -> list[tuple[ScanEntry, str]]:
        """The selected scans that cannot, and why."""
        found = ((entry, why_not(entry)) for entry in self.selected)
        return [(entry, why) for entry, why in found if why]

    def choose_model(self, path: Path) -> None:
        """Segment with this model; remembered for the next start."""
        card = next((each for each in self.cards if each.path == path), None)
        if card is not None and card != self.card:
            self.card = card
            self.session.settings.model = str(card.path)
            self._tell()

    def choose_device(self, name: str) -> None:
        """Compute with this device; remembered."""
        self.session.settings.device = name
        self._tell()

    def set_options(self, options: Options) -> None:
        """Take over what stands under Advanced; the cluster is remembered."""
        self.options = options
        self.session.settings.cluster = options.cluster
        self._tell()

    def set_place(self, place: Place) -> None:
        """Where results go."""
        self.place = place
        self._tell()

    # -- what will happen -------------------------------------------------------------------

    @property
    def plan(self) -> Plan:
        """What Start will do now."""
        scans = self.scans
        title = f"Segment {count(len(scans), 'scan')}" if scans else "Segment"
        problem = self._problem(scans)
        if problem or self.card is None:
            return Plan(title, "", "", problem)
        parts = " and ".join(f"{part.name} ({part.regions} regions)" for part in self.card.parts)
        where = "into the study" if self.place == "study" else "beside each scan"
        text = f"Finds {parts}; results go {where}.{self._again(scans)}"
        return Plan(title, text, self._time(len(scans)))

    def _problem(self, scans: Sequence[ScanEntry]) -> str:
        if self.card is None:
            return "There is no model. Train one, or put one into the models folder."
        if not scans and self.refused:
            return "None of the selected scans can be segmented yet."
        try:
            _ = self.options.scheduler and self.options.scheduler.kind
        except MonetError as error:
            return str(error)
        return "" if scans else "Select scans in Scans, or open one."

    def _again(self, scans: Sequence[ScanEntry]) -> str:
        study, card = self.session.study, self.card
        if study is None or card is None or self.options.cluster:
            return ""
        if self._made is None:
            self._made = {(each.scan_id, each.model) for each in study.all_segmentations()}
        names = [entry.name for entry in scans if (entry.id, card.name) in self._made]
        if not names:
            return ""
        return f" Done before with this model, and done again: {listed(names)}."

    def _time(self, number: int) -> str:
        each = self.seconds_each
        if self.options.cluster:
            return "Workers of the cluster share the scans; what is finished is not done again."
        if each is None:
            return "How long is not known yet; the first scan will tell."
        if number == 1:
            return f"About {duration(each)}, as measured here."
        return f"About {duration(number * each)} ({duration(each)} each, as measured here)."

    @property
    def seconds_each(self) -> float | None:
        """What a scan took here before with this model, device and options."""
        if self.card is None:
            return None
        key = timing_key(self.card.name, self._settings().model_dump(mode="json"))
        return self.session.settings.timings.get(key)

    # -- the job ----------------------------------------------------------------------------

    def start(self) -> list[Job]:
        """Queue the selected scans: one job, or one for each folder where results go beside."""
        if not self.plan.ready or self.session.study is None:
            self.session.notify("warning", self.plan.problem or "Open a scan first.")
            return []
        if self.place == "study":
            return self._submit(self.scans, self._study_folder(self.session.study))
        folders: dict[Path, list[ScanEntry]] = {}
        for entry in self.scans:
            folders.setdefault(entry.path.parent, []).append(entry)
        return [job for folder, group in folders.items() for job in self._submit(group, folder)]

    def again(self, progress: Progress) -> list[Job]:
        """Queue the scans of a job that failed once more, into the same folder."""
        failed, request = {str(path) for path, _ in progress.failed}, progress.job.request
        scans = [each for each in request["scans"] if str(each["path"]) in failed]
        again = {**request, "scans": scans, "resume": False}
        return self._queue(progress.job.title, again) if scans else []

    def _submit(self, entries: Sequence[ScanEntry], out: Path) -> list[Job]:
        assert self.card is not None
        request = SegmentRequest(
            scans=[self._scan(entry) for entry in entries],
            out=out,
            model=str(self.card.path),
            settings=self._settings(),
            picture=self.options.picture,
            scheduler=self.options.scheduler,
        )
        what = entries[0].name if len(entries) == 1 else count(len(entries), "scan")
        title = f"Segment {what} with {self.card.name}"
        return self._queue(title, request.model_dump(mode="json"))

    def _queue(self, title: str, request: dict[str, Any]) -> list[Job]:
        try:
            job = self.session.submit(KIND, title, request)
        except MonetError as error:
            self.session.tell(error, "Starting the segmentation")
            return []
        return [] if job is None else [job]

    def _study_folder(self, study: Study) -> Path:
        """A folder for each model, since its results are named by scan and atlas alone."""
        assert self.card is not None
        return study.derivatives / plain(self.card.name)

    def _scan(self, entry: ScanEntry) -> ScanToSegment:
        stem = plain(entry.name)
        if self.place == "beside" and self.card is not None:
            # Beside a scan lie labels made by hand, which must never be overwritten.
            stem = f"{stem_of(entry.path)}_model-{plain(self.card.name)}"
        return ScanToSegment(path=entry.path, stem=stem, decisions=entry.decisions)

    def _settings(self) -> SegmentSettings:
        return SegmentSettings(
            overlap=self.options.overlap,
            mirror=self.options.mirror,
            entropy=self.options.entropy,
            device=self.session.settings.device,
        )

    # -- how it goes ------------------------------------------------------------------------

    @property
    def jobs(self) -> list[Progress]:
        """Segmentations that run or wait (the running one first), and the last one that ended."""
        queue = self.session.jobs
        mine = [job for job in queue.jobs if job.kind == KIND] if queue else []
        active = [job for job in reversed(mine) if job.active]
        ended = [job for job in mine if not job.active][: 0 if active else 1]
        return [self._progress_of(job) for job in (*active, *ended)]

    def cancel(self, progress: Progress) -> None:
        """Stop a job; what is finished stays."""
        progress.job.cancel()
        self.progressed.emit()

    def go_on(self, progress: Progress) -> None:
        """Do the scans that an interrupted or cancelled job has left."""
        if self.session.jobs is not None:
            self.session.jobs.resume(progress.job)
            self._progress[progress.job.id] = Progress(progress.job)
            self.progressed.emit()

    def _progress_of(self, job: Job) -> Progress:
        if job.id not in self._progress:
            made = Progress(job) if job.active else progress_of_ended(job)
            self._progress[job.id] = made
        return self._progress[job.id]

    def _heard(self, job: Job, event: Event) -> None:
        if job.kind == KIND:
            if job.id not in self._progress:
                self._progress[job.id] = Progress(job)
            self._progress[job.id].hear(event)
            self.progressed.emit()

    def _models_changed(self) -> None:
        runs = self.session.study.runs if self.session.study else None
        states = self._run_states()
        self.cards = [
            card_of(entry, runs, training=not states.get(entry.path.parent, _DONE).ended)
            for entry in self.session.model_entries
            if states.get(entry.path.parent) is not JobState.CANCELLED
        ]
        wanted = self.card.path if self.card else Path(self.session.settings.model)
        self.card = next((each for each in self.cards if each.path == wanted), None)
        if self.card is None and self.cards:
            self.card = self.cards[0]
        self._tell()

    def _study_said(self, *_: Any) -> None:
        self._selected, self._made = None, None
        self._tell()

    def _run_states(self) -> dict[Path, JobState]:
        """How the study's trainings stand, by their folders; of a folder the newest job counts."""
        queue = self.session.jobs
        trainings = [job for job in queue.jobs if job.kind == "train"] if queue else []
        return {Path(str(job.request.get("out"))): job.state for job in reversed(trainings)}

    def _tell(self, *_: Any) -> None:
        self.changed.emit()


def plain(name: str) -> str:
    """A name as part of a file's: letters, digits and a few signs."""
    return re.sub(r"[^\w.+-]+", "_", name)


def why_not(entry: ScanEntry) -> str:
    """Why a scan cannot be segmented; "" where it can, as far as is known."""
    if entry.question is not None:
        return f"waits for your answer: {entry.question.text}"
    return entry.problem
