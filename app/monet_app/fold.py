"""`Fold`: a heading that unfolds what stands below it, for what most users never need."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QToolButton, QVBoxLayout, QWidget

from monet_app.icons import icon


class Fold(QWidget):
    """`content` under a heading with an arrow; folded at first."""

    toggled = Signal(bool)

    def __init__(self, text: str, content: QWidget, tip: str = "", unfolded: bool = False) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        self.button = QToolButton()
        self.button.setText(text)
        self.button.setToolTip(tip)
        self.button.setAccessibleName(text)
        self.button.setCheckable(True)
        self.button.setAutoRaise(True)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.toggled.connect(self._toggle)
        self.content = content
        layout.addWidget(self.button, alignment=Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(content)
        self.button.setChecked(unfolded)
        self._toggle(unfolded)

    @property
    def unfolded(self) -> bool:
        """Whether the content is shown."""
        return self.button.isChecked()

    def set_text(self, text: str) -> None:
        """Another heading."""
        self.button.setText(text)
        self.button.setAccessibleName(text)

    def _toggle(self, shown: bool) -> None:
        self.button.setIcon(icon("mdi6.chevron-down" if shown else "mdi6.chevron-right"))
        self.content.setVisible(shown)
        self.toggled.emit(shown)
