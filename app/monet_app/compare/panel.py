"""The Compare panel: segmentations of one scan beside each other, measured, looked at."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QHideEvent, QShowEvent
from qtpy.QtWidgets import (
    QProgressBar,
    QScrollArea,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from monet_app.compare.choosing import Choosing
from monet_app.compare.exporting import Exporting
from monet_app.compare.model import FEWEST, CompareModel
from monet_app.compare.over_study import OverStudy
from monet_app.compare.results_view import ResultsView
from monet_app.compare.study_view import StudyView
from monet_app.notices import notice_of
from monet_app.session import Session
from monet_app.widgets import EmptyState, button, column, label, row
from monet_app.words import count
from monet_core.workspace import SegmentationEntry


class ComparePanel(QWidget):
    """Choose, compare, read the table, fly to what differs."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.model = CompareModel(session)
        self.over_study = OverStudy(session)
        self.exporting = Exporting(self.model, self.over_study)
        self.choosing = Choosing(self.model)
        self.results = ResultsView(self.model, self.exporting)
        self.study = StudyView(self.model, self.over_study, self.exporting)
        self._scan = label("", "hint")
        self._stack = QStackedWidget()
        self._no_scan = EmptyState(
            "Open a scan to compare its segmentations: by hand, by models, FIRST, FreeSurfer…",
            "Go to Scans", lambda: session.ask_for("scans"), "mdi6.compare",
        )  # fmt: skip
        for page in (self._no_scan, self._too_few(), self._main()):
            self._stack.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 12, 12)
        for part in (label("Compare", "title"), self._scan):
            layout.addWidget(part)
        layout.addWidget(self._stack, 1)
        self.model.choices_changed.connect(self.refresh)
        self.model.result_changed.connect(self.refresh)
        session.current_changed.connect(lambda _: self.refresh())
        session.activity_asked.connect(self._asked)
        self.refresh()

    def _too_few(self) -> QWidget:
        self._few = label("", "hint")
        self._few.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        return column(
            None, self._few,
            button("Segment this scan", lambda: self.session.ask_for("segment"), "", "mdi6.brain"),
            button("Add a label file…", lambda: self.choosing.add.click(),
                   "Of this scan, by any tool", "mdi6.file-plus-outline"),
            None, None,
        )  # fmt: skip

    def _main(self) -> QWidget:
        self.start = button("Compare", self.model.start, "Dice, surface distances, volumes",
                            "mdi6.compare", primary=True)  # fmt: skip
        self.cancel = button("Cancel", self.model.cancel, "What is there so far stays")
        self.bar = QProgressBar()
        self.bar.setRange(0, 0)
        self._busy = label("", "hint", wrap=False)
        self._error = label("", "error")
        self._hint = label(
            "The result appears here: a table of regions, worst first, and columns in the middle.",
            "hint",
        )
        one = column(self._hint, self.results, None)
        one.layout().setStretch(1, 1000)  # type: ignore[union-attr]
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        self.tabs.addTab(one, "This scan")
        self.tabs.addTab(self.study, "Whole study")
        page = column(
            self.choosing, self.start, row(self._busy, self.bar, self.cancel), self._error,
            self.tabs,
        )  # fmt: skip
        page.layout().setStretch(4, 1)  # type: ignore[union-attr]
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(page)
        return area

    def refresh(self) -> None:
        """Show the state as it is now."""
        current, model = self.session.current, self.model
        self._scan.setText(current.name if current else "")
        self._scan.setVisible(current is not None)
        few = len(model.entries) < FEWEST
        self._stack.setCurrentIndex(0 if current is None else 1 if few else 2)
        has = ", ".join(model.names.values())
        self._few.setText(
            "Comparing needs two segmentations of one scan; this one has "
            f"{count(len(model.entries), 'segmentation') if has else 'none'}"
            f"{f': {has}' if has else ''}."
        )
        self.start.setEnabled(model.ready)
        self.start.setVisible(not model.busy)
        self._busy.setText(model.busy)
        for part in (self._busy, self.bar, self.cancel):
            part.setVisible(bool(model.busy))
        self._hint.setVisible(model.result is None)
        self._show_error()

    def _show_error(self) -> None:
        error = self.model.error
        self._error.setVisible(error is not None)
        if error is not None:
            notice = notice_of(error, "Comparing")
            self._error.setText(f"{notice.text} {notice.remedy}".strip())

    def _asked(self, activity: str, subject: object) -> None:
        """Another panel asks to compare a segmentation of the current scan."""
        if activity == "compare" and isinstance(subject, SegmentationEntry):
            self.model.choose(subject.id)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """The stage shows the comparison while the panel does."""
        super().showEvent(event)
        if not event.spontaneous():
            self.model.views.enter()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 - Qt's name
        """Another activity: the views are as before."""
        super().hideEvent(event)
        if not event.spontaneous():
            self.study.centre.hide()
            self.model.views.leave()
