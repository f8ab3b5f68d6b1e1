"""The stage's widget: the views, and a toolbar and a strip where somebody adds them."""

from __future__ import annotations

from qtpy.QtWidgets import QVBoxLayout, QWidget


class Frame(QWidget):
    """Holds the views and what is laid around them."""

    def __init__(self, views: QWidget) -> None:
        super().__init__()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._layout.addWidget(views, 1)
        self.setFocusProxy(views)

    def add_above(self, widget: QWidget) -> None:
        """A toolbar over the views."""
        self._layout.insertWidget(0, widget)

    def add_below(self, widget: QWidget) -> None:
        """A strip under the views."""
        self._layout.addWidget(widget)
