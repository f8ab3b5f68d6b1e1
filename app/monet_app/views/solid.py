"""`SolidPane`: regions in 3-D. Nothing is drawn before it is asked for, since that takes long."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from napari.components import ViewerModel
from napari.layers import Surface as SurfaceLayer
from napari.qt import QtViewer
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage, QMouseEvent
from qtpy.QtWidgets import QLabel, QPushButton, QStackedLayout, QVBoxLayout, QWidget

from monet_app.views.surfaces import Surface

EMPTY = "Regions in 3-D"
_FREE = 0.8


class SolidPane(QWidget):
    """A calm placeholder with a button, then a napari canvas with one surface."""

    def __init__(self, asked: Callable[[], None], doubled: Callable[[], None]) -> None:
        super().__init__()
        self._doubled = doubled
        self.model: ViewerModel | None = None
        self.view: QtViewer | None = None
        self._layer: SurfaceLayer | None = None
        self._pages = QStackedLayout(self)
        self._pages.setContentsMargins(0, 0, 0, 0)
        page = QWidget()
        page.setObjectName("canvas")
        page.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        inside = QVBoxLayout(page)
        inside.addStretch(1)
        self._text = QLabel(EMPTY)
        self._text.setObjectName("hint")
        self._text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.button = QPushButton("Show in 3-D")
        self.button.setToolTip("Draw the visible regions as surfaces; takes some seconds")
        self.button.clicked.connect(lambda: asked())
        inside.addWidget(self._text)
        inside.addWidget(self.button, alignment=Qt.AlignmentFlag.AlignHCenter)
        inside.addStretch(1)
        self._pages.addWidget(page)
        self.setMinimumSize(120, 120)

    def say(self, text: str, can_ask: bool) -> None:
        """Show the placeholder with a text, and the button where there is something to draw."""
        self._text.setText(text or EMPTY)
        self.button.setVisible(can_ask)
        self._pages.setCurrentIndex(0)

    @property
    def shown(self) -> bool:
        """Whether a surface is drawn."""
        return self._layer is not None

    def show_surface(self, surface: Surface, centre: tuple[float, float, float]) -> None:
        """Draw a surface in place of the last one; the camera stays once it has been set."""
        first = self.model is None
        model = self._model()
        layer = SurfaceLayer(
            (surface.vertices, surface.faces, np.ones(len(surface.vertices), np.float32)),
            vertex_colors=surface.colors, shading="smooth", name="regions",
        )  # fmt: skip
        model.layers.clear()
        model.layers.append(layer)
        self._layer = layer
        if first:
            model.dims.ndisplay = 3
            model.scene.camera.set_view_direction((0.0, -1.0, 0.0), (1.0, 0.0, 0.0))
        model.reset_view(reset_camera_angle=False)
        model.scene.camera.center = centre
        model.scene.camera.zoom *= _FREE
        self._pages.setCurrentIndex(1)

    def clear(self) -> None:
        """Back to the placeholder."""
        if self.model is not None:
            self.model.layers.clear()
        self._layer = None
        self.say(EMPTY, can_ask=False)

    def set_radiological(self, radiological: bool) -> None:
        """Depth turns with the sides, so that nothing is mirrored."""
        self._radiological = radiological
        if self.model is not None:
            sides = ("away", "up", "left") if radiological else ("towards", "up", "right")
            self.model.scene.camera.orientation = sides

    def _model(self) -> ViewerModel:
        if self.model is None:
            self.model = ViewerModel()
            self.view = QtViewer(self.model)
            self.view.dims.hide()
            self.view.setAcceptDrops(False)
            self._pages.addWidget(self.view)
            self.set_radiological(getattr(self, "_radiological", True))
        return self.model

    def mouseDoubleClickEvent(self, _: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Large, and back."""
        self._doubled()

    def picture(self) -> QImage | None:
        """What is drawn; None for the placeholder."""
        if self.view is None or self._layer is None:
            return None
        pixels = np.ascontiguousarray(self.view.screenshot(flash=False))
        height, width = pixels.shape[:2]
        return QImage(pixels.data, width, height, QImage.Format.Format_RGBA8888).copy()

    def end(self) -> None:
        """Close the canvas."""
        if self.view is not None:
            self.view.close()
        self.deleteLater()
