"""The Regions panel: the regions of what is on the stage, as trees; ticks, figures, looks."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QPoint, QSignalBlocker, Qt, QTimer
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import (
    QFileDialog,
    QLineEdit,
    QMenu,
    QStackedWidget,
    QTabBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from monet_app.icons import icon
from monet_app.regions.controls import Looks
from monet_app.regions.items import RegionItems, RegionOrder
from monet_app.regions.model import RegionsModel
from monet_app.regions.tree import Node
from monet_app.regions.view import RegionTree
from monet_app.session import Session
from monet_app.widgets import GAP, EmptyState, button, column, label, row

AFTER_EDIT_MS = 1500
TABLES = "Tables (*.tsv);;Comma separated (*.csv)"
NOTHING_OPEN = "The regions of a scan's segmentations are listed here: open a scan."
NOT_SEGMENTED = (
    "Nothing is segmented on the stage. Let a model find the regions of this scan, or switch one "
    "of its segmentations on in Scans."
)


class RegionsPanel(QWidget):
    """A tree of regions per segmentation on the stage: find, tick, go there, measure, export."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.model = RegionsModel(session)
        self._open: dict[str, set[tuple[str, ...]]] = {}
        self._region: int | None = None
        self._items: RegionItems | None = None
        self._edited: set[str] = set()
        self._build()
        self._keys()
        self.model.listed.connect(self.refresh)
        self.model.measured.connect(self._figures_changed)
        self.model.drawn.connect(self._figures_changed)
        self.model.picked.connect(self._picked)
        session.current_changed.connect(lambda _: self._say_empty())
        if session.stage is not None:
            session.stage.edited.connect(self._was_edited)
        self.refresh()

    # -- building ---------------------------------------------------------------------------

    def _build(self) -> None:
        self.count = label("", "hint", wrap=False)
        self.tabs = QTabBar()
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        self.tabs.setElideMode(Qt.TextElideMode.ElideNone)
        self.tabs.setUsesScrollButtons(True)
        self.tabs.setAccessibleName("Segmentations on the stage")
        self.tabs.currentChanged.connect(self._tab_chosen)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Find a region…")
        self.search.setToolTip("Name, abbreviation, number or group; Esc empties it")
        self.search.setAccessibleName("Find a region")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._search_typed)
        self.alone_said = label("", "warning")
        self.alone = row(self.alone_said, button("Show the others", self._end_isolating))
        self.nothing_found = label("No region is called that.", "hint")
        self.tree = RegionTree()
        self.tree.gone_to.connect(self._go_to)
        self.tree.isolated.connect(lambda node: self.model.isolate(node.indices))
        self.tree.toggled.connect(self._toggle)
        self.tree.escaped.connect(self._end_isolating)
        self.tree.customContextMenuRequested.connect(self._menu)
        self.looks = Looks(self.model)
        full = column(
            self.tabs, self.search, self.alone, self.nothing_found, self.tree,
            self._buttons(), self.looks,
        )  # fmt: skip
        full.layout().setStretchFactor(self.tree, 1)  # type: ignore[union-attr]
        self.empty = EmptyState(NOTHING_OPEN, icon_name="mdi6.shape-outline")
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(full)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP, GAP, GAP, GAP)
        layout.addWidget(row(label("Regions", "title", wrap=False), None, self.count))
        layout.addWidget(self._stack, 1)
        self._later = QTimer(self, singleShot=True, interval=AFTER_EDIT_MS)
        self._later.timeout.connect(self._measure_edited)

    def _buttons(self) -> QWidget:
        self.show_all = _tool("Show all", "Draw every region", self._show_all)
        self.hide_all = _tool("Hide all", "Draw no region", self._hide_all)
        self.only_this = _tool("Only this", "Draw what is selected and hide the rest", self._only)
        self.in_3d = _tool(
            "", "Show in 3-D: what is selected, or all that is ticked", self._in_3d,
            "mdi6.cube-outline",
        )  # fmt: skip
        self.save = _tool(
            "", "Export the volumes as a table (TSV or CSV)", self._export, "mdi6.table-arrow-down"
        )
        return row(self.show_all, self.hide_all, self.only_this, None, self.in_3d, self.save, gap=4)

    def _keys(self) -> None:
        for key, by in ((",", -1), (".", 1)):
            QShortcut(QKeySequence(key), self, lambda by=by: self.step(by))
        clear = QShortcut(QKeySequence(Qt.Key.Key_Escape), self.search, self.search.clear)
        clear.setContext(Qt.ShortcutContext.WidgetShortcut)

    # -- showing ----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the segmentations that are on the stage, and the regions of the active one."""
        self._keep_open()
        blocked = QSignalBlocker(self.tabs)
        while self.tabs.count():
            self.tabs.removeTab(0)
        for key, view in self.model.views.items():
            at = self.tabs.addTab(self.model.title(key))
            self.tabs.setTabData(at, key)
            self.tabs.setTabToolTip(at, f"{view.shown.entry.name}\n{view.shown.entry.path}")
            if key == self.model.active:
                self.tabs.setCurrentIndex(at)
        del blocked
        self.tabs.setVisible(self.tabs.count() > 0)
        self._show_tree()

    def _show_tree(self) -> None:
        view = self.model.view
        self._stack.setCurrentIndex(0 if view is None else 1)
        if view is None:
            self._items = None
            self.tree.setModel(None)
            self._say()
            self._say_empty()
            return
        self._items = RegionItems(self.model, view, self.tree)
        self.tree.show_rows(RegionOrder(self._items, self._items))
        self._find(self.search.text())
        self._choose(self._region)
        self._say()

    def _say_empty(self) -> None:
        said = NOTHING_OPEN if self.session.current is None else NOT_SEGMENTED
        self.empty.said.setText(said)

    def _say(self) -> None:
        view = self.model.view
        self.alone.setVisible(view is not None and view.isolated is not None)
        if view is None:
            self.count.setText("")
            return
        self.count.setText(f"{view.total - len(view.hidden)} of {view.total} shown")
        title = self.model.title(self.model.active)
        self.alone_said.setText(f"Of {title}, {_alone(view.root, view.isolated or ())}")

    def _figures_changed(self, key: str) -> None:
        if key == self.model.active and self._items is not None:
            self._items.refresh()
            self.tree.viewport().update()
            self._say()
            self.save.setEnabled(self.model.table() is not None)

    def _keep_open(self) -> None:
        if self._items is not None and self._items.rows is None:
            atlas = self._items.view.shown.protocol.fingerprint
            self._open[atlas] = self.tree.open_paths()

    def _find(self, text: str) -> None:
        order = self.tree.order
        if self._items is None or order is None:
            return
        self._items.find(text)
        order.invalidate()
        if self._items.rows is None:
            self.tree.open_again(self._open.get(self._items.view.shown.protocol.fingerprint))
        else:
            self.tree.expandAll()
        self.nothing_found.setVisible(order.rowCount() == 0)

    # -- what the user does -----------------------------------------------------------------

    def _search_typed(self, text: str) -> None:
        self._keep_open()
        self._find(text)

    def _tab_chosen(self, at: int) -> None:
        if at >= 0:
            self.model.activate(self.tabs.tabData(at))

    def _go_to(self, node: Node) -> None:
        if node.region is not None:
            self._region = node.region.index
            self.model.go_to(node.region.index)

    def step(self, by: int) -> None:
        """Go to the next (1) or previous (-1) of the regions that are listed."""
        order = self.tree.order
        if order is None:
            return
        found = self.model.step(order.regions(), self._region, by)
        if found is not None:
            self._choose(found)

    def _picked(self, key: str, index: int) -> None:
        if key == self.model.active:
            self._choose(index)

    def _choose(self, index: int | None) -> None:
        view = self.model.view
        leaf = _leaf(view.root, index) if view is not None else None
        if leaf is not None:
            self._region = index
            self.tree.choose(leaf)

    def _toggle(self) -> None:
        """Tick what is selected, all at once; untick it where all of it was ticked."""
        view, nodes = self.model.view, self.tree.chosen()
        if view is not None and nodes:
            drawn = all(view.drawn(node) for node in nodes)
            self.model.set_drawn(self._chosen_indices(), not drawn)

    def _chosen_indices(self) -> list[int]:
        nodes, items = self.tree.chosen(), self._items
        return [index for node in nodes for index in items.found(node)] if items else []

    def _show_all(self) -> None:
        if self.model.view is not None:
            self.model.set_drawn(self.model.view.root.indices, True)

    def _hide_all(self) -> None:
        if self.model.view is not None:
            self.model.set_drawn(self.model.view.root.indices, False)

    def _only(self) -> None:
        indices = self._chosen_indices()
        if indices:
            self.model.only(indices)
        else:
            self.session.notify("info", "Select regions first.", "Then “Only this” hides the rest.")

    def _in_3d(self) -> None:
        self.model.show_in_3d(self._chosen_indices())

    def _end_isolating(self) -> None:
        if self.model.view is not None and self.model.view.isolated is not None:
            self.model.isolate(())

    def _export(self) -> None:
        current = self.session.current
        name = f"{current.name if current else 'scan'}_volumes.tsv"
        file, _ = QFileDialog.getSaveFileName(self, "Export volumes", name, TABLES)
        if file:
            self.model.export(Path(file))

    def _menu(self, at: QPoint) -> None:
        nodes = self.tree.chosen()
        if not nodes:
            return
        indices = self._chosen_indices()
        menu = QMenu(self)
        if len(nodes) == 1 and nodes[0].region is not None:
            menu.addAction(icon("mdi6.crosshairs"), "Go there", lambda: self._go_to(nodes[0]))
        menu.addAction("Show alone, and back", lambda: self.model.isolate(indices))
        menu.addSeparator()
        menu.addAction("Show", lambda: self.model.set_drawn(indices, True))
        menu.addAction("Hide", lambda: self.model.set_drawn(indices, False))
        menu.addAction("Only this", self._only)
        menu.addSeparator()
        menu.addAction(icon("mdi6.cube-outline"), "Show in 3-D", self._in_3d)
        menu.popup(self.tree.viewport().mapToGlobal(at))

    # -- painted regions --------------------------------------------------------------------

    def _was_edited(self, key: str) -> None:
        self._edited.add(key)
        self._later.start()

    def _measure_edited(self) -> None:
        for key in self._edited:
            self.model.measure_edited(key)
        self._edited.clear()


def _tool(text: str, tip: str, clicked: object, icon_name: str = "") -> QToolButton:
    made = QToolButton()
    made.setText(text)
    made.setToolTip(tip)
    made.setAccessibleName(text or tip)
    if icon_name:
        made.setIcon(icon(icon_name))
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    made.clicked.connect(clicked)
    return made


def _leaf(root: Node, index: int | None) -> Node | None:
    return next((leaf for leaf in root.leaves if leaf.region and leaf.region.index == index), None)


def _alone(root: Node, indices: tuple[int, ...]) -> str:
    """What is shown alone, in words."""
    node = next((node for node in root.walk() if node.indices == indices), None)
    if node is None:
        return f"only {len(indices)} regions are shown."
    return f"only {node.region.name if node.region else node.name} is shown."
