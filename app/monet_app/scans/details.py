"""Below the table: what is known of one scan, what is wrong with it, and what to do."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtGui import QPixmap
from qtpy.QtWidgets import QFrame, QLabel, QVBoxLayout

from monet_app.scans.rows import Row, State, grid_text
from monet_app.widgets import GAP, button, label, row

KINDS = {State.PROBLEM: "error", State.QUESTION: "warning", State.WARNING: "warning"}


class Details(QFrame):
    """One scan: its picture, file, grid, and its trouble in words with the button that helps."""

    def __init__(self, open_scan: Callable[[int], None], read_again: Callable[[int], None]) -> None:
        super().__init__()
        self.setObjectName("card")
        self._row: Row | None = None
        self.picture = QLabel()
        self.picture.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.picture.setAccessibleName("Axial, coronal and sagittal slice")
        self.name = label("", "title")
        self.file = label("", "hint")
        self.trouble = label("")
        self.answer = button("Answer…", lambda: self._row and open_scan(self._row.entry.id))
        self.again = button("Read it again", lambda: self._row and read_again(self._row.entry.id))
        self._buttons = row(self.answer, self.again, None)
        self.mended = label("", "hint")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP, GAP, GAP, GAP)
        layout.setSpacing(4)
        for part in (self.picture, self.name, self.file, self.trouble, self._buttons, self.mended):
            layout.addWidget(part)
        self.show_row(None, QPixmap())

    def show_row(self, shown: Row | None, picture: QPixmap) -> None:
        """Tell of another scan; None: of none."""
        self._row = shown
        self.setVisible(shown is not None)
        if shown is None:
            return
        entry, state = shown.entry, shown.state
        self.picture.setVisible(not picture.isNull())
        self.picture.setPixmap(picture)
        self.name.setText(entry.name)
        grid = " · ".join(part for part in (grid_text(entry), entry.orientation) if part)
        self.file.setText("\n".join(part for part in (grid, _breakable(str(entry.path))) if part))
        self._say(shown.trouble, KINDS.get(state, ""))
        self.answer.setVisible(state is State.QUESTION)
        self.again.setVisible(state is State.PROBLEM)
        self._buttons.setVisible(state in (State.QUESTION, State.PROBLEM))
        mended = [note for note in entry.notes if note not in shown.warnings]
        self.mended.setText("\n".join(mended))
        self.mended.setVisible(bool(mended))

    def _say(self, text: str, kind: str) -> None:
        self.trouble.setObjectName(kind)
        self.trouble.style().polish(self.trouble)
        self.trouble.setText(_breakable(text))
        self.trouble.setVisible(bool(text))


def _breakable(text: str) -> str:
    """The text with places to break lines at in long paths."""
    return text.replace("/", "/\u200b").replace("_", "_\u200b")
