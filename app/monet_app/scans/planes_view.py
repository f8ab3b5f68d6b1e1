"""`PlanesView`: three planes of a scan beside each other, with the letters of the sides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QRectF, Qt
from qtpy.QtGui import QColor, QImage, QPainter, QPaintEvent
from qtpy.QtWidgets import QWidget

from monet_app.scans.planes import PLANES, SIZE, letters_of

GAP, EDGE = 6, 16
LETTER = QColor("#f0d060")


class PlanesView(QWidget):
    """Axial, coronal and sagittal pictures (SIZE, SIZE) on black; "Drawing…" until they come."""

    def __init__(self, radiological: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._radiological = radiological
        self._images: dict[str, QImage] = {}
        self._text = "Drawing…"
        self.setFixedSize(len(PLANES) * SIZE + (len(PLANES) - 1) * GAP, SIZE)
        self.setAccessibleName("Axial, coronal and sagittal plane")

    @property
    def drawn(self) -> bool:
        """Whether the pictures are there."""
        return bool(self._images)

    def show_pictures(self, pictures: dict[str, NDArray[np.uint8]], instead: str = "") -> None:
        """Show pictures by plane, or say `instead` why there are none."""
        self._images = {name: _image(grey) for name, grey in pictures.items()}
        self._text = instead
        self.update()

    def paintEvent(self, _: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the pictures and the letters."""
        painter = QPainter(self)
        for place, plane in enumerate(PLANES):
            square = QRectF(place * (SIZE + GAP), 0, SIZE, SIZE)
            painter.fillRect(square, Qt.GlobalColor.black)
            if plane.name in self._images:
                painter.drawImage(square, self._images[plane.name])
                self._mark(painter, square, letters_of(plane, self._radiological))
        if not self._images:
            painter.setPen(QColor("#b0b0b0"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._text)
        painter.end()

    def _mark(self, painter: QPainter, square: QRectF, letters: str) -> None:
        painter.setPen(LETTER)
        font = painter.font()
        font.setBold(True)
        painter.setFont(font)
        left, right, below, above = letters
        x, y, w, h = square.x(), square.y(), square.width(), square.height()
        for letter, box in (
            (left, QRectF(x, y, EDGE, h)),
            (right, QRectF(x + w - EDGE, y, EDGE, h)),
            (below, QRectF(x, y + h - EDGE, w, EDGE)),
            (above, QRectF(x, y, w, EDGE)),
        ):
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, letter)


def _image(grey: NDArray[np.uint8]) -> QImage:
    rows, columns = grey.shape
    whole = np.ascontiguousarray(grey)
    return QImage(whole.data, columns, rows, columns, QImage.Format.Format_Grayscale8).copy()
