"""The study table on the screen: columns for the room there is, mouse, keys, selection."""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtCore import QItemSelection, QItemSelectionModel, QSignalBlocker, Qt, Signal
from qtpy.QtGui import QKeyEvent, QResizeEvent
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from monet_app.later import Later
from monet_app.scans.cells import (
    NARROW_PICTURE,
    ROW_HEIGHT,
    WIDE_PICTURE,
    BadgeCell,
    NameCell,
    PictureCell,
)
from monet_app.scans.model import ScansModel
from monet_app.scans.rows import Column
from monet_app.scans.table import ScanTable

WIDE = 560
WIDTHS = {Column.STATE: 24, Column.SPACING: 92, Column.SHAPE: 116, Column.LABELS: 70,
          Column.GRADE: 30, Column.SPLIT: 42}  # fmt: skip
LOOK_MS = 150


class ScanView(QTableView):
    """Rows of scans.

    `opened` (id): double click or Enter; `chosen` (ids): the selection; `moved`: another row is
    current; `removing`: Delete.
    """

    opened = Signal(int)
    chosen = Signal(object)
    moved = Signal()
    removing = Signal()

    def __init__(self, model: ScansModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scans = model
        self.table = ScanTable(model, self)
        self.setModel(self.table)
        self._names = NameCell(self)
        self.setItemDelegateForColumn(Column.NAME, self._names)
        self.setItemDelegateForColumn(Column.PICTURE, PictureCell(self))
        self.setItemDelegateForColumn(Column.LABELS, BadgeCell(self))
        self.setAccessibleName("Scans of the study")
        self._set_up()
        self._looking = Later(self._look, LOOK_MS, self)
        self._choosing = Later(self._tell_chosen, 0, self)
        self.verticalScrollBar().valueChanged.connect(self._looking.soon)
        self.selectionModel().selectionChanged.connect(self._choosing.soon)
        self.selectionModel().currentChanged.connect(lambda *_: self.moved.emit())
        self.doubleClicked.connect(lambda index: self.opened.emit(self.table.row(index).entry.id))
        model.listed.connect(self._looking.soon)

    def _set_up(self) -> None:
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        rows = self.verticalHeader()
        rows.setDefaultSectionSize(ROW_HEIGHT)
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.hide()
        columns = self.horizontalHeader()
        columns.setHighlightSections(False)
        columns.setMinimumSectionSize(24)
        for column in Column:
            columns.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
        columns.setSectionResizeMode(Column.NAME, QHeaderView.ResizeMode.Stretch)
        for column, width in WIDTHS.items():
            columns.resizeSection(column, width)
        columns.setSortIndicator(Column.NAME, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)

    def set_current_scan(self, scan_id: int | None) -> None:
        """Which scan is on the stage: its name is bold."""
        self._names.current = scan_id
        self.viewport().update()
        place = self._scans.place_of(scan_id)
        if place is not None:
            self.scrollTo(self.table.index(place, Column.NAME))

    def chosen_ids(self) -> list[int]:
        """Ids of the selected rows, from top to bottom."""
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        return [self._scans.shown[row].entry.id for row in rows if row < len(self._scans.shown)]

    def choose(self, ids: Iterable[int], current: int | None = None) -> None:
        """Select these rows and no other; the keyboard goes on from `current`."""
        blocked = QSignalBlocker(self.selectionModel())
        selection = QItemSelection()
        for first, last in _runs(self._scans.place_of(each) for each in ids):
            selection.select(self.table.index(first, 0), self.table.index(last, 0))
        flags = QItemSelectionModel.SelectionFlag
        place = self._scans.place_of(current)
        if place is not None:
            index = self.table.index(place, Column.NAME)
            self.selectionModel().setCurrentIndex(index, flags.NoUpdate)
        self.selectionModel().select(selection, flags.ClearAndSelect | flags.Rows)
        del blocked
        self.viewport().update()
        self.moved.emit()

    @property
    def wide(self) -> bool:
        """Whether there is room for every column."""
        return self.viewport().width() >= WIDE

    @property
    def current_id(self) -> int | None:
        """The row that the keyboard is on."""
        index = self.currentIndex()
        return self.table.row(index).entry.id if index.isValid() else None

    def visible_ids(self) -> list[int]:
        """The scans whose rows are on the screen."""
        first = max(self.rowAt(0), 0)
        last = self.rowAt(self.viewport().height() - 1)
        shown = self._scans.shown
        return [row.entry.id for row in shown[first : len(shown) if last < 0 else last + 1]]

    def look(self) -> None:
        """Read what is on the screen first, soon."""
        self._looking.soon()

    # -- Qt ---------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Show spacing and size in columns where there is room, else below the names."""
        wide = self.wide
        self._names.two_lines = not wide
        for column in (Column.SPACING, Column.SHAPE):
            self.setColumnHidden(column, not wide)
        header = self.horizontalHeader()
        header.resizeSection(Column.PICTURE, WIDE_PICTURE if wide else NARROW_PICTURE)
        super().resizeEvent(event)
        self._looking.soon()
        self.moved.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Enter opens, Delete takes out of the study."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.current_id is not None:
                self.opened.emit(self.current_id)
        elif event.key() == Qt.Key.Key_Delete:
            self.removing.emit()
        elif event.key() not in (Qt.Key.Key_N,):  # the panel's own key
            super().keyPressEvent(event)

    def _look(self) -> None:
        if self.isVisible():
            self._scans.look_at(self.visible_ids())

    def _tell_chosen(self) -> None:
        self.chosen.emit(self.chosen_ids())


def _runs(places: Iterable[int | None]) -> list[tuple[int, int]]:
    """Neighbouring places as (first, last)."""
    runs: list[tuple[int, int]] = []
    for place in sorted(each for each in places if each is not None):
        if runs and runs[-1][1] == place - 1:
            runs[-1] = (runs[-1][0], place)
        else:
            runs.append((place, place))
    return runs
