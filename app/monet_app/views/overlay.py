"""`Overlay`: the pane over a canvas that draws crosshair, letters and words, and takes the input.

It is a plain Qt widget: moving the crosshair repaints two lines of it and leaves the picture
below (OpenGL) alone, and mouse and keys reach us before napari's own bindings would take them.
"""

from __future__ import annotations

from qtpy.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from qtpy.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QRegion,
    QWheelEvent,
)
from qtpy.QtWidgets import QWidget

from monet_app.views.lens import Letters

CROSS = QColor(96, 190, 255, 215)
INK = QColor(245, 245, 245)
HALO = QColor(0, 0, 0, 200)
RING = QColor(255, 214, 92)
GAP = 7
"""Pixels around the crosshair's middle that stay free, so that the voxel there is seen."""
MARGIN = 6
_RIM = tuple(QPointF(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1) if x or y)


class Overlay(QWidget):
    """Draws over a canvas and tells of the input (Qt's own events) through signals."""

    pressed = Signal(object)
    moved = Signal(object)
    released = Signal(object)
    doubled = Signal(object)
    scrolled = Signal(object)
    keyed = Signal(object)
    left = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self._cross: tuple[float, float] | None = None
        self.letters: Letters | None = None
        self._text = self._title = ""
        self.ring: tuple[float, float, float, float] | None = None
        self._font = QFont(self.font())
        self._font.setPixelSize(13)
        self._font.setBold(True)
        self.take_brush(False)

    # -- what is drawn ----------------------------------------------------------------------

    def clear(self) -> None:
        """Nothing but the title."""
        self.set_cross(None)
        self.set_letters(None)
        self.set_text("")
        self.set_ring(None)

    def take_brush(self, brush: bool) -> None:
        """Hide the pointer where a brush is drawn in its place, by `set_ring`."""
        self.set_ring(None)
        shapes = Qt.CursorShape
        self.setCursor(shapes.BlankCursor if brush else shapes.CrossCursor)

    def set_cross(self, at: tuple[float, float] | None) -> None:
        """Draw the crosshair there (x, y), or not at all."""
        if at != self._cross:
            for where in (self._cross, at):
                if where is not None:
                    self.update(QRect(round(where[0]) - 2, 0, 5, self.height()))
                    self.update(QRect(0, round(where[1]) - 2, self.width(), 5))
            self._cross = at

    def set_letters(self, letters: Letters | None) -> None:
        """Draw these letters at the edges, or none."""
        if letters != self.letters:
            self.letters = letters
            self.update()

    def set_text(self, text: str) -> None:
        """Words at the bottom left: which slice this is."""
        if text != self._text:
            for words in (self._text, text):
                self.update(self._text_box(words))
            self._text = text

    def set_title(self, title: str) -> None:
        """Words at the top left."""
        if title != self._title:
            self._title = title
            self.update()

    def set_ring(self, ring: tuple[float, float, float, float] | None) -> None:
        """Draw the brush: an ellipse at (x, y) with its two radii in pixels, or none."""
        if ring != self.ring:
            for where in (self.ring, ring):
                if where is not None:
                    x, y, across, down = where
                    box = QRectF(x - across, y - down, 2 * across, 2 * down)
                    self.update(box.toAlignedRect().adjusted(-3, -3, 3, 3))
            self.ring = ring

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw what lies in the part that changed."""
        painter = QPainter(self)
        self.paint(painter, event.region())
        painter.end()

    def paint(self, painter: QPainter, part: QRegion) -> None:
        """Draw the marks that lie in a part of the overlay; for the screen and for pictures."""
        self._draw_cross(painter)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.letters is not None:
            for letter, at in self._letter_places(self.letters):
                if part.intersects(QRect(at.toPoint(), QSize(24, 24)).translated(-12, -20)):
                    self._write(painter, letter, at)
        if part.intersects(self._text_box(self._text)):
            self._write(painter, self._text, QPointF(MARGIN + 2, self.height() - MARGIN - 3))
        if self._title:
            self._write(painter, self._title, QPointF(MARGIN + 2, MARGIN + 13))
        if self.ring is not None:
            x, y, across, down = self.ring
            for pen in (QPen(HALO, 3), QPen(RING, 1.3)):
                painter.setPen(pen)
                painter.drawEllipse(QPointF(x, y), across, down)

    def _draw_cross(self, painter: QPainter) -> None:
        if self._cross is None:
            return
        x, y = (round(place) for place in self._cross)
        painter.setPen(QPen(CROSS, 1))
        painter.drawLine(x, 0, x, y - GAP)
        painter.drawLine(x, y + GAP, x, self.height())
        painter.drawLine(0, y, x - GAP, y)
        painter.drawLine(x + GAP, y, self.width(), y)

    def _letter_places(self, letters: Letters) -> tuple[tuple[str, QPointF], ...]:
        wide = QFontMetrics(self._font).horizontalAdvance("A")
        width, height = self.width(), self.height()
        middle, centre = height / 2 + 5, (width - wide) / 2
        return (
            (letters.top, QPointF(centre, MARGIN + 13)),
            (letters.bottom, QPointF(centre, height - MARGIN - 3)),
            (letters.left, QPointF(MARGIN + 2, middle)),
            (letters.right, QPointF(width - MARGIN - wide - 2, middle)),
        )

    def _text_box(self, text: str) -> QRect:
        wide = QFontMetrics(self._font).horizontalAdvance(text)
        return QRect(0, self.height() - 30, wide + 4 * MARGIN, 30)

    def _write(self, painter: QPainter, text: str, at: QPointF) -> None:
        """Light letters with a dark rim, to be read on any picture."""
        painter.setFont(self._font)
        painter.setPen(HALO)
        for shift in _RIM:
            painter.drawText(at + shift, text)
        painter.setPen(INK)
        painter.drawText(at, text)

    # -- input ------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Tell of a press."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.pressed.emit(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Tell of a move, with or without a button."""
        self.moved.emit(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Tell of a release."""
        self.released.emit(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Tell of a double click."""
        self.doubled.emit(event)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Tell of the wheel."""
        event.accept()
        self.scrolled.emit(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Tell of a key; what nobody takes goes on to the window, never to napari."""
        event.ignore()
        self.keyed.emit(event)

    def leaveEvent(self, event: object) -> None:  # noqa: ARG002, N802
        """Tell that the mouse left."""
        self.left.emit()
