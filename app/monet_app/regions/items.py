"""The tree of regions for Qt: `RegionItems` over a `View`, and a proxy that filters and sorts."""

from __future__ import annotations

import math
from typing import Any

from qtpy.QtCore import QAbstractItemModel, QModelIndex, QObject, QSortFilterProxyModel, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap

from monet_app import theme
from monet_app.regions.figures import Figures
from monet_app.regions.model import RegionsModel, View
from monet_app.regions.tree import Node, matching
from monet_app.words import count

NAME, VOLUME, ASYMMETRY, SHARE = range(4)
TITLES = ("Region", "ml", "L–R %", "Share")
TIPS = (
    "Tick what is drawn; click goes there, double click shows it alone",
    "Volume in ml (1 ml = 1000 mm³)",
    "Asymmetry in per cent: 100 (left − right) / mean of both. Positive: the left side is larger",
    "Share of the labelled brain in per cent: of the sum of all regions that are labelled here. "
    "It stands for the share of the intracranial volume, which is not known",
)
SORT = Qt.ItemDataRole.UserRole
SWATCH, MOST_COLORS = 12, 4
NOWHERE = QModelIndex()
FOR_ALL_COLUMNS = (Qt.ItemDataRole.ForegroundRole, Qt.ItemDataRole.ToolTipRole)
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_STATES = {
    True: Qt.CheckState.Checked,
    False: Qt.CheckState.Unchecked,
    None: Qt.CheckState.PartiallyChecked,
}


