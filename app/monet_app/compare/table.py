"""The table of regions: sorted worst first, filtered by words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from qtpy.QtCore import QAbstractTableModel, QModelIndex, QSortFilterProxyModel, Qt

from monet_app.compare.report import millimetres
from monet_app.compare.result import Result
from monet_app.words import dice

REGION, PAIR, DICE, HD95, ASSD, VOLUMES = range(6)
HEADS = ("Region", "Pair", "Dice", "HD95", "ASSD", "Volumes")
TIPS = (
    "Name in the protocol that is compared in",
    "Which two segmentations",
    "Overlap: 1 is the same, 0 is none",
    "How far apart the borders are, in mm: 95 % of them are nearer",
    "Average distance of the borders, in mm",
    "In ml, in the first and in the second; sorted by how much they differ",
)
SORT = Qt.ItemDataRole.UserRole
ROW = Qt.ItemDataRole.UserRole + 1
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


class RegionRows(QAbstractTableModel):
    """A result's rows as Qt asks for them; `SORT` gives numbers, `ROW` the result's own row."""

    def __init__(self) -> None:
        super().__init__()
        self._result: Result | None = None
        self._table = pd.DataFrame()

    def set_result(self, result: Result | None) -> None:
        """Show another result."""
        self.beginResetModel()
        self._result = result
        self._table = pd.DataFrame() if result is None else result.table
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        """A row per pair and region."""
        return 0 if parent is not None and parent.isValid() else len(self._table)

    def columnCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802 - Qt's name
        """See HEADS."""
        return 0 if parent is not None and parent.isValid() else len(HEADS)

    def headerData(  # noqa: N802 - Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Titles and what they mean."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.ToolTipRole:
            return TIPS[section]
        return HEADS[section] if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Text, a number to sort by, a sentence as tip."""
        row = self._table.iloc[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, index.column())
        if role == SORT:
            return _number(row, index.column())
        if role == ROW:
            return index.row()
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(row)
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() >= DICE:
            return _RIGHT
        return None

    def _text(self, row: pd.Series, column: int) -> str:
        measured = self._result is not None and self._result.measured
        if column == REGION:
            return str(row["name"])
        if column == PAIR:
            return f"{row['a']} – {row['b']}"
        if column == DICE:
            return dice(row["dice"])
        if column == VOLUMES:
            return f"{row['volume_a_ml']:.2f} / {row['volume_b_ml']:.2f}"
        if not measured:
            return "…"
        return millimetres(row["hd95_mm"], 1) if column == HD95 else millimetres(row["assd_mm"], 2)

    def _tip(self, row: pd.Series) -> str:
        return (
            f"{row['name']}: {row['a']} {row['volume_a_ml']:.2f} ml, {row['b']} "
            f"{row['volume_b_ml']:.2f} ml ({row['volume_difference_percent']:+.0f} %). "
            "Click: go to where they differ most, this region alone."
        )


def _number(row: pd.Series, column: int) -> Any:
    if column == REGION:
        return str(row["name"]).casefold()
    if column == PAIR:
        return f"{row['a']} – {row['b']}".casefold()
    if column == VOLUMES:
        value = abs(float(row["volume_difference_percent"]))
    else:
        value = float(row[{DICE: "dice", HD95: "hd95_mm", ASSD: "assd_mm"}[column]])
    return -1.0 if np.isnan(value) else value


class RegionFilter(QSortFilterProxyModel):
    """Rows of one pair (or of all) whose name has all the words."""

    def __init__(self, rows: RegionRows) -> None:
        super().__init__()
        self._words: list[str] = []
        self._pair = ""
        self.setSourceModel(rows)
        self.setSortRole(SORT)

    def set_words(self, text: str) -> None:
        """Only rows whose region's name has all of these words."""
        self._words = text.casefold().split()
        self.invalidate()

    def set_pair(self, pair: str) -> None:
        """Only rows of a pair; "" for all."""
        self._pair = pair
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: QModelIndex) -> bool:  # noqa: N802 - Qt's name
        """See above."""
        rows = self.sourceModel()
        if self._pair and rows.index(row, PAIR, parent).data() != self._pair:
            return False
        name = str(rows.index(row, REGION, parent).data()).casefold()
        return all(word in name for word in self._words)
