"""What came of comparing one scan: a line per pair, the table of regions, notes, exports."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QModelIndex, Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHeaderView,
    QLineEdit,
    QMenu,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from monet_app.compare.exporting import Exporting
from monet_app.compare.model import CompareModel
from monet_app.compare.result import note_lines, summary_lines
from monet_app.compare.table import (
    ASSD,
    DICE,
    HD95,
    PAIR,
    REGION,
    ROW,
    VOLUMES,
    RegionFilter,
    RegionRows,
)
from monet_app.fold import Fold
from monet_app.icons import icon
from monet_app.widgets import NamesFirst, button, column, label, row
from monet_app.words import count
from monet_core.evaluation import Place

EXPORTS = {
    "Table (TSV)…": ("tsv", "Tables (*.tsv)"),
    "Picture (PNG)…": ("png", "Pictures (*.png)"),
    "Report (PDF)…": ("pdf", "PDF (*.pdf)"),
}


WIDTHS = {PAIR: 110, DICE: 44, HD95: 46, ASSD: 46, VOLUMES: 88}
"""In pixels, so that the region's name has what is left of a narrow panel."""


class ResultsView(QWidget):
    """The result of a `CompareModel`; a click on a row goes to where the two differ most."""

    def __init__(self, model: CompareModel, exporting: Exporting) -> None:
        super().__init__()
        self.model, self.exporting = model, exporting
        self.rows = RegionRows()
        self.filtered = RegionFilter(self.rows)
        self._shown: object = None
        self._summary = label("")
        self._place = label("", "hint")
        self._notes = label("", "hint")
        self.notes = Fold("Notes", self._notes, "What was left out, and what was done to the data")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        for part in (self._summary, self._toggles(), self._filters()):
            layout.addWidget(part)
        layout.addWidget(self._table(), 1)
        for part in (self._place_line(), self.notes, row(self._export_button(), None)):
            layout.addWidget(part)
        model.result_changed.connect(self.refresh)
        model.place_changed.connect(self._show_place)
        self.refresh()

    # -- building ---------------------------------------------------------------------------

    def _toggles(self) -> QWidget:
        views = self.model.views
        self.side_by_side = QCheckBox("Side by side")
        self.side_by_side.setToolTip(
            "A column per segmentation, linked, in place of the usual views"
        )
        self.side_by_side.setChecked(views.side_by_side)
        self.side_by_side.toggled.connect(views.set_side_by_side)
        self.difference = QCheckBox("Show differences")
        self.difference.setToolTip("Where they differ, over the scan: the brighter, the more pairs")
        self.difference.setChecked(views.difference)
        self.difference.toggled.connect(views.set_difference)
        return row(self.side_by_side, self.difference, None)

    def _filters(self) -> QWidget:
        self.words = QLineEdit()
        self.words.setPlaceholderText("Find regions…")
        self.words.setAccessibleName("Find regions")
        self.words.setClearButtonEnabled(True)
        self.words.textChanged.connect(self.filtered.set_words)
        self.pair = QComboBox()
        self.pair.setAccessibleName("Pair")
        self.pair.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.pair.activated.connect(lambda at: self._choose_pair(self.pair.itemData(at)))
        return column(self.words, self.pair)

    def _table(self) -> QTableView:
        table = QTableView()
        table.setModel(self.filtered)
        table.setAccessibleName("Regions, worst first")
        table.setSortingEnabled(True)
        table.sortByColumn(DICE, Qt.SortOrder.AscendingOrder)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setAlternatingRowColors(True)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setMinimumHeight(180)
        table.setTabKeyNavigation(False)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(24)
        header = table.horizontalHeader()
        header.setMinimumSectionSize(36)
        for section, width in WIDTHS.items():
            header.resizeSection(section, width)
        header.setSectionResizeMode(REGION, QHeaderView.ResizeMode.Stretch)
        table.clicked.connect(self._look_at)
        table.activated.connect(self._look_at)
        table.selectionModel().currentRowChanged.connect(self._moved)
        NamesFirst(table, {c: WIDTHS[c] for c in (ASSD, HD95)}, WIDTHS[DICE] + WIDTHS[VOLUMES])
        self.table = table
        return table

    def _place_line(self) -> QWidget:
        self.all_regions = button("All regions", self.model.all_regions, "End showing one alone")
        self.all_regions.hide()
        self._place.setSizePolicy(self._notes.sizePolicy())
        made = row(self._place, self.all_regions)
        made.layout().setStretch(0, 1)  # type: ignore[union-attr]
        return made

    def _export_button(self) -> QToolButton:
        made = QToolButton()
        made.setText("Export")
        made.setIcon(icon("mdi6.export-variant"))
        made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        made.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        made.setToolTip("Table, picture or report of this comparison")
        menu = QMenu(made)
        for text, (suffix, kinds) in EXPORTS.items():
            menu.addAction(text, lambda suffix=suffix, kinds=kinds: self._export(suffix, kinds))
        made.setMenu(menu)
        self.export = made
        return made

    # -- what is shown ----------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the result as it is now."""
        result = self.model.result
        self.setVisible(result is not None)
        if result is self._shown:
            return
        self._shown = result
        looked_at = self._current_key()
        self.rows.set_result(result)
        self._select(looked_at)
        if result is None:
            return
        self._summary.setText("\n".join(summary_lines(result)))
        notes = note_lines(result)
        self._notes.setText("\n".join(f"• {line}" for line in notes))
        self.notes.set_text(count(len(notes), "note"))
        self.notes.setVisible(bool(notes))
        self._fill_pairs(result.pairs)
        self._show_place()

    def _fill_pairs(self, pairs: list[tuple[str, str]]) -> None:
        texts = [f"{a} – {b}" for a, b in pairs]
        if texts != [self.pair.itemData(at) for at in range(1, self.pair.count())]:
            self.pair.clear()
            self.pair.addItem("All pairs", "")
            for text in texts:
                self.pair.addItem(text, text)
            self._choose_pair("")
        self.pair.setVisible(len(texts) > 1)

    def _choose_pair(self, pair: str) -> None:
        self.filtered.set_pair(pair)
        one = bool(pair) or self.pair.count() <= 2
        self.table.setColumnHidden(PAIR, one)
        header, modes = self.table.horizontalHeader(), QHeaderView.ResizeMode
        header.setSectionResizeMode(REGION, modes.Stretch if one else modes.Interactive)
        if not one:
            header.resizeSection(REGION, WIDTHS[PAIR])

    def _show_place(self) -> None:
        place, index, result = self.model.place, self.model.looking_at, self.model.result
        self.all_regions.setVisible(index is not None)
        if index is None or result is None:
            self._place.setText("Click a region to go to where it differs most.")
        else:
            self._place.setText(f"{result.target.region(index).name}: {self._place_words(place)}")

    def _place_words(self, place: Place | None) -> str:
        if place is not None:
            return f"the largest piece that differs has {place.volume_ml:.2f} ml"
        return "looking…" if self.model.searching else "no voxel differs"

    # -- what is done -----------------------------------------------------------------------

    def _moved(self, current: QModelIndex, _: QModelIndex) -> None:
        """Arrow keys go from region to region; a click is told by the table itself."""
        if current.isValid() and self.table.hasFocus() and not QApplication.mouseButtons().value:
            self._look_at(current)

    def _look_at(self, index: QModelIndex) -> None:
        if index.isValid():
            self.model.look_at(int(index.data(ROW)))

    def _current_key(self) -> tuple[str, str] | None:
        index = self.table.currentIndex() if hasattr(self, "table") else QModelIndex()
        if not index.isValid():
            return None
        at = self.filtered.index
        return at(index.row(), REGION).data(), at(index.row(), PAIR).data()

    def _select(self, key: tuple[str, str] | None) -> None:
        """Select a row again without going there."""
        if key is None:
            return
        for number in range(self.filtered.rowCount()):
            at = self.filtered.index
            if (at(number, REGION).data(), at(number, PAIR).data()) == key:
                selection = self.table.selectionModel()
                selection.blockSignals(True)
                self.table.selectRow(number)
                selection.blockSignals(False)
                self.table.viewport().update()

    def _export(self, suffix: str, kinds: str) -> None:
        proposed = str(self.exporting.proposed(suffix))
        file, _ = QFileDialog.getSaveFileName(self, "Export the comparison", proposed, kinds)
        if file:
            self.exporting.export(Path(file), suffix)
