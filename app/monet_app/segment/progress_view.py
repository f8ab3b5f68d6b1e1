"""One segmentation job in the panel: phases, time, cancel, what failed."""

from __future__ import annotations

from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from monet_app.segment.model import SegmentModel
from monet_app.segment.progress import PHASES, Progress
from monet_app.widgets import button, card, label, row
from monet_app.words import count, duration
from monet_core.jobs.process import JobState

MOST_FAILURES = 8
_LEFT = (JobState.CANCELLED, JobState.INTERRUPTED, JobState.FAILED)


class ProgressView(QWidget):
    """A card about one job."""

    def __init__(self, model: SegmentModel) -> None:
        super().__init__()
        self._model = model
        self._progress: Progress | None = None
        self._title = label("")
        self._line = label("", "hint")
        self._phases = _Phases()
        self._bar = QProgressBar()
        self._bar.setAccessibleName("Progress")
        self._left = label("", "hint")
        self._failures = label("", "error")
        self.cancel = button("Cancel", self._cancel, "Stop; finished scans are kept",
                             "mdi6.close-circle-outline")  # fmt: skip
        self.go_on = button("Go on", self._go_on, "Do the scans that are left", "mdi6.play")
        self.again = button("Try the failed ones again", self._again, "", "mdi6.refresh")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(
            card(self._title, self._line, self._phases, self._bar, self._left, self._failures,
                 row(self.cancel, self.go_on, self.again, None))
        )  # fmt: skip

    def show_progress(self, progress: Progress, waiting: int) -> None:
        """Show a job, and how many more wait behind it."""
        self._progress = progress
        running = progress.running and progress.job.state is not JobState.QUEUED
        self._title.setText(progress.job.title)
        self._line.setText(progress.job.error or progress.text)
        self._phases.setVisible(running)
        self._phases.show_phase(progress.phase)
        self._show_bar(progress, running)
        self._left.setText(self._words(progress, waiting))
        self._left.setVisible(bool(self._left.text()))
        self._show_failures(progress)
        self.cancel.setVisible(progress.running)
        self.cancel.setEnabled(progress.job.state is not JobState.CANCELLING)
        self.go_on.setVisible(progress.job.state in _LEFT)
        self.again.setVisible(not progress.running and bool(progress.failed))

    def _show_bar(self, progress: Progress, running: bool) -> None:
        self._bar.setVisible(running)
        if not running:
            return
        ready = len(progress.done) + len(progress.failed)
        if progress.total == 1 and progress.share is None:
            self._bar.setRange(0, 0)
            return
        self._bar.setRange(0, 1000)
        self._bar.setValue(round(1000 * min(1, ready / progress.total + _within(progress))))

    def _words(self, progress: Progress, waiting: int) -> str:
        parts = []
        left = progress.remaining(self._model.seconds_each)
        if left is not None:
            parts.append(f"about {duration(left)} left")
        if progress.running and progress.done:
            parts.append(f"{count(len(progress.done), 'result')} to look at already")
        if waiting:
            parts.append(f"{count(waiting, 'more job')} waiting")
        return "; ".join(parts)

    def _show_failures(self, progress: Progress) -> None:
        lines = [f"{path.name}: {why}" for path, why in progress.failed[:MOST_FAILURES]]
        more = len(progress.failed) - MOST_FAILURES
        lines += [f"and {more} more"] if more > 0 else []
        self._failures.setText("\n".join(lines))
        self._failures.setVisible(bool(lines))

    def _cancel(self) -> None:
        if self._progress is not None:
            self._model.cancel(self._progress)

    def _go_on(self) -> None:
        if self._progress is not None:
            self._model.go_on(self._progress)

    def _again(self) -> None:
        if self._progress is not None:
            self._model.again(self._progress)


class _Phases(QWidget):
    """Reading > Preparing > Predicting ..., the present one marked."""

    def __init__(self) -> None:
        super().__init__()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        self._labels = {name: label(name, "faint", wrap=False) for name in PHASES}
        for made in self._labels.values():
            layout.addWidget(made)
        layout.addStretch(1)

    def show_phase(self, phase: str) -> None:
        """Mark the phase."""
        for name, made in self._labels.items():
            kind = "good" if name == phase else "faint"
            if made.objectName() != kind:
                made.setObjectName(kind)
                made.style().polish(made)


def _within(progress: Progress) -> float:
    """How much of the whole the present scan's prediction is, which takes most of its time."""
    if progress.phase != "Predicting" or progress.share is None or not progress.total:
        return 0.0
    return 0.9 * progress.share / progress.total
