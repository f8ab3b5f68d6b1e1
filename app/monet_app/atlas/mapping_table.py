"""Rows of a mapping for Qt: what is which, how sure, and whether it is accepted."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, QSortFilterProxyModel, Qt
from qtpy.QtGui import QColor

from monet_app import theme
from monet_app.atlas.brush_view import swatch
from monet_app.atlas.choosing import CHOICES, VALUE
from monet_app.atlas.mapping import MappingModel, MappingRow

SOURCE, TARGET, SURE = range(3)
TITLES = ("From", "To", "Sure")
TIPS = (
    "A region of the first atlas; ticked when its mapping is accepted (Space)",
    "The region of the second atlas that it is; click to choose another",
    "How sure the suggestion is, in per cent, and what it rests on",
)
NOWHERE = QModelIndex()
DOUBTFUL = 0.5


class MappingTable(QAbstractTableModel):
    """A row per source region; ticking accepts, unticking clears."""

    def __init__(self, model: MappingModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._rows: list[MappingRow] = []

    def refresh(self) -> None:
        """Show the rows as they are now; what is selected stays."""
        before, self._rows = self._rows, list(self._model.rows)
        if [r.source for r in before] == [r.source for r in self._rows] and before:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._rows) - 1, SURE))
        else:
            self.beginResetModel()
            self.endResetModel()

    def row_at(self, index: QModelIndex) -> MappingRow:
        """The row of an index."""
        return self._rows[index.row()]

    def rowCount(self, parent: QModelIndex = NOWHERE) -> int:  # noqa: N802 - Qt's name
        """Source regions."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: QModelIndex = NOWHERE) -> int:  # noqa: N802 - Qt's name
        """From, to, sure."""
        return 0 if parent.isValid() else len(TITLES)

    def headerData(  # noqa: N802 - Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Titles and what they mean."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return TITLES[section]
        return TIPS[section] if role == Qt.ItemDataRole.ToolTipRole else None

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """Sources can be ticked, targets chosen."""
        flags = super().flags(index)
        if index.column() == SOURCE:
            return flags | Qt.ItemFlag.ItemIsUserCheckable
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() == TARGET else flags

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What a cell shows."""
        each, column = self._rows[index.row()], index.column()
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return self._text(each, column)
        if role == Qt.ItemDataRole.CheckStateRole and column == SOURCE:
            return Qt.CheckState.Checked if each.accepted else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.DecorationRole and column != SURE:
            return self._swatch(each, column)
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._color(each, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{each.source.name} → {self._text(each, TARGET)}\n{self._why(each)}"
        if role == VALUE:
            return each.target
        if role == CHOICES:
            regions = self._model.choices(each.source.index)
            named = [(f"{region.name}  ({region.index})", region.index) for region in regions]
            return [("– background", None), *named]
        return None

    def setData(  # noqa: N802 - Qt's name
        self, index: QModelIndex, value: Any, role: int = Qt.ItemDataRole.EditRole
    ) -> bool:
        """Tick, untick, or choose a target."""
        number = self._rows[index.row()].source.index
        if role == Qt.ItemDataRole.CheckStateRole:
            accepted = Qt.CheckState(value) == Qt.CheckState.Checked
            self._model.accept(number) if accepted else self._model.reopen(number)
            return True
        return role == Qt.ItemDataRole.EditRole and self._model.set_target(number, value)

    def _text(self, each: MappingRow, column: int) -> str:
        if column == SOURCE:
            return each.source.name
        if column == SURE:
            return "" if each.target is None else f"{100 * each.confidence:.0f} %"
        if each.target is None:
            return "background" if each.accepted else "not said"
        target = self._model.target
        return target.region(each.target).name if target is not None else ""

    def _why(self, each: MappingRow) -> str:
        if each.target is None:
            return (
                "Decided: background" if each.accepted else "Nothing fits: choose one, or leave it"
            )
        state = "Accepted" if each.accepted else "Suggested"
        return f"{state} {each.by}, {100 * each.confidence:.0f} % sure"

    def _swatch(self, each: MappingRow, column: int) -> Any:
        if column == SOURCE:
            return swatch(each.source.color, 10)
        target = self._model.target
        known = target is not None and each.target is not None
        return swatch(target.region(each.target).color, 10) if known else None  # type: ignore

    def _color(self, each: MappingRow, column: int) -> QColor | None:
        colors = theme.current()
        if each.open and column == TARGET and each.target is None:
            return QColor(colors.warning)
        if each.open and column == SURE and each.confidence < DOUBTFUL:
            return QColor(colors.warning)
        return QColor(colors.faint) if each.open and column != SOURCE else None


class MappingFilter(QSortFilterProxyModel):
    """Rows that match what was typed, and only open ones where that is wished."""

    def __init__(self, table: MappingTable, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._table = table
        self._words, self._only_open = "", False
        self.setSourceModel(table)
        self.setDynamicSortFilter(False)  # a row that is accepted does not vanish under the mouse

    def set_words(self, words: str) -> None:
        """What was typed."""
        self._words = words.casefold()
        self.invalidateFilter()

    def set_only_open(self, only: bool) -> None:
        """Leave out what is decided."""
        self._only_open = only
        self.invalidateFilter()

    def filterAcceptsRow(self, row: int, parent: QModelIndex) -> bool:  # noqa: N802 - Qt's name
        """Whether a row is shown."""
        each = self._table.row_at(self._table.index(row, SOURCE, parent))
        texts = [self._table.index(row, column, parent).data() for column in (SOURCE, TARGET)]
        found = any(self._words in str(text).casefold() for text in texts)
        return found and (each.open or not self._only_open)
