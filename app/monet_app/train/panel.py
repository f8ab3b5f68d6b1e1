"""The Train panel: begin a training, and watch it learn."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QScrollArea, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from monet_app.session import Session
from monet_app.start_key import add_start_key
from monet_app.train.model import TrainModel
from monet_app.train.run import RunModel
from monet_app.train.runs_view import RunsView
from monet_app.train.setup_view import SetupView
from monet_app.widgets import EmptyState
from monet_core.jobs.process import Job

NEW, RUNS = 0, 1


class TrainPanel(QWidget):
    """Two pages: New training, Runs."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.model = TrainModel(session)
        self.runs = RunModel(session)
        self.tabs = QTabBar()
        self.tabs.addTab("New training")
        self.tabs.addTab("Runs")
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        self.tabs.currentChanged.connect(lambda _: self._show_page())
        self.setup = SetupView(self.model)
        self.runs_view = RunsView(self.runs)
        self._no_study = EmptyState(
            "A training needs a study, which keeps its run and its model. Open one, or a scan.",
            "Go to Scans", lambda: session.ask_for("scans"), "mdi6.school-outline",
        )  # fmt: skip
        self._no_runs = EmptyState(
            "Nothing was trained in this study yet.", "New training",
            lambda: self.tabs.setCurrentIndex(NEW), "mdi6.chart-line",
        )  # fmt: skip
        self._stack = QStackedWidget()
        self._setup_page = _scrolled(self.setup)
        self._runs_page = _scrolled(self.runs_view)
        for page in (self._setup_page, self._runs_page, self._no_study, self._no_runs):
            self._stack.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.tabs)
        layout.addWidget(self._stack, 1)
        self._connect()
        self._show_page()

    def _connect(self) -> None:
        self.model.started.connect(self._started)
        self.runs.runs_changed.connect(self._show_page)
        self.session.study_changed.connect(self._show_page)
        self.session.activity_asked.connect(self._asked)
        add_start_key(self, self._start)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Look what can be computed with, the first time the panel is seen."""
        super().showEvent(event)
        if not self.model.devices.known:
            self.model.devices.look()

    def _asked(self, activity: str, subject: object) -> None:
        """Atlas asks for a training on what was corrected: {"atlas", "start", "data"}."""
        if activity == "train" and isinstance(subject, dict):
            self.tabs.setCurrentIndex(NEW)
            self.model.take_up(str(subject["atlas"]), subject.get("start"))

    def _start(self) -> None:
        if self.tabs.currentIndex() == NEW and self.setup.start.isEnabled():
            self.model.start()

    def _started(self, job: Job) -> None:
        self.runs.select(Path(str(job.request["out"])))
        self.runs.look()
        self.tabs.setCurrentIndex(RUNS)

    def _show_page(self, *_: object) -> None:
        number = sum(run.active for run in self.runs.runs)
        self.tabs.setTabText(RUNS, f"Runs ({number} active)" if number else "Runs")
        if self.session.study is None:
            self._stack.setCurrentWidget(self._no_study)
        elif self.tabs.currentIndex() == NEW:
            self._stack.setCurrentWidget(self._setup_page)
        else:
            self._stack.setCurrentWidget(self._runs_page if self.runs.runs else self._no_runs)


def _scrolled(content: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(content)
    return area