class RegionItems(QAbstractItemModel):
    """The rows of one segmentation; ticking draws or hides through the `RegionsModel`.

    `rows` are those that the search leaves, None for all of them.
    """

    def __init__(self, model: RegionsModel, view: View, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.view = view
        self.rows: set[Node] | None = None
        self._model = model
        self._swatches: dict[tuple[str, ...], QIcon] = {}

    def find(self, text: str) -> None:
        """Keep the rows that match what was typed."""
        self.rows = matching(self.view.root, text)

    def node(self, index: QModelIndex) -> Node:
        """The row at an index of this model."""
        return index.internalPointer() if index.isValid() else self.view.root

    def index_of(self, node: Node) -> QModelIndex:
        """The index of a row."""
        return NOWHERE if node.parent is None else self.createIndex(node.row, 0, node)

    def found(self, node: Node) -> tuple[int, ...]:
        """The regions at and below a row that the search leaves."""
        if self.rows is None:
            return node.indices
        return tuple(leaf.region.index for leaf in node.leaves if leaf.region and leaf in self.rows)

    def refresh(self) -> None:
        """Figures or ticks changed anywhere; every row is read again when it is painted."""
        if self.view.root.children:
            self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, SHARE))

    # -- what Qt asks -----------------------------------------------------------------------

    def index(self, row: int, column: int, parent: QModelIndex = NOWHERE) -> QModelIndex:
        """See QAbstractItemModel."""
        children = self.node(parent).children
        if not (0 <= row < len(children) and 0 <= column <= SHARE):
            return NOWHERE
        return self.createIndex(row, column, children[row])

    def parent(self, index: QModelIndex = NOWHERE) -> QModelIndex:  # type: ignore[override]
        """See QAbstractItemModel."""
        above = self.node(index).parent if index.isValid() else None
        return NOWHERE if above is None else self.index_of(above)

    def rowCount(self, parent: QModelIndex = NOWHERE) -> int:  # noqa: N802 - Qt's name
        """See QAbstractItemModel."""
        return len(self.node(parent).children) if parent.column() <= 0 else 0

    def columnCount(self, _: QModelIndex = NOWHERE) -> int:  # noqa: N802 - Qt's name
        """See QAbstractItemModel."""
        return len(TITLES)

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """See QAbstractItemModel."""
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags | Qt.ItemFlag.ItemIsUserCheckable if index.column() == NAME else flags

    def headerData(  # noqa: N802 - Qt's name
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        """See QAbstractItemModel."""
        if orientation == Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole and section != NAME:
            return int(_RIGHT)
        said = {Qt.ItemDataRole.DisplayRole: TITLES, Qt.ItemDataRole.ToolTipRole: TIPS}.get(role)
        return said[section] if said else None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """See QAbstractItemModel."""
        node, column = self.node(index), index.column()
        if column == NAME and role not in FOR_ALL_COLUMNS:
            return self._name(node, role)
        figures = self.view.figures(node)
        if role == Qt.ItemDataRole.ForegroundRole:
            return QColor(theme.current().faint) if figures and figures.missing else None
        if role == Qt.ItemDataRole.ToolTipRole:
            return _tip(node, figures)
        if role == Qt.ItemDataRole.DisplayRole:
            return _text(column, figures)
        if role == SORT:
            return _sortable(column, figures)
        return int(_RIGHT) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def _name(self, node: Node, role: int) -> Any:
        if role in (Qt.ItemDataRole.DisplayRole, SORT):
            return node.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return node.region.name if node.region else node.name
        if role == Qt.ItemDataRole.CheckStateRole:
            return _STATES[self.view.drawn(node)]
        if role == Qt.ItemDataRole.DecorationRole:
            colors = _colors(node)
            if colors not in self._swatches:
                self._swatches[colors] = _swatch(colors)
            return self._swatches[colors]
        return None

    def setData(  # noqa: N802 - Qt's name
        self, index: QModelIndex, value: Any, role: int = Qt.ItemDataRole.EditRole
    ) -> bool:
        """See QAbstractItemModel: a tick draws a row's regions, or what the search leaves of it."""
        if role != Qt.ItemDataRole.CheckStateRole:
            return False
        drawn = Qt.CheckState(value) == Qt.CheckState.Checked
        self._model.set_drawn(self.found(self.node(index)), drawn)
        return True


class RegionOrder(QSortFilterProxyModel):
    """The rows that are found, in the order that the header says."""

    def __init__(self, items: RegionItems, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.items = items
        self.setDynamicSortFilter(False)  # each tick would ask about every row again
        self.setSourceModel(items)
        self.setSortRole(SORT)
        self.setSortCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)

    def filterAcceptsRow(self, row: int, parent: QModelIndex) -> bool:  # noqa: N802 - Qt's name
        """See QSortFilterProxyModel."""
        rows = self.items.rows
        return rows is None or self.items.node(parent).children[row] in rows

    def node(self, index: QModelIndex) -> Node:
        """The row at an index of this model."""
        return self.items.node(self.mapToSource(index))

    def index_of(self, node: Node) -> QModelIndex:
        """Where a row is; invalid where the search left it out."""
        return self.mapFromSource(self.items.index_of(node))

    def regions(self, below: QModelIndex = NOWHERE) -> list[int]:
        """The regions that are found, from top to bottom as they are shown."""
        found: list[int] = []
        for row in range(self.rowCount(below)):
            index = self.index(row, 0, below)
            region = self.node(index).region
            found += [region.index] if region else self.regions(index)
        return found


def _text(column: int, figures: Figures | None) -> str:
    if figures is None:
        return "…" if column == VOLUME else ""
    if figures.missing:
        return "missing" if column == VOLUME else ""
    if column == VOLUME:
        return f"{figures.volume_ml:.2f}"
    value = figures.asymmetry if column == ASYMMETRY else figures.share
    if math.isnan(value):
        return ""
    return f"{value:+.1f}" if column == ASYMMETRY else f"{value:.2f}"


def _sortable(column: int, figures: Figures | None) -> float:
    """The figure, with what is missing at the end."""
    if figures is None:
        return -math.inf
    value = (figures.volume_ml, figures.asymmetry, figures.share)[column - VOLUME]
    return -math.inf if math.isnan(value) else value


def _tip(node: Node, figures: Figures | None) -> str:
    region = node.region
    if region is None:
        return f"{node.name}: {count(len(node.indices), 'region')}"
    short = f", {region.abbreviation}" if region.abbreviation not in ("", region.name) else ""
    missing = ". Not one voxel has it; it may lie outside the field of view"
    return f"{region.name} ({region.index}{short}){missing if figures and figures.missing else ''}"


def _colors(node: Node) -> tuple[str, ...]:
    """A region's colour, a pair's both, and some of a group's."""
    colors = [leaf.region.color for leaf in node.leaves if leaf.region is not None]
    return tuple(colors[:: math.ceil(len(colors) / MOST_COLORS)])


def _swatch(colors: tuple[str, ...]) -> QIcon:
    """A square in a region's colour, or striped in several."""
    picture = QPixmap(SWATCH, SWATCH)
    painter = QPainter(picture)
    width = SWATCH // len(colors)
    for place, color in enumerate(colors):
        painter.fillRect(place * width, 0, width, SWATCH, QColor(color))
    painter.setPen(QColor(0, 0, 0, 110))
    painter.drawRect(0, 0, SWATCH - 1, SWATCH - 1)
    painter.end()
    return QIcon(picture)
