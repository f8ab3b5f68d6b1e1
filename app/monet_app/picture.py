"""`Picture`: an image as large as its place allows, in its own proportions."""

from __future__ import annotations

from qtpy.QtCore import QRect, QSize, Qt
from qtpy.QtGui import QImage, QPainter, QPaintEvent, QPixmap
from qtpy.QtWidgets import QSizePolicy, QWidget


class Picture(QWidget):
    """Shows PNG bytes or a pixmap, never larger than its pixels times `most`."""

    def __init__(self, parent: QWidget | None = None, most: float = 2.0) -> None:
        super().__init__(parent)
        self._pixmap = QPixmap()
        self._most = most
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(80, 80)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return self._pixmap.isNull()

    def set_png(self, data: bytes | None) -> None:
        """Show a PNG; None: nothing."""
        image = QImage.fromData(data) if data else QImage()
        self._pixmap = QPixmap.fromImage(image)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As wide as allowed and as high as that needs."""
        if self.empty or not self.width():
            return QSize(320, 240)
        return QSize(320, round(self.width() * self._pixmap.height() / self._pixmap.width()))

    def hasHeightForWidth(self) -> bool:  # noqa: N802 - Qt's name
        """The height follows the width."""
        return not self.empty

    def heightForWidth(self, width: int) -> int:  # noqa: N802 - Qt's name
        """The height that shows all of the picture at a width."""
        if self.empty:
            return super().heightForWidth(width)
        return round(width * self._pixmap.height() / self._pixmap.width())

    def paintEvent(self, _: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Draw the picture in the middle."""
        if self.empty:
            return
        size = self._pixmap.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        most = self._pixmap.size() * self._most
        size = size.boundedTo(most)
        place = QRect(0, 0, size.width(), size.height())
        place.moveCenter(self.rect().center())
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(place, self._pixmap)
