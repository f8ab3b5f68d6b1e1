"""`Pane`: one plane of a scan, drawn by a napari canvas of its own. Public napari API only."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Protocol

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Layer
from napari.qt import QtViewer
from numpy.typing import NDArray
from qtpy.QtCore import QRectF, Qt, QTimer
from qtpy.QtGui import QImage, QMouseEvent, QPainter, QResizeEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from monet_app.stage.protocol import Plane
from monet_app.views.overlay import Marks, Overlay, paint_marks

Point = tuple[float, float, float]
"""A place in napari's world: (S, A, R) in mm."""
ORDERS: dict[Plane, tuple[int, int, int]] = {
    "axial": (0, 1, 2),
    "coronal": (1, 0, 2),
    "sagittal": (2, 0, 1),
}
_ENDS = ("IS", "PA", "LR")
_ZOOM_STEP = 1.15
_FREE = 0.04


class Owner(Protocol):
    """Who a pane tells what the mouse does."""

    def pane_pointed(self, point: Point) -> None:
        """The cross-hair is wanted here."""

    def pane_scrolled(self, pane: Pane, slices: int) -> None:
        """The wheel turned."""

    def pane_doubled(self, pane: Pane) -> None:
        """A double click: one view large, and back."""

    @property
    def painting(self) -> bool:
        """Whether the mouse is a painting tool."""


