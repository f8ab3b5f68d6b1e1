"""The page "Mapping": two atlases, and which region is which."""

from __future__ import annotations

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtGui import QHideEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHeaderView,
    QLineEdit,
    QProgressBar,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from monet_app.atlas.choosing import ChoiceDelegate
from monet_app.atlas.mapping import MappingModel
from monet_app.atlas.mapping_table import SOURCE, SURE, TARGET, MappingFilter, MappingTable
from monet_app.atlases import atlas_words
from monet_app.boxes import choice_box
from monet_app.centre import Centre
from monet_app.widgets import EmptyState, button, label, row
from monet_app.words import count

SURE_ENOUGH = 0.8
LABEL = 36


class MappingView(QWidget):
    """From and To, the rows, and what to do with all of them."""

    def __init__(self, model: MappingModel) -> None:
        super().__init__()
        self.model = model
        self.source = choice_box("From", "The atlas whose regions are mapped")
        self.target = choice_box("To", "The atlas that they are mapped to")
        self.suggest = button(
            "Suggest", self._suggest,
            "Compare names, and places in scans that have both atlases", "mdi6.lightbulb-outline",
            primary=True,
        )  # fmt: skip
        self.summary = label("", "hint")
        self.error = label("", "error")
        self.busy = QProgressBar()
        self.busy.setRange(0, 0)
        self.busy.setTextVisible(False)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Find a region…")
        self.search.setAccessibleName("Find a region")
        self.search.setClearButtonEnabled(True)
        self.only_open = QCheckBox("Only open ones")
        self.only_open.setToolTip("Leave out what is decided")
        self.table = MappingTable(model, self)
        self.proxy = MappingFilter(self.table, self)
        self.search.textChanged.connect(self.proxy.set_words)
        self.only_open.toggled.connect(self.proxy.set_only_open)
        self.view = self._table_view()
        self.accept_sure = button(
            "Accept sure ones", lambda: model.accept_all(SURE_ENOUGH),
            f"All suggestions of {100 * SURE_ENOUGH:.0f} % and more", "mdi6.check",
        )  # fmt: skip
        self.accept_all = button("Accept all", model.accept_all, "All suggestions as they are",
                                 "mdi6.check-all")  # fmt: skip
        self.clear = button("Clear all", model.clear_all, "Begin anew", "mdi6.eraser")
        self.save = button(
            "Save mapping", model.save,
            "Every conversion, comparison and training of this study then uses it",
            "mdi6.content-save-outline", primary=True,
        )  # fmt: skip
        self._centre = Centre(model.session)
        self._large_view: QTableView | None = None
        self.large = button("Larger", self._toggle_large, "The table in place of the views",
                            "mdi6.arrow-expand")  # fmt: skip
        self.empty = EmptyState(
            "Choose two atlases: regions that have like names, or lie in the same place, are then "
            "suggested. You decide.", icon_name="mdi6.map-marker-path",
        )  # fmt: skip
        self._rows = [self.summary, row(self.search, self.only_open), self.view]
        self._buttons = [
            row(self.accept_sure, self.accept_all, None),
            row(self.save, self.clear, self.large, None),
        ]
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        for word, box in (("From", self.source), ("To", self.target)):
            said = label(word, wrap=False)
            said.setFixedWidth(LABEL)
            layout.addWidget(row(said, box))
        for part in (self.suggest, self.busy, self.error, *self._rows, *self._buttons):
            layout.addWidget(part, 1 if part is self.view else 0)
        layout.addWidget(self.empty, 1)
        for box in (self.source, self.target):
            box.currentIndexChanged.connect(lambda _: self._chosen())
        model.changed.connect(self.refresh)
        self.fill()

    def _table_view(self) -> QTableView:
        view = QTableView()
        view.setModel(self.proxy)
        view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        view.setWordWrap(False)
        view.setAccessibleName("Which region is which")
        view.verticalHeader().hide()
        view.verticalHeader().setDefaultSectionSize(26)
        view.setShowGrid(False)
        view.setAlternatingRowColors(True)
        view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        header = view.horizontalHeader()
        for column in (SOURCE, TARGET):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        header.resizeSection(SURE, 52)
        header.setSectionResizeMode(SURE, QHeaderView.ResizeMode.Fixed)
        view.setItemDelegateForColumn(TARGET, ChoiceDelegate(view))
        view.setEditTriggers(QAbstractItemView.EditTrigger.AllEditTriggers)
        return view

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 - Qt's name
        """The views come back with another page."""
        super().hideEvent(event)
        self._centre.hide()

    def _toggle_large(self) -> None:
        if self._centre.shown:
            self._centre.hide()
            return
        if self._large_view is None:
            self._large_view = self._table_view()
        self._centre.show(self._large_view, "Which region is which")

    def fill(self) -> None:
        """List the atlases that there are now; the choice stays."""
        for box, first in ((self.source, "malc"), (self.target, "first")):
            kept = box.currentData() or first
            with QSignalBlocker(box):
                box.clear()
                for key in self.model.atlases:
                    box.addItem(atlas_words(key), key)
                box.setCurrentIndex(max(0, box.findData(kept)))
        self.refresh()

    def propose(self, source: str) -> None:
        """Map this atlas next."""
        place = self.source.findData(source)
        if place >= 0:
            self.source.setCurrentIndex(place)

    def refresh(self) -> None:
        """Show the rows as they are now."""
        model = self.model
        self.table.refresh()
        self.error.setText(model.error)
        self.error.setVisible(bool(model.error))
        self.busy.setVisible(bool(model.busy))
        self.busy.setToolTip(model.busy)
        scans = f" Places of {count(model.scans, 'scan')} were compared." if model.scans else ""
        self.summary.setText(model.summary + scans)
        there = bool(model.rows)
        for part in (*self._rows, *self._buttons):
            part.setVisible(there)
        self.empty.setVisible(not there and not model.busy)
        self.suggest.setVisible(not there)
        self.suggest.setEnabled(not model.busy)
        self.save.setEnabled(model.unsaved and model.mapped > 0)

    def _suggest(self) -> None:
        self.model.choose(self.source.currentData(), self.target.currentData())

    def _chosen(self) -> None:
        """Another pair: what was decided is saved, and the rows go."""
        self.model.leave()
