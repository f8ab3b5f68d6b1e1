"""The page "Runs": what was trained and is trained, and the live page of the chosen one."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from monet_app.icons import icon
from monet_app.train.live_view import LiveView
from monet_app.train.run import RunModel
from monet_app.train.runs import Run
from monet_app.words import day
from monet_core.jobs.process import JobState

ROWS = 6
_COLUMNS = ("Run", "State", "Dice", "Begun")
_ICONS = {
    JobState.DONE: ("mdi6.check-circle-outline", "good"),
    JobState.FAILED: ("mdi6.alert-circle-outline", "error"),
    JobState.INTERRUPTED: ("mdi6.lightning-bolt-outline", "warning"),
    JobState.CANCELLED: ("mdi6.close-circle-outline", "faint"),
    JobState.QUEUED: ("mdi6.clock-outline", "faint"),
    JobState.PAUSED: ("mdi6.pause-circle-outline", "warning"),
}
_RUNNING = ("mdi6.play-circle-outline", "good")


class RunsView(QWidget):
    """A table of runs above the live page."""

    def __init__(self, model: RunModel) -> None:
        super().__init__()
        self._model = model
        self.table = QTreeWidget()
        self.table.setAccessibleName("Runs")
        self.table.setHeaderLabels(_COLUMNS)
        self.table.setRootIsDecorated(False)
        self.table.setAlternatingRowColors(True)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setUniformRowHeights(True)
        self.table.setTextElideMode(Qt.TextElideMode.ElideRight)
        header = self.table.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.table.currentItemChanged.connect(self._choose)
        self.live = LiveView(model)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table)
        layout.addWidget(self.live, 1)
        model.runs_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the runs as they are now."""
        self.table.blockSignals(True)
        runs = self._model.runs
        if [self._folder(row) for row in range(self.table.topLevelItemCount())] != [
            run.folder for run in runs
        ]:
            self.table.clear()
            self.table.addTopLevelItems([QTreeWidgetItem() for _ in runs])
        for row, run in enumerate(runs):
            self._fill(self.table.topLevelItem(row), run)
            if self._model.run is not None and run.folder == self._model.run.folder:
                self.table.setCurrentItem(self.table.topLevelItem(row))
        self.table.blockSignals(False)
        self.table.setFixedHeight(self._height(len(runs)))
        self.live.setVisible(bool(runs))

    def _fill(self, item: QTreeWidgetItem | None, run: Run) -> None:
        if item is None:
            return
        state = run.job.state if run.job is not None else run.state
        for column, text in enumerate((run.name, run.words, run.score, day(run.created))):
            item.setText(column, text)
        item.setIcon(0, icon(*_ICONS.get(state, _RUNNING)))
        item.setData(0, Qt.ItemDataRole.UserRole, str(run.folder))
        tip = f"{run.kind.text}\n{run.folder}"
        for column in range(len(_COLUMNS)):
            item.setToolTip(column, tip)

    def _height(self, rows: int) -> int:
        each = self.table.sizeHintForRow(0) if rows else 0
        return self.table.header().sizeHint().height() + each * min(rows, ROWS) + 4

    def _folder(self, row: int) -> Path:
        item = self.table.topLevelItem(row)
        return Path(item.data(0, Qt.ItemDataRole.UserRole) or "") if item is not None else Path()

    def _choose(self, item: QTreeWidgetItem | None, _: object) -> None:
        if item is not None:
            self._model.select(Path(item.data(0, Qt.ItemDataRole.UserRole)))
