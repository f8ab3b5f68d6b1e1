"""`Pane`: one plane of the scan on a canvas, under an overlay that takes the input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from qtpy.QtCore import QEvent, QObject, QPoint, QPointF, QRect, QSize, Qt, Signal
from qtpy.QtGui import QImage
from qtpy.QtWidgets import QVBoxLayout, QWidget

from monet_app.stage.protocol import Plane
from monet_app.views import lens
from monet_app.views.canvas import Kind, make_canvas
from monet_app.views.display import AXES
from monet_app.views.lens import Lens, Place
from monet_app.views.overlay import Overlay
from monet_app.views.scene import Scene

FRAME = 0.93
"""Part of the view that the whole scan takes, so that letters stand beside it."""
SMALLEST = 120
_PLACING = (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show)


class Pane(QWidget):
    """Shows the cursor's slice of a scene in one plane; `only` limits it to one segmentation."""

    resized = Signal()

    def __init__(self, scene: Scene, plane: Plane, kind: Kind = "auto") -> None:
        super().__init__()
        self.scene = scene
        self.plane: Plane = plane
        self.only: str | None = None
        self.title = ""
        self.lens = Lens()
        self._radiological = True
        self.canvas = make_canvas(kind)
        self.overlay = Overlay(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.canvas.widget)
        self.canvas.surface.installEventFilter(self)
        self.setMinimumSize(SMALLEST, SMALLEST)
        # napari leaves two pixels above and below its canvas: they are black, too.
        self.setObjectName("canvas")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFocusProxy(self.overlay)
        self.set_plane(plane)

    # -- what is shown ----------------------------------------------------------------------

    def set_plane(self, plane: Plane, only: str | None = None, title: str = "") -> None:
        """Show a plane, with all segmentations or `only` one."""
        self.plane, self.only, self.title = plane, only, title
        self.overlay.set_title(title)
        self.overlay.setAccessibleName(f"{title} {plane} view".strip())
        self.look(self.lens)

    def set_radiological(self, radiological: bool) -> None:
        """Which side of the patient is on the screen's left."""
        self._radiological = radiological
        self.look(self.lens)

    def draw(self) -> None:
        """Draw the slice anew."""
        if self.scene.volume is None:
            self.canvas.draw(None, Place())
            return
        pixels = int(np.ceil(self.lens.zoom * min(self.scene.grid.spacing)))
        picture = self.scene.picture(self.plane, pixels, self.only)
        grid, axes = self.scene.grid, AXES[self.plane][1:]
        parts = picture.shape[0] // grid.shape[axes[0]]
        first = [float(grid.positions(axis, parts)[0]) for axis in axes]
        spacing = [grid.spacing[axis] / parts for axis in axes]
        self.canvas.draw(picture, Place((first[0], first[1]), (spacing[0], spacing[1])))

    def draw_marks(self, crosshair: bool, letters: bool) -> None:
        """Cross-hair, letters, and words about the slice."""
        if self.scene.volume is None:
            self.overlay.clear()
            return
        at = self.lens.pixel(*self.plane_mm(self.scene.voxel))
        self.overlay.set_cross(at if crosshair else None)
        self.overlay.set_letters(lens.letters(self.plane, self._radiological) if letters else None)
        obliquity = self.scene.grid.obliquity
        self.overlay.set_text(lens.slice_text(self.plane, self.scene.cursor, obliquity))

    # -- where things are -------------------------------------------------------------------

    def plane_mm(self, index: Sequence[float]) -> tuple[float, float]:
        """Frame mm (vertical, horizontal) of display indices (s, a, r)."""
        grid = self.scene.grid
        vertical, horizontal = (
            grid.origin[axis] + grid.spacing[axis] * index[axis] for axis in AXES[self.plane][1:]
        )
        return vertical, horizontal

    def index_at(self, at: QPointF) -> tuple[float, float, float]:
        """Display indices (s, a, r), with fractions, under a point of the view."""
        grid = self.scene.grid
        index = [float(each) for each in self.scene.voxel]
        for axis, mm in zip(AXES[self.plane][1:], self.lens.mm(at.x(), at.y()), strict=True):
            index[axis] = (mm - grid.origin[axis]) / grid.spacing[axis]
        return index[0], index[1], index[2]

    def best_zoom(self) -> float:
        """Pixels per mm at which the whole scan is seen."""
        grid = self.scene.grid
        height, width = (grid.spacing[axis] * grid.shape[axis] for axis in AXES[self.plane][1:])
        size = self.overlay.size()
        return FRAME * max(1e-3, min(size.width() / width, size.height() / height))

    def middle(self) -> tuple[float, float]:
        """Frame mm of the middle of the scan."""
        return self.plane_mm([(size - 1) / 2 for size in self.scene.grid.shape])

    def look(self, new: Lens) -> None:
        """Look at the plane like this; the size of the view and the side stay as they are."""
        size = self.overlay.size()
        rightwards = lens.grows_rightwards(self.plane, self._radiological)
        self.lens = replace(new, size=(size.width(), size.height()), rightwards=rightwards)
        self.canvas.look(self.lens)

    # -- Qt ---------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Keep the overlay exactly over the canvas."""
        if event.type() in _PLACING and self.overlay is not None:
            surface = self.canvas.surface
            self.overlay.setGeometry(QRect(surface.mapTo(self, QPoint(0, 0)), surface.size()))
            self.overlay.raise_()
            self.resized.emit()
        return super().eventFilter(watched, event)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As large as there is room."""
        return QSize(320, 320)

    def canvas_picture(self) -> QImage:
        """The canvas as it is drawn, without what lies over it."""
        return self.canvas.grab_image()

    def end(self) -> None:
        """Close the canvas."""
        self.canvas.end()
