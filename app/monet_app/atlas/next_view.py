"""Which scan to correct next: the ones that a model was least sure of."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from monet_app.atlas.teaching import NextScan, next_scans
from monet_app.session import Session
from monet_app.widgets import button, card, label

ROWS = 6


class NextView(QWidget):
    """A card with a button that looks, and the scans that were found."""

    def __init__(self, session: Session, protocol: Callable[[], str]) -> None:
        super().__init__()
        self.session, self._protocol = session, protocol
        self._shown_for = ""
        self.look = button(
            "Which scan next?", self.find,
            "Measures where the model was unsure, and which volumes are unusual",
            "mdi6.head-question-outline",
        )  # fmt: skip
        self.said = label("The scan that a model was least sure of teaches it most.", "hint")
        self.list = QListWidget()
        self.list.setAccessibleName("Scans to correct next")
        self.list.setWordWrap(True)
        self.list.setSpacing(3)
        self.list.itemActivated.connect(self._open)
        self.list.itemClicked.connect(self._open)
        self.list.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(card(label("Which scan next?", "title"), self.said, self.look, self.list))

    def refresh(self) -> None:
        """Forget what was found for another atlas."""
        if self._protocol() != self._shown_for:
            self._shown_for = self._protocol()
            self.list.hide()
        self.look.setEnabled(bool(self._protocol()))

    def find(self) -> None:
        """Look, in the background."""
        study, protocol = self.session.study, self._protocol()
        if study is None or not protocol:
            return
        self.said.setText("Measuring…")
        self.look.setEnabled(False)
        self.session.run(
            next_scans, study, protocol,
            done=self._found, failed=self._failed, key="next-scans",
        )  # fmt: skip

    def _found(self, scans: list[NextScan]) -> None:
        self.look.setEnabled(True)
        self.said.setText(
            "Click a scan to open it." if scans else "Every scan is annotated in this atlas."
        )
        self.list.clear()
        for each in scans:
            item = QListWidgetItem(f"{each.entry.name}\n{each.reason}")
            item.setData(Qt.ItemDataRole.UserRole, each.entry)
            self.list.addItem(item)
        self.list.setVisible(bool(scans))
        self._fit(len(scans))

    def _fit(self, number: int) -> None:
        height = self.list.sizeHintForRow(0) if number else 0
        self.list.setFixedHeight(min(number, ROWS) * (max(height, 1) + 6) + 6)

    def _failed(self, error: Exception) -> None:
        self.look.setEnabled(True)
        self.said.setText("It could not be found out.")
        self.session.tell(error, "Which scan next")

    def _open(self, item: QListWidgetItem) -> None:
        self.session.open_scan(item.data(Qt.ItemDataRole.UserRole))
