"""What is drawn over a view's canvas: cross-hair, letters of orientation, the slice's place.

It is painted by Qt, not by napari, so that a cross-hair that moves costs no drawing of voxels.
"""

from __future__ import annotations

from dataclasses import dataclass

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QFont, QPainter, QPen
from qtpy.QtWidgets import QWidget

CROSS = QColor(90, 169, 230, 210)
TEXT = QColor(236, 236, 236)
SHADOW = QColor(0, 0, 0, 200)
GAP = 10
MARGIN = 6


@dataclass
class Marks:
    """What to draw: `cross` in pixels of the view, `letters` top, bottom, left, right."""

    cross: tuple[float, float] | None = None
    letters: tuple[str, str, str, str] = ("", "", "", "")
    corner: str = ""
    title: str = ""
    busy: str = ""


class Overlay(QWidget):
    """Transparent to the mouse; `show_marks` draws anew."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.marks = Marks()

    def show_marks(self, marks: Marks) -> None:
        """Draw these marks."""
        self.marks = marks
        self.update()

    def paintEvent(self, _: object) -> None:  # noqa: N802 - Qt's name
        """Draw on the screen."""
        painter = QPainter(self)
        paint_marks(painter, QRectF(self.rect()), self.marks)
        painter.end()


def paint_marks(painter: QPainter, area: QRectF, marks: Marks) -> None:
    """Draw `marks` into `area`; for the screen and for pictures."""
    painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
    if marks.cross is not None:
        _cross(painter, area, QPointF(*marks.cross) + area.topLeft())
    font = QFont(painter.font())
    font.setPixelSize(15)
    font.setBold(True)
    painter.setFont(font)
    align = Qt.AlignmentFlag
    inner = area.adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
    places = (
        align.AlignTop | align.AlignHCenter,
        align.AlignBottom | align.AlignHCenter,
        align.AlignLeft | align.AlignVCenter,
        align.AlignRight | align.AlignVCenter,
    )
    for letter, place in zip(marks.letters, places, strict=True):
        _text(painter, inner, place, letter)
    font.setPixelSize(12)
    font.setBold(False)
    painter.setFont(font)
    _text(painter, inner, align.AlignBottom | align.AlignLeft, marks.corner)
    _text(painter, inner, align.AlignTop | align.AlignLeft, marks.title)
    if marks.busy:
        font.setPixelSize(14)
        painter.setFont(font)
        _text(painter, inner, align.AlignCenter, marks.busy)


def _cross(painter: QPainter, area: QRectF, at: QPointF) -> None:
    painter.setPen(QPen(CROSS, 1))
    x, y = round(at.x()) + 0.5, round(at.y()) + 0.5
    painter.drawLine(QPointF(area.left(), y), QPointF(x - GAP, y))
    painter.drawLine(QPointF(x + GAP, y), QPointF(area.right(), y))
    painter.drawLine(QPointF(x, area.top()), QPointF(x, y - GAP))
    painter.drawLine(QPointF(x, y + GAP), QPointF(x, area.bottom()))


def _text(painter: QPainter, area: QRectF, place: Qt.AlignmentFlag, text: str) -> None:
    if not text:
        return
    painter.setPen(SHADOW)
    for dx, dy in ((1, 1), (-1, 1), (1, -1), (-1, -1)):
        painter.drawText(area.translated(dx, dy), place, text)
    painter.setPen(TEXT)
    painter.drawText(area, place, text)