class Pane(QWidget):
    """One plane: a `ViewerModel`, its canvas, and the marks over it."""

    def __init__(self, plane: Plane, owner: Owner) -> None:
        super().__init__()
        self.plane, self._owner = plane, owner
        self.title = ""
        self.letters_shown = self.cross_shown = True
        self._radiological = True
        self._point: Point | None = None
        self.model = ViewerModel()
        self.model.dims.order = ORDERS[plane]
        self.view = QtViewer(self.model)
        self.view.dims.hide()
        self.view.setAcceptDrops(False)
        self.overlay = Overlay(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.view)
        self.setMinimumSize(120, 120)
        self._listen()
        self.set_radiological(True)

    def _listen(self) -> None:
        camera = self.model.scene.camera
        camera.mouse_pan = camera.mouse_zoom = False
        camera.events.zoom.connect(self._mark)
        camera.events.center.connect(self._mark)
        self.model.mouse_drag_callbacks.append(self._dragged)
        self.model.mouse_move_callbacks.append(self._hovered)
        self.model.mouse_wheel_callbacks.append(self._wheeled)
        self.model.mouse_double_click_callbacks.append(self._doubled)

    # -- layers -----------------------------------------------------------------------------

    def add(self, layer: Layer) -> None:
        """Draw a layer on top of the others."""
        self.model.layers.append(layer)
        self.model.layers.selection.active = None
        self._keep_order()

    def remove(self, layer: Layer) -> None:
        """Take a layer away; unknown is fine."""
        if layer in self.model.layers:
            self.model.layers.remove(layer)

    def clear(self) -> None:
        """Draw nothing."""
        self.model.layers.clear()
        self._point = None
        self._mark()

    def add_image(self, data: NDArray[Any], **keywords: Any) -> Image:
        """A new image layer of this pane on `data`, which is not copied."""
        layer = Image(data, **keywords)
        self.add(layer)
        return layer

    def _keep_order(self) -> None:
        if self.model.dims.ndim == 3 and self.model.dims.order != ORDERS[self.plane]:
            self.model.dims.order = ORDERS[self.plane]

    # -- where ------------------------------------------------------------------------------

    @property
    def axis(self) -> int:
        """The axis that slices are stacked along: 0 S, 1 A, 2 R."""
        return ORDERS[self.plane][0]

    def move_to(self, point: Point) -> None:
        """Show the slice of a world point, and the cross-hair there."""
        before = self._point
        self._point = point
        if before is None or before[self.axis] != point[self.axis]:
            self.model.dims.set_point(self.axis, point[self.axis])
        self._mark()

    def fit(self) -> None:
        """The whole scan in view."""
        self._keep_order()
        if len(self.model.layers):
            self.model.reset_view(margin=_FREE)
        self._mark()

    def set_radiological(self, radiological: bool) -> None:
        """Which side is left on the screen; sagittal views always look from the left."""
        self._radiological = radiological
        left = radiological or self.plane == "sagittal"
        self.model.scene.camera.orientation2d = ("up", "left" if left else "right")
        self._mark()

    # -- marks ------------------------------------------------------------------------------

    def set_busy(self, text: str) -> None:
        """Say something in the middle of the view."""
        self._mark(busy=text)

    def marks(self, busy: str = "") -> Marks:
        """What is drawn over the voxels at present."""
        if self._point is None:
            return Marks(title=self.title, busy=busy)
        cross = self._pixel(self._point) if self.cross_shown else None
        letters = self._letters() if self.letters_shown else ("", "", "", "")
        value = self._point[self.axis]
        corner = f"{self.plane}  {_ENDS[self.axis][value >= 0]} {abs(value):.1f} mm"
        return Marks(cross, letters, corner, self.title, busy)

    def _mark(self, _: object = None, busy: str = "") -> None:
        self.overlay.show_marks(self.marks(busy))

    def _letters(self) -> tuple[str, str, str, str]:
        _, vertical, horizontal = ORDERS[self.plane]
        down, up = _ENDS[vertical]
        first, last = _ENDS[horizontal]
        leftward = self.model.scene.camera.orientation2d[1] == "left"
        left, right = (last, first) if leftward else (first, last)
        return up, down, left, right

    def _pixel(self, point: Point) -> tuple[float, float]:
        """Where a world point is drawn, in pixels of the pane."""
        camera = self.model.scene.camera
        _, vertical, horizontal = ORDERS[self.plane]
        centre_v, centre_h = camera.center[-2:]
        leftward = camera.orientation2d[1] == "left"
        across = (point[horizontal] - centre_h) * camera.zoom * (-1 if leftward else 1)
        down = -(point[vertical] - centre_v) * camera.zoom
        return self.width() / 2 + across, self.height() / 2 + down

    # -- mouse ------------------------------------------------------------------------------

    def _dragged(self, model: ViewerModel, event: Any) -> Generator[None, None, None]:
        if self._owner.painting and "Shift" not in event.modifiers:
            return
        panning = event.button in (2, 3) or "Control" in event.modifiers
        start = np.asarray(event.pos, float)
        centre = np.asarray(model.scene.camera.center, float)
        if not panning:
            self._owner.pane_pointed(_point(event.position))
        yield
        while event.type == "mouse_move":
            if panning:
                self._pan(centre, np.asarray(event.pos, float) - start)
            else:
                self._owner.pane_pointed(_point(event.position))
            yield

    def _pan(self, centre: NDArray[np.float64], moved: NDArray[np.float64]) -> None:
        camera = self.model.scene.camera
        leftward = camera.orientation2d[1] == "left"
        across = moved[0] / camera.zoom * (1 if leftward else -1)
        camera.center = (centre[0], centre[1] + moved[1] / camera.zoom, centre[2] + across)

    def _hovered(self, _: ViewerModel, event: Any) -> None:
        if "Shift" in event.modifiers and not self._owner.painting:
            self._owner.pane_pointed(_point(event.position))

    def _wheeled(self, model: ViewerModel, event: Any) -> None:
        turned = float(event.delta[1])
        if "Control" in event.modifiers:
            model.scene.camera.zoom *= _ZOOM_STEP if turned > 0 else 1 / _ZOOM_STEP
        elif turned:
            self._owner.pane_scrolled(self, 1 if turned > 0 else -1)
        event.handled = True

    def _doubled(self, _: ViewerModel, event: Any) -> None:
        if not self._owner.painting:
            self._owner.pane_doubled(self)
        event.handled = True

    # -- the widget -------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Keep the marks over the canvas, and the scan in view."""
        super().resizeEvent(event)
        self.overlay.setGeometry(self.rect())
        self.overlay.raise_()
        # The canvas inside hears of its size after this.
        QTimer.singleShot(0, self, self.fit)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """A click gives the keyboard to the views."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        super().mousePressEvent(event)

    def picture(self) -> QImage:
        """Voxels and marks as they are on the screen."""
        pixels = np.ascontiguousarray(self.view.screenshot(flash=False))
        height, width = pixels.shape[:2]
        image = QImage(pixels.data, width, height, QImage.Format.Format_RGBA8888).copy()
        painter = QPainter(image)
        paint_marks(painter, QRectF(0, 0, width, height), self.marks())
        painter.end()
        return image

    def end(self) -> None:
        """Close the canvas."""
        self.view.close()
        self.deleteLater()


def _point(position: Any) -> Point:
    s, a, r = (float(each) for each in position[-3:])
    return s, a, r
