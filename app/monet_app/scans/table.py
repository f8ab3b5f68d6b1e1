"""The study table for Qt: rows of a `ScansModel`."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt
from qtpy.QtGui import QColor, QIcon, QPixmap

from monet_app import theme
from monet_app.icons import icon
from monet_app.scans.model import ScansModel
from monet_app.scans.rows import (
    GRADES,
    Column,
    Row,
    State,
    cell_text,
    grid_text,
    labels_text,
)

TITLES = {
    Column.STATE: "",
    Column.PICTURE: "",
    Column.NAME: "Scan",
    Column.SPACING: "Voxel",
    Column.SHAPE: "Size",
    Column.LABELS: "Labels",
    Column.GRADE: "QC",
    Column.SPLIT: "Split",
}
TIPS = {
    Column.STATE: "Sort by problems",
    Column.PICTURE: "Axial, coronal and sagittal slice",
    Column.NAME: "Name; double click or Enter opens the scan",
    Column.SPACING: "Voxel size in mm",
    Column.SHAPE: "Voxels along the file's axes",
    Column.LABELS: "Which labels exist: 138 whole brain, 15 sub-cortical, own atlas, ? not known",
    Column.GRADE: "The latest rating",
    Column.SPLIT: "What the scan is for: training, validation, test",
}
STATE_ICONS = {
    State.PROBLEM: ("mdi6.alert-circle-outline", "error"),
    State.QUESTION: ("mdi6.help-circle-outline", "accent"),
    State.WARNING: ("mdi6.alert-outline", "warning"),
    State.WAITING: ("mdi6.dots-horizontal", "faint"),
}
GRADE_ICONS = {
    "pass": ("mdi6.check-circle-outline", "good"),
    "fail": ("mdi6.close-circle-outline", "error"),
    "edit": ("mdi6.pencil-circle-outline", "warning"),
}
SHORT_SPLITS = {"train": "Train", "validation": "Valid.", "test": "Test", None: ""}
MOST_PICTURES = 600
ROW_ROLE = Qt.ItemDataRole.UserRole


class ScanTable(QAbstractTableModel):
    """One row a scan; thumbnails are read when they are painted and kept for a while."""

    def __init__(self, model: ScansModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.model = model
        self._pictures: OrderedDict[int, QPixmap] = OrderedDict()
        self._icons: dict[tuple[str, str], QIcon] = {}
        model.listed.connect(self._listed)
        model.row_changed.connect(self._row_changed)

    def row(self, index: QModelIndex) -> Row:
        """The row at an index."""
        return self.model.shown[index.row()]

    def picture(self, row: Row) -> QPixmap:
        """A scan's thumbnail; null while there is none."""
        known = self._pictures.get(row.entry.id)
        if known is None:
            data = row.entry.thumbnail if row.entry.inspected else None
            known = QPixmap()
            if data:
                known.loadFromData(data)
                self._pictures[row.entry.id] = known
            while len(self._pictures) > MOST_PICTURES:
                self._pictures.popitem(last=False)
        return known

    def _listed(self) -> None:
        self.beginResetModel()
        self.endResetModel()

    def _row_changed(self, place: int) -> None:
        self._pictures.pop(self.model.shown[place].entry.id, None)
        self.dataChanged.emit(self.index(place, 0), self.index(place, len(Column) - 1))

    # -- what Qt asks -----------------------------------------------------------------------

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008, N802
        """See QAbstractTableModel."""
        return 0 if parent.isValid() else len(self.model.shown)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008, N802
        """See QAbstractTableModel."""
        return 0 if parent.isValid() else len(Column)

    def headerData(  # noqa: N802 - Qt's name
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        """See QAbstractTableModel."""
        if orientation == Qt.Orientation.Vertical:
            return None
        said = {Qt.ItemDataRole.DisplayRole: TITLES, Qt.ItemDataRole.ToolTipRole: TIPS}.get(role)
        if said is not None:
            return said[Column(section)]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """See QAbstractItemModel."""
        if column >= 0:
            self.model.sort(Column(column), order == Qt.SortOrder.DescendingOrder)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """See QAbstractTableModel."""
        row, column = self.row(index), Column(index.column())
        if role == Qt.ItemDataRole.DisplayRole:
            if column is Column.SPLIT:
                return SHORT_SPLITS[row.entry.split]
            return "" if column is Column.GRADE else cell_text(row, column)
        if role == ROW_ROLE:
            return row
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(row, column)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return row.trouble if column is Column.STATE else cell_text(row, column)
        if role == Qt.ItemDataRole.DecorationRole:
            return self._decoration(row, column)
        if role == Qt.ItemDataRole.ForegroundRole and row.state is State.PROBLEM:
            return QColor(theme.current().faint)
        return None

    def _decoration(self, row: Row, column: Column) -> QIcon | None:
        named = None
        if column is Column.STATE:
            named = STATE_ICONS.get(row.state)
        elif column is Column.GRADE:
            named = GRADE_ICONS.get(row.grade)
        if named is None:
            return None
        if named not in self._icons:
            self._icons[named] = icon(*named)
        return self._icons[named]

    def _tip(self, row: Row, column: Column) -> str:
        if row.trouble:
            return row.trouble
        if column is Column.LABELS:
            return labels_text(row)
        if column is Column.GRADE and row.rating is not None:
            note = f": {row.rating.note}" if row.rating.note else ""
            return f"{GRADES[row.grade]} by {row.rating.rater or 'nobody named'}{note}"
        if row.state is State.WAITING:
            return "This scan is about to be read"
        return f"{row.entry.path}\n{grid_text(row.entry)}"
