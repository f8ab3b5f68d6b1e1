"""`SolidPane`: chosen regions in 3-D, on a napari canvas that is made when first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QPushButton, QStackedLayout, QVBoxLayout, QWidget

from monet_app.icons import icon
from monet_app.views.settings import own_napari_settings
from monet_app.views.surfaces import Mesh

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Surface
    from napari.qt import QtViewer

HINT = "Regions as surfaces"
NOTHING = "No region to show"
# Where the camera looks to, in S, P, R: from the front, a little from the left and from above.
FROM_FRONT = (-0.35, 0.85, 0.4)
UP = (1.0, 0.3, 0.15)
# napari's axes (towards us, down, right) are handed as S, P, R are. Its camera could be turned
# round for S, A, R, but surfaces are then lit from behind (0.9.2).
_AS_DRAWN = np.array([1, -1, 1], np.float32)


class SolidPane(QWidget):
    """A calm place with a button until 3-D is asked for; then the surfaces."""

    asked = Signal()
    doubled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("canvas")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.model: ViewerModel | None = None
        self.view: QtViewer | None = None
        self._layer: Surface | None = None
        self.vertices = np.empty((0, 3), np.float32)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._placeholder())

    def _placeholder(self) -> QWidget:
        place = QWidget()
        place.setObjectName("canvas")
        place.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        layout = QVBoxLayout(place)
        layout.addStretch(1)
        self.button = QPushButton("Show in 3-D")
        self.button.setIcon(icon("mdi6.cube-outline"))
        self.button.setToolTip("Draw the regions that are shown as surfaces")
        self.button.clicked.connect(lambda: self.asked.emit())
        self.words = QLabel(HINT)
        self.words.setObjectName("hint")
        self.words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout.addWidget(self.button, alignment=Qt.AlignmentFlag.AlignHCenter)
        layout.addWidget(self.words)
        layout.addStretch(1)
        return place

    @property
    def shown(self) -> bool:
        """Whether surfaces are shown."""
        return self._stack.currentIndex() > 0

    def say(self, text: str) -> None:
        """Words in place of the picture; empty for the usual ones."""
        self.words.setText(text or HINT)
        self.button.setEnabled(not text)

    def show_mesh(self, mesh: Mesh | None) -> None:
        """Show surfaces; None says that there are none."""
        if mesh is None:
            self.clear()
            self.words.setText(NOTHING)
            return
        self.say("")
        first = self.model is None
        viewer = self._make()
        self.vertices = mesh.vertices
        data = (mesh.vertices * _AS_DRAWN, mesh.faces, np.ones(len(mesh.vertices), np.float32))
        before = self._layer
        self._layer = viewer.add_surface(
            data, vertex_colors=mesh.colors, shading="smooth", name="regions"
        )
        # In this order the camera stays where the user put it.
        if before is not None:
            viewer.layers.remove(before)
        self._stack.setCurrentIndex(1)
        if first:
            self.reset()

    def clear(self) -> None:
        """Back to the calm place."""
        if self._layer is not None and self.model is not None:
            self.model.layers.remove(self._layer)
            self._layer = None
        self.say("")
        self._stack.setCurrentIndex(0)

    def reset(self) -> None:
        """Look from the front, at everything."""
        if self.model is None or self._layer is None:
            return
        self.model.scene.camera.set_view_direction(FROM_FRONT, UP)
        self._fit()

    def _fit(self) -> None:
        if self.model is not None and self._layer is not None:
            self.model.reset_view(reset_camera_angle=False)

    def _make(self) -> ViewerModel:
        """The canvas, made on first use: a second or more."""
        if self.model is not None:
            return self.model
        from napari.components import ViewerModel
        from napari.qt import QtViewer

        own_napari_settings()
        viewer = ViewerModel(title="3-D", ndisplay=3)
        viewer.canvas.background_color_override = "black"
        self.view = QtViewer(viewer)
        self.view.dims.hide()
        self.view.setAcceptDrops(False)
        viewer.mouse_double_click_callbacks.clear()
        viewer.mouse_double_click_callbacks.append(lambda *_: self.doubled.emit())
        viewer.canvas.events.size.connect(lambda _: self._fit())
        self._stack.addWidget(self.view)
        self.model = viewer
        return viewer

    def end(self) -> None:
        """Let go of the OpenGL canvas."""
        if self.view is not None:
            self.view.close()
