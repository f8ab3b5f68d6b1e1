"""The Scans panel: the study's scans as a table, and what exists of the one on the stage."""

from __future__ import annotations

from qtpy.QtCore import QPoint, QSignalBlocker, Qt, QTimer, QUrl
from qtpy.QtGui import QDesktopServices, QKeySequence, QPixmap, QShortcut, QShowEvent
from qtpy.QtWidgets import (
    QComboBox,
    QFrame,
    QLineEdit,
    QMenu,
    QScrollArea,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from monet_app.icons import icon
from monet_app.later import Later
from monet_app.scans.adding import Adding
from monet_app.scans.atlas_question import AtlasQuestion
from monet_app.scans.details import Details
from monet_app.scans.model import ScansModel
from monet_app.scans.rows import FILTERS, SPLITS, summary
from monet_app.scans.segmentations import Segmentations
from monet_app.scans.view import ScanView
from monet_app.session import Session
from monet_app.widgets import GAP, EmptyState, button, column, label, row
from monet_app.words import count
from monet_core.workspace import ScanEntry, SegmentationEntry

LOOK_AROUND_MS, SAY_MS = 4000, 100
EMPTY, LOADING, TABLE, NOTHING = range(4)


class ScansPanel(QWidget):
    """Find, sort, open and add scans; say what they are for; which segmentations are shown."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.model = ScansModel(session)
        self._asked: set[int] = set()
        self._keys: list[QShortcut] = []
        self._build()
        self._connect()
        self._listed()

    # -- building ---------------------------------------------------------------------------

    def _build(self) -> None:
        self.adding = Adding(self.model, self)
        self.count = label("", "hint", wrap=False)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Find scans…")
        self.search.setToolTip("Name, subject, path, label or problem")
        self.search.setAccessibleName("Find scans")
        self.search.setClearButtonEnabled(True)
        self.filter = QComboBox()
        self.filter.setAccessibleName("Which scans are listed")
        for key, (text, _) in FILTERS.items():
            self.filter.addItem(text, key)
        self.filter.setMinimumContentsLength(9)
        self.filter.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.view = ScanView(self.model)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.adding.beginnings())
        self._stack.addWidget(EmptyState("Reading the study…", icon_name="mdi6.timer-sand"))
        self._stack.addWidget(self.view)
        self._stack.addWidget(
            EmptyState("No scan matches.", "Show all scans", self._show_all, "mdi6.filter-outline")
        )
        self.details = Details(self.model.open, lambda scan_id: self.model.read_again([scan_id]))
        self.segmentations = Segmentations(self.session, self.ask_atlas)
        self._lower = self._scrolled(self.details, self.segmentations)
        down = QSplitter(Qt.Orientation.Vertical)
        down.addWidget(column(self._stack, self._selection_bar()))
        down.addWidget(self._lower)
        down.setStretchFactor(0, 1)
        down.setSizes([430, 330])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP, GAP, GAP, GAP)
        layout.addWidget(row(label("Scans", "title", wrap=False), None, self.count))
        layout.addWidget(self.adding.buttons())
        self._finding = row(self.search, self.filter)
        layout.addWidget(self._finding)
        layout.addWidget(down, 1)
        self.setFocusProxy(self.view)

    def _scrolled(self, *parts: QWidget) -> QScrollArea:
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(column(*parts, None))
        return area

    def _selection_bar(self) -> QWidget:
        self.chosen = label("", "hint", wrap=False)
        self.split = QComboBox()
        self.split.setToolTip("What the selected scans are for")
        self.split.setAccessibleName("What the selected scans are for")
        self.split.addItem("Use for…", "?")
        for split, text in SPLITS.items():
            self.split.addItem(text, split)
        self.split.activated.connect(self._split_chosen)
        self.segment = button("Segment…", self._segment, "Let a model find their regions")
        self._bar = row(self.chosen, None, self.split, self.segment)
        return self._bar

    def _connect(self) -> None:
        self.search.textChanged.connect(self.model.find)
        self.filter.currentIndexChanged.connect(
            lambda _: self.model.filter(self.filter.currentData())
        )
        self.view.opened.connect(self.model.open)
        self.view.chosen.connect(self.session.select)
        self.view.removing.connect(self._remove)
        self.view.customContextMenuRequested.connect(self._menu)
        self.view.moved.connect(self._show_details)
        self.model.listed.connect(self._listed)
        self.model.progressed.connect(self._say)
        self.model.row_changed.connect(lambda _: self._show_details())
        self.model.row_changed.connect(Later(self._say, SAY_MS, self).soon)
        self.session.study_changed.connect(lambda _: self._asked.clear())
        self.session.selection_changed.connect(self._selection_changed)
        self.session.current_changed.connect(self._current_changed)
        timer = QTimer(self, interval=LOOK_AROUND_MS)
        timer.timeout.connect(self._look_around)
        timer.start()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """N and Shift+N go through the scans from now on, whichever panel is shown."""
        super().showEvent(event)
        for keys, by in (("N", 1), ("Shift+N", -1)) if not self._keys else ():
            made = QShortcut(QKeySequence(keys), self.window(), lambda by=by: self.model.step(by))
            self.destroyed.connect(made.deleteLater)
            self._keys.append(made)

    # -- showing ----------------------------------------------------------------------------

    def _listed(self) -> None:
        current = self.view.current_id
        on_stage = self.session.current.id if self.session.current else None
        self.view.choose(self.session.selected, current if current is not None else on_stage)
        self._say()
        self._show_details()

    def _say(self) -> None:
        model = self.model
        if model.loading or (model.adding and not model.rows):
            self._stack.setCurrentIndex(LOADING)
        elif not model.rows:
            self._stack.setCurrentIndex(EMPTY)
        else:
            self._stack.setCurrentIndex(TABLE if model.shown else NOTHING)
        said = summary(list(model.rows.values()), len(model.shown)) if model.rows else ""
        if model.adding:
            said = "Adding scans…"
        elif model.to_inspect:
            said = f"{said} · reading {model.to_inspect}"
        self.count.setText(said)
        for part in (self._finding, self._bar, self._lower):
            part.setVisible(bool(model.rows))
        chosen = len(self.session.selected)
        self.chosen.setText(f"{chosen} selected" if chosen else "")
        self.split.setEnabled(chosen > 0)
        self.segment.setEnabled(chosen > 0)

    def _show_details(self) -> None:
        current = self.session.current
        scan_id = self.view.current_id or (current.id if current else None)
        shown = self.model.rows.get(scan_id) if scan_id is not None else None
        in_table = shown is None or self.view.wide
        picture = QPixmap() if in_table else self.view.table.picture(shown)
        self.details.show_row(shown, picture)

    def _selection_changed(self) -> None:
        if set(self.view.chosen_ids()) != set(self.session.selected):
            self.view.choose(self.session.selected)
        self._say()

    def _current_changed(self, entry: ScanEntry | None) -> None:
        self.view.set_current_scan(entry.id if entry is not None else None)
        if entry is not None and self.view.current_id != entry.id:
            self.view.choose([entry.id], entry.id)
            self.session.select([entry.id])
        self._show_details()
        if entry is not None and self.session.study is not None and self.isVisible():
            self.session.run(
                self.session.study.segmentations, entry.id,
                done=lambda found: self._ask_unknown(entry, found), key="unknown atlas",
            )  # fmt: skip

    def _ask_unknown(self, entry: ScanEntry, found: list[SegmentationEntry]) -> None:
        """Ask for the atlas of the newest labels that have none, once for each scan."""
        unknown = [each for each in found if not each.protocol and each.source != "preview"]
        current = self.session.current
        still = current is not None and current.id == entry.id
        if unknown and still and entry.id not in self._asked:
            self._asked.add(entry.id)
            self.ask_atlas(unknown[-1])

    # -- what the user does -----------------------------------------------------------------

    def ask_atlas(self, entry: SegmentationEntry) -> None:
        """Ask which atlas labels are of, unless that is being asked."""
        if any(each.isVisible() for each in self.findChildren(AtlasQuestion)):
            return
        AtlasQuestion(self.session, entry, self).open()

    def _show_all(self) -> None:
        self.search.clear()
        self.filter.setCurrentIndex(0)

    def _split_chosen(self, at: int) -> None:
        split = self.split.itemData(at)
        with QSignalBlocker(self.split):
            self.split.setCurrentIndex(0)
        if split != "?":
            self.model.set_split(self.session.selected, split)

    def _segment(self) -> None:
        self.session.ask_for("segment")

    def _remove(self) -> None:
        ids = self.view.chosen_ids()
        if ids:
            self.model.remove(ids)
            self.session.notify(
                "info", f"{count(len(ids), 'scan')} taken out of the study.",
                "No file was deleted; add them again to have them back.",
            )  # fmt: skip

    def _menu(self, at: QPoint) -> None:
        ids = self.view.chosen_ids()
        if ids:
            self.menu(ids).popup(self.view.viewport().mapToGlobal(at))

    def menu(self, ids: list[int]) -> QMenu:
        """What can be done with scans."""
        first = self.model.rows[ids[0]]
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        opened = menu.addAction(icon("mdi6.eye-outline"), "Open", lambda: self.model.open(ids[0]))
        opened.setEnabled(len(ids) == 1)
        menu.addAction(icon("mdi6.brain"), "Segment…", self._segment)
        use_for = menu.addMenu("Use for")
        for split, text in SPLITS.items():
            use_for.addAction(text, lambda split=split: self.model.set_split(ids, split))
        atlas = menu.addAction("Choose atlas of labels…", lambda: self._ask_atlas_of(ids[0]))
        atlas.setEnabled(len(ids) == 1 and bool(first.labels))
        menu.addAction(icon("mdi6.refresh"), "Read again", lambda: self.model.read_again(ids))
        menu.addSeparator()
        menu.addAction(icon("mdi6.folder-outline"), "Show in folder", lambda: self._reveal(ids[0]))
        menu.addAction(
            icon("mdi6.close"), "Remove from the study (no file is deleted)", self._remove
        )
        return menu

    def _ask_atlas_of(self, scan_id: int) -> None:
        labels = self.model.rows[scan_id].labels
        unknown = self.model.rows[scan_id].unknown
        self.ask_atlas((unknown or labels)[-1])

    def _reveal(self, scan_id: int) -> None:
        folder = self.model.rows[scan_id].entry.path.parent
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def _look_around(self) -> None:
        if self.isVisible():
            self.view.look()
            self.model.look_around()
