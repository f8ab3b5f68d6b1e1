"""The page "Correct": choose, paint, save, teach; what was not saved is offered again."""

from __future__ import annotations

import time
from collections.abc import Callable

from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import (
    QApplication,
    QMessageBox,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from monet_app.atlas.brush_view import RegionCard, ToolCard
from monet_app.atlas.correct import CorrectModel
from monet_app.atlas.next_view import NextView
from monet_app.atlas.recovery import Recovery
from monet_app.atlas.teaching import describe, teach
from monet_app.boxes import choice_box
from monet_app.later import Later
from monet_app.widgets import EmptyState, button, card, column, label, row
from monet_app.words import when

AUTOSAVE_MS = 60_000
REFRESH_MS = 60
_ANSWERS = {
    "save": ("Save", QMessageBox.ButtonRole.AcceptRole),
    "keep": ("Keep for later", QMessageBox.ButtonRole.ActionRole),
    "discard": ("Throw away", QMessageBox.ButtonRole.DestructiveRole),
    "stay": ("Stay here", QMessageBox.ButtonRole.RejectRole),
}


class CorrectView(QWidget):
    """Four states: no scan, nothing segmented, choose what to correct, correcting."""

    def __init__(self, model: CorrectModel) -> None:
        super().__init__()
        self.model, self.session = model, model.session
        self._described: object = None
        model.ask = self._ask
        self.recoveries = column(gap=8)
        self._no_scan = EmptyState(
            "Open a scan that has a segmentation, and correct it here by hand.",
            "Go to Scans", lambda: self.session.ask_for("scans"), "mdi6.brush",
        )  # fmt: skip
        self._no_labels = EmptyState(
            "Nothing is segmented on the stage. Let a model find the regions first: correcting is "
            "faster than drawing.",
            "Segment this scan", lambda: self.session.ask_for("segment"), "mdi6.brush",
        )  # fmt: skip
        self._choose = self._choose_page()
        self._paint = self._paint_page()
        self._stack = QStackedWidget()
        for page in (self._no_scan, self._no_labels, self._choose, self._paint):
            self._stack.addWidget(page)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.recoveries)
        layout.addWidget(self._stack, 1)
        self._later = Later(self.refresh, REFRESH_MS, self)
        self._connect()
        self.refresh()

    # -- pages ------------------------------------------------------------------------------

    def _choose_page(self) -> QWidget:
        self.choice = choice_box("Segmentation to correct", "What is shown on the stage")
        self.choice.currentIndexChanged.connect(lambda _: self._show_choice())
        self.begin = button(
            "Correct a copy", lambda: self.model.begin(self.choice.currentData()),
            "A new version is painted in; the segmentation itself stays as it is",
            "mdi6.brush", primary=True,
        )  # fmt: skip
        self.go_on = button(
            "Go on with this version",
            lambda: self.model.begin(self.choice.currentData(), copy=False),
            "Paint in the corrected version itself",
        )
        self._busy = label("", "hint")
        self.next = NextView(self.session, self._protocol)
        return column(
            card(
                label("Correct a segmentation", "title"),
                self.choice,
                label("A copy becomes a version of its own. The first stays as it is.", "hint"),
                self.begin,
                self.go_on,
                self._busy,
            ),
            self.next,
            None,
        )

    def _paint_page(self) -> QWidget:
        self.name = label("", "title")
        self.state = label("", "hint")
        self.save = button(
            "Save version", self.model.save, "Write the corrected version (Ctrl+S)",
            "mdi6.content-save-outline", primary=True,
        )  # fmt: skip
        self.finish = button("Done", self.model.finish, "Put the tools away", "mdi6.check")
        self.region = RegionCard(self.model)
        self.tool = ToolCard(self.model)
        self.teach = button(
            "Add to training set and fine-tune…", self._teach,
            "Saves, adds this scan to the training set and shows Train, filled in. Nothing starts "
            "before you press Start there.",
            "mdi6.school-outline",
        )  # fmt: skip
        self.teaching = label("", "hint")
        return column(
            card(self.name, self.state, row(self.save, self.finish, None)),
            self.region,
            self.tool,
            card(label("Teach the model", "title"), self.teach, self.teaching),
            None,
        )

    def _connect(self) -> None:
        self.model.changed.connect(self._later.soon)
        self.model.keeping.changed.connect(self._fill_recoveries)
        self.session.current_changed.connect(self._later.soon)
        self.session.segmentations_changed.connect(self._forget_description)
        self.session.scans_changed.connect(self._forget_description)
        self._autosave = QTimer(self, interval=AUTOSAVE_MS)
        self._autosave.timeout.connect(self.model.autosave)
        self._autosave.start()
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.applicationStateChanged.connect(self._focus_changed)
        self._keys = [
            self._key(QKeySequence.StandardKey.Undo, self.model.undo),
            self._key("Ctrl+Shift+Z", self.model.redo),
            self._key(QKeySequence.StandardKey.Save, self.model.save),
        ]
        self._fill_recoveries()

    def _key(self, keys: QKeySequence.StandardKey | str, does: Callable[[], object]) -> QShortcut:
        made = QShortcut(QKeySequence(keys), self)
        made.setContext(Qt.ShortcutContext.WindowShortcut)
        made.activated.connect(lambda: does())
        return made

    # -- showing ----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the state that it is in."""
        correcting = self.model.shown is not None
        for key in self._keys:
            key.setEnabled(correcting)
        if correcting:
            self._show_painting()
            self._stack.setCurrentWidget(self._paint)
        elif self.session.current is None:
            self._stack.setCurrentWidget(self._no_scan)
        elif not self.model.choices and not self.model.busy:
            self._stack.setCurrentWidget(self._no_labels)
        else:
            self._fill_choices()
            self._stack.setCurrentWidget(self._choose)

    def _forget_description(self) -> None:
        self._described = None
        self._later.soon()

    def propose(self, key: str) -> None:
        """Choose a segmentation of the stage in the list."""
        self._fill_choices()
        self.choice.setCurrentIndex(max(0, self.choice.findData(key)))

    def _fill_choices(self) -> None:
        wanted = [(shown.entry.name, shown.key) for shown in self.model.choices]
        there = [(self.choice.itemText(i), self.choice.itemData(i)) for i in range(self._number)]
        if wanted != there:
            kept = self.choice.currentData()
            self.choice.clear()
            for name, key in wanted:
                self.choice.addItem(name, key)
            self.choice.setCurrentIndex(max(0, self.choice.findData(kept)))
        self._show_choice()

    @property
    def _number(self) -> int:
        return self.choice.count()

    def _show_choice(self) -> None:
        shown = self.session.shown.get(self.choice.currentData() or "")
        self.go_on.setVisible(shown is not None and shown.entry.source == "edited")
        self.begin.setEnabled(shown is not None and not self.model.busy)
        self._busy.setText(self.model.busy)
        self._busy.setVisible(bool(self.model.busy))
        self.next.refresh()

    def _show_painting(self) -> None:
        shown, study = self.model.shown, self.session.study
        if shown is None or study is None:
            return
        self.name.setText(shown.entry.name)
        self._say_state()
        self.save.setEnabled(self.model.dirty and not self.model.busy)
        self.region.refresh()
        self.tool.refresh()
        if self._described != shown.entry:
            self._described = shown.entry
            self.teaching.setText(describe(study, shown.entry))

    def _say_state(self) -> None:
        kept = ""
        if self.model.kept_at is not None:
            seconds = round(time.time() - self.model.kept_at)
            kept = f" Kept safe {seconds} s ago." if seconds < 90 else " Kept safe each minute."
        clean = "Nothing is painted yet." if self.model.fresh else "Everything is saved."
        text = self.model.busy or (f"Not saved yet.{kept}" if self.model.dirty else clean)
        kind = "warning" if self.model.dirty and not self.model.busy else "hint"
        if self.state.objectName() != kind:
            self.state.setObjectName(kind)
            self.state.style().polish(self.state)
        self.state.setText(text)

    # -- what is not saved ------------------------------------------------------------------

    def _ask(self, name: str, answer: Callable[[str], None]) -> None:
        box = QMessageBox(self)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle("Painting that is not saved")
        box.setText(f"{name} has painting that is not saved.")
        box.setInformativeText("What is kept for later is offered again on this page.")
        made: dict[QPushButton, str] = {
            box.addButton(text, role): key for key, (text, role) in _ANSWERS.items()
        }
        stay = next(each for each, key in made.items() if key == "stay")
        box.setEscapeButton(stay)
        box.setDefaultButton(next(each for each, key in made.items() if key == "save"))
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.finished.connect(lambda _: answer(made.get(box.clickedButton(), "stay")))
        self.question = box
        box.open()

    def _fill_recoveries(self) -> None:
        layout = self.recoveries.layout()
        while layout is not None and layout.count():
            item = layout.takeAt(0)
            if item is not None and item.widget() is not None:
                item.widget().deleteLater()
        for kept in self.model.keeping.found:
            if layout is not None:
                layout.addWidget(self._recovery(kept))
        self.recoveries.setVisible(bool(self.model.keeping.found))

    def _recovery(self, kept: Recovery) -> QWidget:
        restore = button(
            "Restore", lambda: self.model.restore(kept), "Open it and go on painting",
            "mdi6.restore",
        )  # fmt: skip
        away = button("Throw away", lambda: self.model.keeping.forget(kept), "It is not wanted")
        return card(
            label("Painting that was not saved", "warning"),
            label(f"{self.model.keeping.title(kept)}, {when(kept.time)}", "hint"),
            row(restore, away, None),
        )

    def _focus_changed(self, state: Qt.ApplicationState) -> None:
        if state != Qt.ApplicationState.ApplicationActive:
            self.model.autosave()

    # -- teaching ---------------------------------------------------------------------------

    def _protocol(self) -> str:
        shown = self.session.shown.get(self.choice.currentData() or "")
        return shown.entry.protocol if shown is not None else ""

    def _teach(self) -> None:
        shown = self.model.shown
        if shown is None:
            return
        if self.model.dirty or shown.entry.source != "edited":
            self.model.save(then=self._teach_saved)
        else:
            self._teach_saved()

    def _teach_saved(self) -> None:
        shown = self.model.shown
        if shown is not None:
            teach(self.session, shown.entry)
