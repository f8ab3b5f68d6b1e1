"""The widget that holds the panes and arranges them; `OrthoStage` decides what is in them."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QPoint
from qtpy.QtGui import QImage, QPainter
from qtpy.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from monet_app.stage.protocol import PLANES, Layout
from monet_app.views.pane import Owner, Pane
from monet_app.views.solid import SolidPane

_PLACES = {"axial": (0, 0), "coronal": (0, 1), "sagittal": (1, 0), "3d": (1, 1)}
GAP = 2


class Panes(QWidget):
    """Three planes and 3-D in a square, one of them large, or columns side by side."""

    def __init__(self, owner: Owner, solid: SolidPane) -> None:
        super().__init__()
        self.planes = {plane: Pane(plane, owner) for plane in PLANES}
        self.solid = solid
        self.columns: list[Pane] = []
        self._parts: dict[str, QWidget] = {**self.planes, "3d": solid}
        self._views = QWidget()
        self._grid = QGridLayout(self._views)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(GAP)
        for name, part in self._parts.items():
            self._grid.addWidget(part, *_PLACES[name])
        self._outer = QVBoxLayout(self)
        self._outer.setContentsMargins(0, 0, 0, 0)
        self._outer.setSpacing(0)
        self._outer.addWidget(self._views, 1)
        self.arrange("four")

    @property
    def all(self) -> list[Pane]:
        """Every plane's pane, the columns' too."""
        return [*self.planes.values(), *self.columns]

    def add_above(self, widget: QWidget) -> None:
        """A toolbar over the views."""
        self._outer.insertWidget(0, widget)

    def add_below(self, widget: QWidget) -> None:
        """A strip under the views."""
        self._outer.addWidget(widget)

    def arrange(self, layout: Layout) -> None:
        """Show the parts that belong to a layout."""
        if layout != "side-by-side":
            self.end_columns()
        one = layout if layout in self._parts else ""
        for name, part in self._parts.items():
            part.setVisible(name == one if one else layout == "four")
            row, column = _PLACES[name]
            self._grid.setRowStretch(row, 1 if not one or _PLACES[one][0] == row else 0)
            self._grid.setColumnStretch(column, 1 if not one or _PLACES[one][1] == column else 0)

    def set_columns(self, panes: Sequence[Pane]) -> None:
        """Show these panes beside each other and nothing else."""
        self.end_columns()
        self.columns = list(panes)
        self.arrange("side-by-side")
        for number, pane in enumerate(panes):
            self._grid.addWidget(pane, 2, number)
            self._grid.setColumnStretch(number, 1)
            pane.show()
        for row, stretch in ((0, 0), (1, 0), (2, 1)):
            self._grid.setRowStretch(row, stretch)

    def end_columns(self) -> None:
        """Close the columns."""
        for number, pane in enumerate(self.columns):
            self._grid.removeWidget(pane)
            self._grid.setColumnStretch(number, 1 if number < 2 else 0)
            pane.hide()
            pane.end()
        self.columns = []
        self._grid.setRowStretch(2, 0)

    def picture(self) -> QImage:
        """All that is visible, as on the screen."""
        image = QImage(self._views.size(), QImage.Format.Format_RGBA8888)
        image.fill(0xFF000000)
        painter = QPainter(image)
        for part in [*self.all, self.solid]:
            if not part.isVisibleTo(self):
                continue
            picture = part.picture()
            corner = part.mapTo(self._views, QPoint(0, 0))
            if picture is not None:
                painter.drawImage(part.rect().translated(corner), picture)
        painter.end()
        return image

    def end(self) -> None:
        """Close every canvas."""
        for part in [*self.all, self.solid]:
            part.end()
