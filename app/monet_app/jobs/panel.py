"""The dock of long work at the bottom: one row a job; what failed stays, in words."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from monet_app.icons import icon
from monet_app.jobs.model import ACTIVE, line_of
from monet_app.session import Session
from monet_app.widgets import label
from monet_core.jobs.process import Job, JobState

MOST = 20


class JobsDock(QWidget):
    """Rows of the study's jobs, the newest first."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.rows: dict[str, JobRow] = {}
        outer = QVBoxLayout(self)
        outer.setContentsMargins(8, 4, 8, 4)
        self._head = label("", "hint", wrap=False)
        outer.addWidget(self._head)
        holder = QWidget()
        self._list = QVBoxLayout(holder)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(2)
        self._list.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(holder)
        outer.addWidget(area, 1)
        session.jobs_changed.connect(self.refresh)
        session.job_event.connect(self._refresh_one)
        self.refresh()

    def refresh(self) -> None:
        """Show the jobs as they are now."""
        jobs = self.session.jobs.jobs[:MOST] if self.session.jobs else []
        wanted = {job.id for job in jobs}
        for gone in self.rows.keys() - wanted:
            self.rows.pop(gone).deleteLater()
        for place, job in enumerate(jobs):
            if job.id not in self.rows:
                self.rows[job.id] = JobRow(job, self)
                self._list.insertWidget(place, self.rows[job.id])
            self.rows[job.id].refresh()
        active = sum(job.state in ACTIVE for job in jobs)
        self._head.setText(
            f"JOBS   {active} running or waiting"
            if active
            else "JOBS   None running"
            if jobs
            else "JOBS   Segmentations and trainings appear here, with their progress."
        )

    def _refresh_one(self, job: Job, _: object) -> None:
        if job.id in self.rows:
            self.rows[job.id].refresh()


class JobRow(QWidget):
    """One job: title, what it does, progress, remaining time, buttons."""

    def __init__(self, job: Job, dock: JobsDock) -> None:
        super().__init__()
        self.job, self._dock = job, dock
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        self._title = label("", wrap=False)
        self._title.setMinimumWidth(220)
        self._doing = label("", "hint", wrap=False)
        self._doing.setMinimumWidth(1)
        self._bar = QProgressBar()
        self._bar.setFixedWidth(180)
        self._left = label("", "hint", wrap=False)
        for part, stretch in ((self._title, 0), (self._doing, 1), (self._bar, 0), (self._left, 0)):
            layout.addWidget(part, stretch)
        self.pause = self._button("mdi6.pause", "Pause", self._pause_or_go_on)
        self.go_on = self._button("mdi6.play", "Go on from where it stopped", self._go_on)
        self.cancel = self._button("mdi6.close-circle-outline", "Cancel", self._cancel)
        self.forget = self._button("mdi6.broom", "Take off the list", self._forget)
        for made in (self.pause, self.go_on, self.cancel, self.forget):
            layout.addWidget(made)

    def refresh(self) -> None:
        """Show the job as it is now."""
        line = line_of(self.job)
        self._title.setText(line.title)
        self._say(line.error or (line.doing if line.doing else line.state), bool(line.error))
        self._bar.setVisible(self.job.state in ACTIVE or self.job.state is JobState.DONE)
        self._bar.setRange(0, 0 if line.share is None else 1000)
        if line.share is not None:
            self._bar.setValue(round(1000 * line.share))
        self._left.setText(line.remaining or (line.state if not line.error else ""))
        self.pause.setVisible(line.can_pause)
        self.go_on.setVisible(line.can_go_on)
        self.cancel.setVisible(line.can_cancel)
        self.forget.setVisible(line.can_forget)

    def _say(self, text: str, wrong: bool) -> None:
        kind = "error" if wrong else "hint"
        if self._doing.objectName() != kind:
            self._doing.setObjectName(kind)
            self._doing.style().polish(self._doing)
        self._doing.setText(text)
        self._doing.setToolTip(text)

    def _button(self, name: str, tip: str, clicked: object) -> QToolButton:
        made = QToolButton()
        made.setIcon(icon(name))
        made.setToolTip(tip)
        made.setAccessibleName(tip)
        made.setAutoRaise(True)
        made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        made.clicked.connect(clicked)
        return made

    def _pause_or_go_on(self) -> None:
        self.job.pause()
        self._dock.refresh()

    def _go_on(self) -> None:
        queue = self._dock.session.jobs
        if self.job.state is JobState.PAUSED:
            self.job.resume()
        elif queue is not None:
            queue.resume(self.job)
        self._dock.refresh()

    def _cancel(self) -> None:
        self.job.cancel()
        self._dock.refresh()

    def _forget(self) -> None:
        if self._dock.session.jobs is not None:
            self._dock.session.jobs.forget(self.job)
        self._dock.refresh()
