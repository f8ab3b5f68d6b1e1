"""The first screen: the three ways to begin, and what was open before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QVBoxLayout, QWidget

from monet_app.session import Session
from monet_app.widgets import button, card, column, label

if TYPE_CHECKING:
    from monet_app.commands import WindowCommands

WIDTH = 440
MOST_RECENT = 5


class Welcome(QWidget):
    """Shown while no scan is open; never a blank canvas."""

    def __init__(self, session: Session, commands: WindowCommands) -> None:
        super().__init__()
        self.session = session
        self.sample = button(
            "Try the sample", commands.open_sample, "Colin27, a whole head; works offline",
            "mdi6.head-outline", primary=True,
        )  # fmt: skip
        self.scans = button(
            "Open scan…", commands.open_scans, "T1 scans: NIfTI or MGZ", "mdi6.file-plus-outline"
        )
        self.study = button(
            "Open study…", commands.open_study,
            "A folder that remembers scans, results and ratings", "mdi6.folder-open-outline",
        )  # fmt: skip
        self._recent = column(gap=4)
        middle = column(
            label("MO-Net Studio", "hero"),
            label(
                "Whole-brain and sub-cortical segmentation of T1 MRI. Teach it your own atlas, "
                "check every overlay by eye."
            ),
            card(self.sample, self.scans, self.study),
            label("Or drop scans, a folder or a BIDS data set anywhere in this window.", "hint"),
            self._recent,
            label("Research use only; nothing leaves this computer.", "hint"),
            gap=14,
        )
        middle.setFixedWidth(WIDTH)
        layout = QVBoxLayout(self)
        layout.addStretch(1)
        layout.addWidget(middle, alignment=Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)
        session.study_changed.connect(lambda _: self._fill())
        self._fill()

    def _fill(self) -> None:
        layout = self._recent.layout()
        while layout is not None and layout.count():
            item = layout.takeAt(0)
            if item is not None and item.widget() is not None:
                item.widget().deleteLater()
        recent = [Path(name) for name in self.session.settings.recent[:MOST_RECENT]]
        for folder in recent:
            made = button(
                folder.name, lambda where=folder: self.session.open_study(where), str(folder),
                "mdi6.history",
            )  # fmt: skip
            if layout is not None:
                layout.addWidget(made)
