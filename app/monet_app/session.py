"""`Session`: what is open, selected and shown, and how panels talk to each other. No Qt.

Panels never know one another: each changes the session and listens to its signals, which are
emitted on the GUI thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from psygnal import Signal

from monet_app.background import Background, Failed, Immediate
from monet_app.following import Following, find_models
from monet_app.leaving import Leaving
from monet_app.notices import Notice, notice_of
from monet_app.settings import Settings, personal_study, save_settings
from monet_app.shown import Question as Question
from monet_app.shown import Shown as Shown
from monet_app.shown import key_of as key_of
from monet_app.shown import needed
from monet_app.stage.protocol import Stage
from monet_core.errors import DecisionNeeded, MonetError
from monet_core.jobs import Event, Message
from monet_core.jobs.process import Job, JobQueue
from monet_core.models import ModelEntry
from monet_core.protocols import load_protocol
from monet_core.scans import Decisions, LabelMap, Scan, read_labels, read_scan
from monet_core.workspace import Question as Asked
from monet_core.workspace import ScanEntry, SegmentationEntry, Study

log = logging.getLogger(__name__)


class Session:
    """The state that the panels share; every change is told by a signal."""

    study_changed = Signal(object)
    scans_changed = Signal()
    selection_changed = Signal()
    current_changed = Signal(object)
    shown_changed = Signal()
    segmentations_changed = Signal()
    region_picked = Signal(str, int)
    models_changed = Signal()
    jobs_changed = Signal()
    job_event = Signal(object, object)
    noticed = Signal(object)
    asked = Signal(object)
    activity_asked = Signal(str, object)
    ratings_changed = Signal()
    centre_asked = Signal(object)

    def __init__(
        self,
        settings: Settings | None = None,
        background: Background | None = None,
        stage: Stage | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.background: Background = background or Immediate()
        self.stage = stage
        self.study: Study | None = None
        self.jobs: JobQueue | None = None
        self.current: ScanEntry | None = None
        self.scan: Scan | None = None
        self.selected: tuple[int, ...] = ()
        self.shown: dict[str, Shown] = {}
        self.model_entries: list[ModelEntry] = []
        self._events: SimpleQueue[tuple[Job, Event]] = SimpleQueue()
        self._following = Following(self)
        self.leaving = Leaving()

    # -- studies and scans ------------------------------------------------------------------

    def open_study(self, folder: Path, done: Callable[[], None] | None = None) -> None:
        """Open (or make) the study in `folder`; its former jobs are found again."""
        if not self.leaving.may(lambda: self.open_study(folder, done)):
            return

        def opened(study: Study) -> None:
            self._leave_study()
            self.study = study
            self.settings.remember(study.folder)
            save_settings(self.settings)  # now: a program that is killed keeps nothing later
            self.jobs = JobQueue(study.jobs, lambda job, event: self._events.put((job, event)))
            for text in study.notes:
                self.notify("warning", text)
            self.study_changed.emit(study)
            self.scans_changed.emit()
            self.jobs_changed.emit()
            if done:
                done()

        self.run(Study.open, Path(folder), done=opened, doing="Opening the study", key="study")

    def add_scans(self, paths: Iterable[Path], show: bool = False) -> None:
        """Add scans (files, folders, tables) to the study; `show` opens the first of them."""
        files = [Path(path) for path in paths]
        if self.study is None:
            self.open_study(personal_study(), done=lambda: self.add_scans(files, show))
            return

        said: list[Event] = []

        def added(entries: list[ScanEntry]) -> None:
            self.scans_changed.emit()
            self.segmentations_changed.emit()
            for event in [each for each in said if isinstance(each, Message)][:3]:
                self.notify("warning", event.text)
            ids = {entry.id for entry in entries}
            if show and ids:
                self.open_scan(next(each for each in self.study.scans() if each.id in ids))

        self.run(self.study.add, files, said.append, done=added, doing="Adding scans")

    def open_scan(
        self,
        entry: ScanEntry,
        keep_cursor: bool = False,
        segmentations: Sequence[SegmentationEntry] | None = None,
        failed: Failed | None = None,
    ) -> None:
        """Show a scan with `segmentations` (the newest of each atlas), or tell `failed` as well."""
        again = lambda: self.open_scan(entry, keep_cursor, segmentations, failed)  # noqa: E731
        if not self.leaving.may(again):
            return
        if self.stage is not None and not keep_cursor:
            self.stage.set_busy(f"Loading {entry.name}…")

        def read() -> tuple[Scan, list[Shown], list[Exception]]:
            if entry.path.is_dir() and (question := needed(entry)):  # DICOM: which series?
                raise question
            scan = read_scan(entry.path, entry.decisions)
            wanted = self._best_segmentations(entry) if segmentations is None else segmentations
            shown, problems = self._read_segmentations(wanted)
            return scan, shown, problems

        def opened(result: tuple[Scan, list[Shown], list[Exception]]) -> None:
            scan, shown, problems = result
            self._clear_stage()
            self.current, self.scan = entry, scan
            if self.stage is not None:
                self.stage.show_scan(scan, entry.name)
            self.current_changed.emit(entry)
            for one in shown:
                self._put(one)
            self.shown_changed.emit()
            for problem in problems:
                self.tell(problem, "Reading a segmentation")

        failed_ = lambda error: self._not_opened(entry, error, failed)  # noqa: E731
        self.run(read, done=opened, failed=failed_, key="scan")

    def close_scan(self) -> None:
        """Take the scan off the stage."""
        self._clear_stage()
        self.current, self.scan = None, None
        if self.stage is not None:
            self.stage.show_scan(None)
        self.current_changed.emit(None)
        self.shown_changed.emit()

    def decide(self, entry: ScanEntry, answer: str, option: str) -> None:
        """Keep the user's answer to a question about a scan, then open it."""
        if self.study is None:
            return
        decisions = Asked("", "", option).answered(entry.decisions, answer)
        self.study.set_decisions(entry.id, decisions)
        self.run(self.study.inspect, entry.id, done=self._decided, doing="Reading the scan")

    def select(self, ids: Sequence[int]) -> None:
        """Choose the scans that the next action is about."""
        if tuple(ids) != self.selected:
            self.selected = tuple(ids)
            self.selection_changed.emit()

    def selected_scans(self) -> list[ScanEntry]:
        """The chosen scans; the one on the stage where none is chosen."""
        if self.study is None:
            return []
        chosen = set(self.selected) or ({self.current.id} if self.current else set())
        return [entry for entry in self.study.scans() if entry.id in chosen]

    # -- segmentations on the stage ---------------------------------------------------------

    def show(self, entry: SegmentationEntry, go_on: Callable[[Shown], None] | None = None) -> None:
        """Read a segmentation of the current scan and lay it over it (or refresh it)."""
        held = self.shown.get(key_of(entry)) if self.leaving.holds(key_of(entry)) else None
        if held is not None:  # reading it anew would throw away what was painted
            if go_on:
                go_on(held)
            return

        def read() -> Shown:
            shown, problems = self._read_segmentations([entry])
            if problems:
                raise problems[0]
            return shown[0]

        def ready(shown: Shown) -> None:
            if self.current is None or entry.scan_id != self.current.id:
                return
            self._put(shown)
            self.shown_changed.emit()
            if go_on:
                go_on(shown)

        self.run(read, done=ready, doing="Reading a segmentation", key=key_of(entry))

    def hide(self, key: str) -> None:
        """Take a segmentation off the stage."""
        if self.leaving.holds(key) and not self.leaving.may(lambda: self.hide(key)):
            return
        if self.shown.pop(key, None) is not None:
            if self.stage is not None:
                self.stage.remove_segmentation(key)
            self.shown_changed.emit()

    def replace(self, key: str, labels: LabelMap) -> None:
        """Other voxels for a segmentation on the stage: what was painted and kept aside."""
        shown = self.shown[key]
        self._put(Shown(shown.entry, labels, shown.protocol, shown.visible))
        self.shown_changed.emit()

    def set_visible(self, key: str, visible: bool) -> None:
        """Switch a segmentation on or off without forgetting it."""
        shown = self.shown[key]
        self.shown[key] = Shown(shown.entry, shown.labels, shown.protocol, visible)
        if self.stage is not None:
            self.stage.set_visible(key, visible)
        self.shown_changed.emit()

    def pick_region(self, key: str, index: int) -> None:
        """Tell every panel which region is meant."""
        self.region_picked.emit(key, index)

    def go_to(self, ras_mm: tuple[float, float, float]) -> None:
        """Move the cross-hair to a world point (RAS, mm)."""
        if self.stage is not None:
            self.stage.go_to(ras_mm)

    # -- jobs -------------------------------------------------------------------------------

    def submit(self, kind: str, title: str, request: dict[str, Any]) -> Job | None:
        """Queue long work; None without a study."""
        if self.jobs is None:
            self.notify("warning", "Open a study or a scan first.")
            return None
        job = self.jobs.submit(kind, title, request)
        self.jobs_changed.emit()
        return job

    def drain(self) -> None:
        """Tell what the jobs said meanwhile; called by the window's timer, on the GUI thread."""
        told = False
        while True:
            try:
                job, event = self._events.get_nowait()
            except Empty:
                break
            told = True
            self.job_event.emit(job, event)
        if told:
            self.jobs_changed.emit()

    def results_written(
        self,
        folder: Path,
        fresh: Collection[Path] | None = None,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        """Attach results in `folder` to their scans; show the current scan's (`fresh` ones)."""
        if self.study is None:
            return

        def attached(entries: list[SegmentationEntry]) -> None:
            self.segmentations_changed.emit()
            self.scans_changed.emit()
            for entry in entries if self.current is not None else ():
                if entry.scan_id == self.current.id and (fresh is None or entry.path in fresh):
                    self.show(entry)
            ended()

        def failed(error: Exception) -> None:
            self.tell(error, "Reading results")
            ended()

        self.run(self.study.register_results, folder, done=attached, failed=failed)

    # -- models, messages -------------------------------------------------------------------

    def load_models(self) -> None:
        """List the models that ship or are installed, and those of the study's runs."""
        folders = self.study.runs if self.study else None

        def found(entries: list[ModelEntry]) -> None:
            self.model_entries = entries
            self.models_changed.emit()

        self.run(find_models, folders, done=found, doing="Listing models", key="models")

    def ask_for(self, activity: str, subject: object = None) -> None:
        """Ask the window to show an activity, about `subject`."""
        self.activity_asked.emit(activity, subject)

    def notify(self, level: str, text: str, remedy: str = "") -> None:
        """Tell the user something, without a dialog."""
        self.noticed.emit(Notice(level, text, remedy))  # type: ignore[arg-type]

    def tell(self, error: Exception, doing: str = "") -> None:
        """Tell the user of an error, in words; its details go to the log."""
        if not isinstance(error, MonetError):
            log.error("%s failed", doing or "Work", exc_info=error)
        self.noticed.emit(notice_of(error, doing))

    def run(
        self,
        function: Callable[..., Any],
        *args: Any,
        done: Callable[[Any], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
        doing: str = "",
        key: str = "",
        **kwargs: Any,
    ) -> None:
        """Work in the background; what fails is told unless `failed` takes it."""
        told = failed or (lambda error: self.tell(error, doing))
        self.background.run(function, *args, done=done, failed=told, key=key, **kwargs)

    def close(self, let_jobs_go_on: bool = True) -> None:
        """Leave everything as it is: jobs go on without the window, or are cancelled."""
        self.leaving.end()
        if self.jobs is not None:
            self.jobs.close(detach=let_jobs_go_on)
        self.background.wait()

    # -- inside -----------------------------------------------------------------------------

    def _leave_study(self) -> None:
        if self.jobs is not None:
            self.jobs.close(detach=True)
        self.selected = ()
        self.close_scan()

    def _clear_stage(self) -> None:
        for key in list(self.shown):
            if self.stage is not None:
                self.stage.remove_segmentation(key)
        self.shown.clear()

    def _put(self, shown: Shown) -> None:
        self.shown[shown.key] = shown
        if self.stage is not None:
            self.stage.show_segmentation(shown.key, shown.labels, shown.protocol, shown.entry.name)
            self.stage.set_visible(shown.key, shown.visible)

    def _best_segmentations(self, entry: ScanEntry) -> list[SegmentationEntry]:
        """The latest segmentation per atlas, of those whose atlas is known."""
        latest: dict[str, SegmentationEntry] = {}
        for one in self.study.segmentations(entry.id) if self.study else ():
            if one.protocol and one.source != "preview":
                latest[one.protocol] = one
        return list(latest.values())

    def _read_segmentations(
        self, entries: Iterable[SegmentationEntry]
    ) -> tuple[list[Shown], list[Exception]]:
        shown, problems = [], []
        for entry in entries:
            try:
                labels = read_labels(entry.path, self._decisions(entry))
                shown.append(Shown(entry, labels, load_protocol(entry.protocol)))
            except (MonetError, OSError) as error:
                problems.append(error)
        return shown, problems

    def _decisions(self, entry: SegmentationEntry) -> Decisions:
        return self.study.scan(entry.scan_id).decisions if self.study else Decisions()

    def _not_opened(self, entry: ScanEntry, error: Exception, then: Failed | None) -> None:
        if self.stage is not None:
            self.stage.set_busy("")
        if isinstance(error, DecisionNeeded):
            option = error.option
            answer = lambda choice: self.decide(entry, choice, option)  # noqa: E731
            self.asked.emit(Question(error, entry, answer))
        else:
            self.tell(error, f"Opening {entry.name}")
        if self.study is not None:
            self.run(self.study.inspect, entry.id, done=lambda _: self.scans_changed.emit())
        if then:
            then(error)

    def _decided(self, entry: ScanEntry) -> None:
        self.scans_changed.emit()
        self.open_scan(entry)
