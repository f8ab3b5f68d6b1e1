"""Where a plane's picture is shown: a napari canvas, or Qt's own painting without a graphics card.

With OpenGL in software, drawing canvases and laying them together into a window is nine tenths of
a frame, and importing napari most of the start; painting shows the same pixels. It also works where
there is no OpenGL at all. 3-D is napari's in any case.
"""

from __future__ import annotations

from functools import cache
from typing import Literal, Protocol

import numpy as np
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QImage, QOffscreenSurface, QOpenGLContext, QPainter, QPaintEvent
from qtpy.QtWidgets import QWidget

from monet_app.views.compose import Picture
from monet_app.views.lens import Lens, Place

Kind = Literal["auto", "napari", "painted"]
_GL_RENDERER = 0x1F01
_SOFTWARE = ("llvmpipe", "softpipe", "swrast", "swiftshader", "gdi generic", "basic render")


class Canvas(Protocol):
    """Shows a picture as seen through a lens."""

    @property
    def widget(self) -> QWidget:
        """What is put into a layout."""

    @property
    def surface(self) -> QWidget:
        """The part of `widget` that is drawn on."""

    def draw(self, picture: Picture | None, place: Place) -> None:
        """Show an RGB picture (H, W, 3), first row lowest, at its place; None shows nothing."""

    def look(self, lens: Lens) -> None:
        """See the plane like this."""

    def grab_image(self) -> QImage:
        """What is drawn at present."""

    def end(self) -> None:
        """Give back what it holds."""


def make_canvas(kind: Kind = "auto") -> Canvas:
    """A canvas; "auto" paints where OpenGL is missing or is computed by the processor."""
    if kind == "painted" or (kind == "auto" and not has_graphics_card()):
        return PaintedCanvas()
    from monet_app.views.napari_canvas import NapariCanvas

    return NapariCanvas()


@cache
def has_graphics_card() -> bool:
    """Whether there is OpenGL that is not software."""
    context, surface = QOpenGLContext(), QOffscreenSurface()
    surface.create()
    if not context.create() or not context.makeCurrent(surface):
        return False
    renderer = str(context.functions().glGetString(_GL_RENDERER) or "").lower()
    context.doneCurrent()
    return bool(renderer) and not any(name in renderer for name in _SOFTWARE)


class PaintedCanvas(QWidget):
    """A picture painted by Qt, voxels as squares."""

    def __init__(self) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._lens = Lens()
        self._place = Place()
        self._picture: Picture | None = None
        self._image: QImage | None = None

    @property
    def widget(self) -> QWidget:
        """See `Canvas`."""
        return self

    @property
    def surface(self) -> QWidget:
        """See `Canvas`."""
        return self

    def draw(self, picture: Picture | None, place: Place) -> None:
        """See `Canvas`."""
        self._picture, self._place, self._image = picture, place, None
        self.update()

    def look(self, lens: Lens) -> None:
        """See `Canvas`."""
        if lens.rightwards != self._lens.rightwards:
            self._image = None
        self._lens = lens
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the part that changed."""
        painter = QPainter(self)
        painter.fillRect(event.rect(), Qt.GlobalColor.black)
        self._paint(painter)
        painter.end()

    def _paint(self, painter: QPainter) -> None:
        if self._picture is None:
            return
        if self._image is None:
            self._image = _as_image(self._picture, mirrored=not self._lens.rightwards)
        (bottom, first), (top, last) = self._place.corners(self._picture.shape[:2])
        corners = [QPointF(*self._lens.pixel(*at)) for at in ((bottom, first), (top, last))]
        painter.drawImage(QRectF(*corners).normalized(), self._image)

    def grab_image(self) -> QImage:
        """See `Canvas`."""
        image = QImage(self.size(), QImage.Format.Format_RGB32)
        image.fill(Qt.GlobalColor.black)
        painter = QPainter(image)
        self._paint(painter)
        painter.end()
        return image

    def end(self) -> None:
        """See `Canvas`."""
        self._picture = self._image = None


def _as_image(picture: Picture, mirrored: bool) -> QImage:
    """`picture` the way up that screens have, its first column at the right if `mirrored`."""
    turned = np.ascontiguousarray(picture[::-1, ::-1] if mirrored else picture[::-1])
    height, width = turned.shape[:2]
    image = QImage(turned.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return image.convertToFormat(QImage.Format.Format_RGB32)
