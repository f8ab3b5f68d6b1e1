"""The rating pane: what is shown, how it is rated, what is unusual about it."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from monet_app.review.flags import Flag
from monet_app.review.model import GRADES, TAGS, Kept, ReviewModel, left_words, rated_words
from monet_app.widgets import button, card, column, label, row
from monet_app.words import count
from monet_core.workspace import Grade

_KEYS: dict[Grade, str] = {"pass": "P", "fail": "F", "edit": "E"}
_ICONS: dict[Grade, str] = {
    "pass": "mdi6.check",
    "fail": "mdi6.close",
    "edit": "mdi6.pencil-outline",
}
MOST_FLAGS = 40
MOST_ROWS = 6


class RatingView(QWidget):
    """Everything a rater needs beside the picture."""

    def __init__(self, model: ReviewModel) -> None:
        super().__init__()
        self.model = model
        self._name = label("", "title")
        self._left = label("", "hint", wrap=False)
        self._time = label("", "hint", wrap=False)
        self._reason = label("", "hint")
        self._problem = label("", "warning")
        self.again = button("Show it again", model.back_to_item)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(6)
        self.grades = {grade: self._grade_button(grade, text) for grade, text in GRADES.items()}
        self.tags = {tag: self._tag_box(number, tag) for number, tag in enumerate(TAGS, start=1)}
        self.note = QLineEdit()
        self.note.setPlaceholderText("Note (T to type, Enter to go on)")
        self.note.setAccessibleName("Note")
        self.note.textEdited.connect(lambda text: model.set_draft(note=text))
        self.note.returnPressed.connect(self._leave_note)
        self._saved = label("", "good")
        self.correct = button("Correct it…", model.correct, "Open it in the atlas workshop",
                              "mdi6.brush-outline")  # fmt: skip
        self._flag_title = label("", "hint")
        self.flags = QListWidget()
        self.flags.setAccessibleName("Unusual regions")
        self.flags.setToolTip("Click or Enter: go there")
        self.flags.setWordWrap(True)
        self.flags.itemClicked.connect(self._go_to)
        self.flags.itemActivated.connect(self._go_to)
        self.uncertainty = QCheckBox("Show where the model was unsure (U)")
        self.uncertainty.toggled.connect(model.views.set_uncertainty)
        self._statistics = label("", "hint")
        self._build()
        model.rated.connect(self._show_saved)

    def _build(self) -> None:
        self.rate = card(row(*self.grades.values()), column(*self.tags.values(), gap=2), self.note)
        self.previous = button("Previous", self.model.previous, "Shift+N", "mdi6.chevron-left")
        self.next = button("Next", self.model.next, "N", "mdi6.chevron-right")
        saved = row(self._saved, self.correct)
        saved.layout().setStretch(0, 1)  # type: ignore[union-attr]
        parts = (
            row(self._name, None, self._left), self.bar, self._reason, self._problem, self.again,
            self.rate, row(self._time, None, self.previous, self.next),
            saved, self._flag_title, self.flags, self.uncertainty,
            self._statistics,
            row(button("Export ratings…", self._export, "", "mdi6.export-variant"), None,
                button("End review", self.model.stop, "Everything rated is kept")),
        )  # fmt: skip
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in parts:
            layout.addWidget(part)
        layout.addStretch(1)

    def _grade_button(self, grade: Grade, text: str) -> QPushButton:
        made = button(f"{text} ({_KEYS[grade]})", lambda: self.model.rate(grade), "",
                      _ICONS[grade])  # fmt: skip
        made.setCheckable(True)
        made.setAccessibleName(text)
        return made

    def _tag_box(self, number: int, tag: str) -> QCheckBox:
        made = QCheckBox(f"{number}  {tag}")
        made.setAccessibleName(tag)
        made.clicked.connect(lambda _: self._tags_changed())
        return made

    # -- what is shown ----------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the item as it is now."""
        model, item = self.model, self.model.item
        self._name.setText("Done" if item is None else item.name)
        self._left.setText(left_words(model))
        self.bar.setRange(0, max(1, len(model.items)))
        self.bar.setValue(model.n_rated)
        self._show(self._reason, "" if item is None or self.model.flags else item.reason)
        self._show(self._problem, model.problem)
        self.again.setVisible(bool(model.problem) and not model.ready)
        self.rate.setVisible(item is not None)
        self.next.setVisible(item is not None)
        self._show_rating()
        self._statistics.setText(model.statistics)
        self.uncertainty.setVisible(model.views.has_uncertainty or self.uncertainty.isChecked())
        self.tick()

    def refresh_flags(self) -> None:
        """Show the unusual regions of the item."""
        flags = self.model.flags
        self.flags.clear()
        for flag in flags[:MOST_FLAGS]:
            made = QListWidgetItem(f"{flag.name}\n{flag.text}, {flag.reason}")
            made.setData(Qt.ItemDataRole.UserRole, flag)
            self.flags.addItem(made)
        self.flags.setVisible(bool(flags))
        rows = min(len(flags), MOST_ROWS)
        self.flags.setFixedHeight(rows * self.flags.sizeHintForRow(0) + 2 * self.flags.frameWidth())
        self._flag_title.setText(self._flag_words(len(flags)))
        self._flag_title.setVisible(self.model.item is not None)

    def tick(self) -> None:
        """The time since the item was shown."""
        seconds = int(self.model.seconds)
        if self.model.item is None:
            self._time.setText("")
        elif not self.model.ready:
            self._time.setText("" if self.model.problem else "Opening…")
        else:
            self._time.setText(f"seen {seconds // 60}:{seconds % 60:02d}")

    def _flag_words(self, flags: int) -> str:
        if self.model.looking:
            return "Looking at the volumes…"
        if self.model.findings is None:
            return "The volumes were not looked at."
        return count(flags, "unusual region") if flags else "No region is of unusual size."

    def _show_rating(self) -> None:
        item, draft = self.model.item, self.model.draft
        rated = self.model.ratings.get(item.segmentation.id) if item is not None else None
        for grade, made in self.grades.items():
            made.setEnabled(self.model.ready)
            made.setChecked(self.model.ready and rated is not None and rated.grade == grade)
        for tag, box in self.tags.items():
            box.setChecked(tag in draft.tags)
        if self.note.text() != draft.note:
            self.note.setText(draft.note)
        kept = self.model.kept
        self._show(self._saved, rated_words(kept) if kept else "")
        self.correct.setVisible(kept is not None and kept.rating.grade == "edit")

    def _show_saved(self, kept: Kept) -> None:
        self._show(self._saved, rated_words(kept))

    def _show(self, where: QWidget, text: str) -> None:
        where.setText(text)  # type: ignore[attr-defined]
        where.setVisible(bool(text))

    # -- what is done -----------------------------------------------------------------------

    def toggle_tag(self, number: int) -> None:
        """Tick or untick the tag of a number from 1."""
        box = list(self.tags.values())[number - 1]
        box.setChecked(not box.isChecked())
        self._tags_changed()

    def write_note(self) -> None:
        """The keyboard goes to the note."""
        self.note.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _leave_note(self) -> None:
        self.model.set_draft(note=self.note.text())
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def _tags_changed(self) -> None:
        self.model.set_draft(tags=[tag for tag, box in self.tags.items() if box.isChecked()])

    def _go_to(self, item: QListWidgetItem) -> None:
        flag = item.data(Qt.ItemDataRole.UserRole)
        if isinstance(flag, Flag):
            self.model.go_to_flag(flag)

    def _export(self) -> None:
        study = self.model.study
        folder = study.folder if study is not None else Path.home()
        file, _ = QFileDialog.getSaveFileName(
            self, "Export the ratings", str(folder / "ratings.tsv"), "Tables (*.tsv)"
        )
        if file:
            self.model.export(Path(file))
