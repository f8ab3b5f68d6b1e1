"""The page "Atlases": which there are, import and export, and the table of regions."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from qtpy.QtCore import QModelIndex, QSignalBlocker, QSortFilterProxyModel, Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QAbstractItemView,
    QColorDialog,
    QFileDialog,
    QHeaderView,
    QLineEdit,
    QMenu,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from monet_app.atlas.choosing import ChoiceDelegate
from monet_app.atlas.editing import recoloured
from monet_app.atlas.library import LibraryModel
from monet_app.atlas.region_table import INDEX, NAME, PAIR, SIDE, RegionTable
from monet_app.boxes import choice_box
from monet_app.icons import icon
from monet_app.widgets import button, label, row

TABLES = (
    "Label tables (*.tsv *.csv *.txt *.label *.lut *.ctbl *.xml);;"
    "Label maps (*.nii *.nii.gz *.mgz);;All files (*)"
)
EXPORTS = (
    ("BIDS table (dseg.tsv)…", "_dseg.tsv", "BIDS tables (*.tsv)"),
    ("FreeSurfer colour table…", "_lut.txt", "FreeSurfer colour tables (*.txt)"),
    ("ITK-SNAP labels…", ".label", "ITK-SNAP label files (*.label)"),
    ("3D Slicer colours…", ".ctbl", "3D Slicer colour tables (*.ctbl)"),
)
SHIPPED = "This atlas ships with the program and stays as it is. Make a copy to change it."


class LibraryView(QWidget):
    """List, buttons, table; a problem stands above the table in words."""

    def __init__(self, model: LibraryModel) -> None:
        super().__init__()
        self.model = model
        self.list = choice_box("Atlas", "The atlases that ship, then the study's own")
        self.list.currentIndexChanged.connect(self._choose)
        self.import_ = QPushButton("Import")
        self.export = QPushButton("Export")
        self.copy = button(
            "Copy to change", model.copy, "A copy in this study", "mdi6.content-copy"
        )
        for made, picture, tip in (
            (self.import_, "mdi6.import", "A label table of any program, or label maps"),
            (self.export, "mdi6.export", "For other programs"),
        ):
            made.setIcon(icon(picture))
            made.setToolTip(tip)
            made.setAccessibleName(made.text())
            made.setMenu(QMenu(made))
        self.import_.menu().aboutToShow.connect(self._fill_imports)
        for text, ending, kinds in EXPORTS:
            self.export.menu().addAction(text, partial(self._export, ending, kinds))
        self.said = label("", "hint")
        self.error = label("", "error")
        self.notes = label("", "hint")
        self.search = QLineEdit()
        self.search.setPlaceholderText("Find a region…")
        self.search.setClearButtonEnabled(True)
        self.search.setAccessibleName("Find a region")
        self.table = RegionTable(model, self)
        self.view = self._table_view()
        self.save = button(
            "Save changes", model.save, "", "mdi6.content-save-outline", primary=True
        )
        self.undo = button("Undo", model.undo, "Take the last change back", "mdi6.undo")
        self.redo = button("Redo", model.redo, "Make it again", "mdi6.redo")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        for part in (
            self.list, row(self.import_, self.export, None), self.said, self.copy, self.error,
            self.notes, self.search,
        ):  # fmt: skip
            layout.addWidget(part)
        layout.addWidget(self.view, 1)
        self._changing = row(self.save, self.undo, self.redo, None)
        layout.addWidget(self._changing)
        model.entries_changed.connect(self._fill)
        model.atlas_changed.connect(self.refresh)
        self._fill()
        self.refresh()

    def _table_view(self) -> QTableView:
        proxy = QSortFilterProxyModel(self)
        proxy.setSourceModel(self.table)
        proxy.setFilterKeyColumn(NAME)
        proxy.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.search.textChanged.connect(proxy.setFilterFixedString)
        self.proxy = proxy
        view = QTableView()
        view.setModel(proxy)
        view.setAccessibleName("Regions of the atlas")
        view.verticalHeader().hide()
        view.setShowGrid(False)
        view.setAlternatingRowColors(True)
        view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        view.verticalHeader().setDefaultSectionSize(26)
        header = view.horizontalHeader()
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        for column, width in ((INDEX, 62), (SIDE, 44), (PAIR, 52)):
            header.resizeSection(column, width)
        for column in (SIDE, PAIR):
            view.setItemDelegateForColumn(column, ChoiceDelegate(view))
        view.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        view.activated.connect(self._recolour)
        view.doubleClicked.connect(self._recolour)
        return view

    def refresh(self) -> None:
        """Show the chosen atlas as it is now."""
        model = self.model
        self.table.refresh()
        self.error.setText(model.error)
        self.error.setVisible(bool(model.error))
        self.notes.setText("\n".join(f"• {note.message}" for note in model.notes))
        self.notes.setVisible(bool(model.notes))
        self.said.setText("" if model.own or model.atlas is None else SHIPPED)
        self.said.setVisible(bool(self.said.text()))
        self.copy.setVisible(not model.own)
        self.export.setEnabled(model.atlas is not None)
        self.view.setVisible(model.atlas is not None)
        self.search.setVisible(model.atlas is not None)
        self._changing.setVisible(model.own and model.atlas is not None)
        self.save.setEnabled(model.changed)
        self.undo.setEnabled(model.changed)
        self.redo.setEnabled(model.can_redo)
        with QSignalBlocker(self.list):
            self.list.setCurrentIndex(self.list.findData(model.chosen))

    def _fill(self) -> None:
        with QSignalBlocker(self.list):
            self.list.clear()
            for entry in self.model.entries:
                title = f"{entry.title}, own" if entry.own else entry.title
                self.list.addItem(title if not entry.problem else f"{title}: cannot be read")
                place = self.list.count() - 1
                self.list.setItemData(place, entry.key)
                if entry.problem:
                    self.list.setItemIcon(place, icon("mdi6.alert-outline", "warning"))
            self.list.setCurrentIndex(self.list.findData(self.model.chosen))

    def _choose(self, place: int) -> None:
        if place >= 0:
            self.model.choose(self.list.itemData(place))

    def _fill_imports(self) -> None:
        menu = self.import_.menu()
        menu.clear()
        menu.addAction("From a label table or label map…", self._import)
        unknown = self.model.unknown_maps
        text = "From segmentations whose atlas is not known"
        action = menu.addAction(f"{text} ({len(unknown)})" if unknown else text)
        action.triggered.connect(lambda: self.model.import_maps(unknown))
        action.setEnabled(bool(unknown))

    def _import(self) -> None:
        file, _ = QFileDialog.getOpenFileName(self, "Import an atlas", "", TABLES)
        if file:
            self.model.import_file(Path(file))

    def _export(self, ending: str, kinds: str) -> None:
        atlas = self.model.atlas
        if atlas is None:
            return
        file, _ = QFileDialog.getSaveFileName(self, "Export", f"{atlas.name}{ending}", kinds)
        if file:
            self.model.export(Path(file))

    def _recolour(self, index: QModelIndex) -> None:
        if index.column() != INDEX or not self.model.own:
            return
        region = self.table.region(self.proxy.mapToSource(index))
        color = QColorDialog.getColor(QColor(region.color), self, f"Colour of {region.name}")
        if color.isValid():
            self.model.change(lambda atlas: recoloured(atlas, region.index, color.name()))
