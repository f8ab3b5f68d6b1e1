"""The curves of a run in the panel: a picture that is drawn on a background thread."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QSize
from qtpy.QtGui import QImage, QPixmap, QResizeEvent
from qtpy.QtWidgets import QLabel, QSizePolicy

from monet_app import theme
from monet_app.later import Later
from monet_app.session import Session
from monet_app.train.curves import Drawing
from monet_app.train.history import RunFigures

HEIGHT = 320
DRAW_MS = 300
_SMALLEST = 120


class CurvesView(QLabel):
    """Shows figures as soon as they are drawn; drawn again when the panel's width changes."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._figures = RunFigures()
        self._drawing: Drawing | None = None
        self.drawn = 0
        """How many pictures were shown."""
        self.setFixedHeight(HEIGHT)
        self.setMinimumWidth(_SMALLEST)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Curves of loss and Dice over the epochs")
        self._later = Later(self._draw, DRAW_MS, self)

    def show_figures(self, figures: RunFigures) -> None:
        """Show these from now on."""
        self._figures = figures
        self._later.soon()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """The picture is as wide as the panel."""
        super().resizeEvent(event)
        self._later.soon()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Not the picture's: the panel may become narrower."""
        return QSize(_SMALLEST, HEIGHT)

    def _draw(self) -> None:
        if not self._figures.loss or not self.isVisible():
            return
        size = self.width(), self.height()
        self._session.run(
            self._picture, self._figures, theme.current(), *size, self.devicePixelRatioF(),
            done=self._show, doing="Drawing the curves", key=f"curves-{id(self)}",
        )  # fmt: skip

    def _picture(self, *what: object) -> NDArray[np.uint8]:
        """On a background thread."""
        if self._drawing is None:
            self._drawing = Drawing()
        return self._drawing.picture(*what)  # type: ignore[arg-type]

    def _show(self, picture: NDArray[np.uint8]) -> None:
        height, width, _ = picture.shape
        image = QImage(picture.tobytes(), width, height, QImage.Format.Format_RGBA8888)
        pixmap = QPixmap.fromImage(image)
        pixmap.setDevicePixelRatio(self.devicePixelRatioF())
        self.setPixmap(pixmap)
        self.drawn += 1
