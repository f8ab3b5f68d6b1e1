"""The tree on the screen: mouse and keys."""

from __future__ import annotations

from qtpy.QtCore import QModelIndex, QPoint, QSize, Qt, Signal
from qtpy.QtGui import QKeyEvent, QMouseEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QWidget,
)

from monet_app.regions.items import ASYMMETRY, NAME, SHARE, VOLUME, RegionOrder
from monet_app.regions.tree import Node
from monet_app.widgets import NamesFirst

WIDEST_TEXT = ("", "missing", "+100.0", "Share ")
INDENT, ROW_HEIGHT = 12, 24
FEW_GROUPS = 3


class Tall(QStyledItemDelegate):
    """Rows that are high enough to be hit."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:  # noqa: N802
        """See QStyledItemDelegate."""
        size = super().sizeHint(option, index)
        return QSize(size.width(), max(ROW_HEIGHT, size.height()))


class RegionTree(QTreeView):
    """Rows of regions; says what was meant by clicks and keys.

    `gone_to` (row) a click or Enter, `isolated` (row) a double click, `toggled` the space bar on
    what is selected, `escaped` Esc.
    """

    gone_to = Signal(object)
    isolated = Signal(object)
    toggled = Signal()
    escaped = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._on_tick = False
        self.setUniformRowHeights(True)
        self.setAlternatingRowColors(True)
        self.setExpandsOnDoubleClick(False)
        self.setIndentation(INDENT)
        self.setItemDelegate(Tall(self))
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName("Regions of the segmentation")
        advance = self.fontMetrics().horizontalAdvance
        self._widths = {c: advance(WIDEST_TEXT[c]) + 14 for c in range(VOLUME, SHARE + 1)}
        spare = {column: self._widths[column] for column in (SHARE, ASYMMETRY)}
        # 60: arrow, tick and swatch before the name
        self._names_first = NamesFirst(self, spare, self._widths[VOLUME] + 60)
        self.clicked.connect(self._clicked)
        self.doubleClicked.connect(self._double_clicked)

    @property
    def order(self) -> RegionOrder | None:
        """The rows that are shown."""
        model = self.model()
        return model if isinstance(model, RegionOrder) else None

    def show_rows(self, order: RegionOrder) -> None:
        """Show other rows, in the columns' widths."""
        self.setModel(order)
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        for column, width in self._widths.items():
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            header.resizeSection(column, width)
        self._names_first.fit()
        header.setSortIndicatorClearable(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)

    def chosen(self) -> list[Node]:
        """The rows that are selected."""
        order = self.order
        if order is None or self.selectionModel() is None:
            return []
        return [order.node(index) for index in self.selectionModel().selectedRows()]

    def choose(self, node: Node) -> None:
        """Select a row and bring it into view; its groups are opened."""
        order = self.order
        index = order.index_of(node) if order is not None else QModelIndex()
        if index.isValid():
            self.setCurrentIndex(index)
            self.scrollTo(index)

    def open_paths(self) -> set[tuple[str, ...]]:
        """Which groups are open."""
        order = self.order
        if order is None:
            return set()
        nodes = [node for node in order.items.view.root.walk() if node.children]
        return {node.path for node in nodes if self.isExpanded(order.index_of(node))}

    def open_again(self, paths: set[tuple[str, ...]] | None) -> None:
        """Open the groups that were open; at first those of an atlas with few."""
        order = self.order
        if order is None:
            return
        self.collapseAll()
        root = order.items.view.root
        few = len(root.children) <= FEW_GROUPS
        for node in root.walk():
            at_first = few and node.parent is root
            if node.children and (at_first if paths is None else node.path in paths):
                self.expand(order.index_of(node))

    # -- mouse and keys ---------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """A click on the tick box only ticks."""
        self._on_tick = self._is_tick(event.position().toPoint())
        super().mousePressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """See `mousePressEvent`."""
        self._on_tick = self._is_tick(event.position().toPoint())
        super().mouseDoubleClickEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Enter goes to the region, space ticks all that is selected, Esc ends isolating."""
        order = self.order
        if event.key() == Qt.Key.Key_Space:
            self.toggled.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and order is not None:
            if self.currentIndex().isValid():
                self.gone_to.emit(order.node(self.currentIndex()))
        elif event.key() == Qt.Key.Key_Escape:
            self.escaped.emit()
        elif event.text() not in (",", "."):  # the panel's own keys, not a search by letter
            super().keyPressEvent(event)

    def _is_tick(self, at: QPoint) -> bool:
        index = self.indexAt(at)
        if not index.isValid() or index.column() != NAME:
            return False
        option = QStyleOptionViewItem()
        self.initViewItemOption(option)
        option.rect = self.visualRect(index)
        self.itemDelegateForIndex(index).initStyleOption(option, index)
        where = QStyle.SubElement.SE_ItemViewItemCheckIndicator
        return bool(self.style().subElementRect(where, option, self).contains(at))

    def _clicked(self, index: QModelIndex) -> None:
        if not self._on_tick and self.order is not None:
            self.gone_to.emit(self.order.node(index))

    def _double_clicked(self, index: QModelIndex) -> None:
        if not self._on_tick and self.order is not None:
            self.isolated.emit(self.order.node(index))
