"""A picture of the views as they are on the screen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPoint
from qtpy.QtGui import QColor, QImage, QPainter, QRegion

from monet_app.views.panes import Panes

LINE_COLOR = QColor(60, 60, 60)


def picture_of(panes: Panes) -> NDArray[np.uint8]:
    """RGBA (H, W, 4): the canvases, read back from OpenGL, and what lies over them."""
    ratio = panes.devicePixelRatioF()
    image = QImage(panes.size() * ratio, QImage.Format.Format_RGBA8888)
    image.setDevicePixelRatio(ratio)
    image.fill(LINE_COLOR)
    painter = QPainter(image)
    for pane in panes.shown():
        corner = pane.overlay.mapTo(panes, QPoint(0, 0))
        painter.drawImage(corner, pane.canvas_picture())
        painter.translate(corner)
        pane.overlay.paint(painter, QRegion(pane.overlay.rect()))
        painter.resetTransform()
    if not panes.solid.isHidden():
        _draw_solid(painter, panes)
    painter.end()
    return _as_array(image)


def _draw_solid(painter: QPainter, panes: Panes) -> None:
    solid = panes.solid
    if solid.shown and solid.view is not None:
        native = solid.view.canvas.native
        painter.drawImage(native.mapTo(panes, QPoint(0, 0)), native.grabFramebuffer())
    else:
        solid.render(painter, solid.mapTo(panes, QPoint(0, 0)))


def _as_array(image: QImage) -> NDArray[np.uint8]:
    width, height = image.width(), image.height()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(height, image.bytesPerLine())
    return rows[:, : 4 * width].reshape(height, width, 4).copy()
