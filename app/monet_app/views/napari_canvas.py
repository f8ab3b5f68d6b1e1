"""`NapariCanvas`: a plane's picture on a napari canvas. Public napari API only.

It holds one image layer, whose pixels are replaced in place: napari is asked neither to slice nor
to compose, which is what a frame would mostly cost.
"""

from __future__ import annotations

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image
from napari.qt import QtViewer
from qtpy.QtGui import QImage
from qtpy.QtWidgets import QWidget

from monet_app.views.compose import Picture
from monet_app.views.lens import Lens, Place
from monet_app.views.settings import own_napari_settings


class NapariCanvas:
    """See `monet_app.views.canvas.Canvas`."""

    def __init__(self) -> None:
        own_napari_settings()
        self.model = ViewerModel()
        camera = self.model.scene.camera
        camera.mouse_pan = camera.mouse_zoom = False
        self.model.canvas.background_color_override = "black"
        self.view = QtViewer(self.model)
        self.view.dims.hide()
        self.view.setAcceptDrops(False)
        self._layer: Image | None = None
        self._lens = Lens()

    @property
    def widget(self) -> QWidget:
        """See `Canvas`."""
        return self.view

    @property
    def surface(self) -> QWidget:
        """See `Canvas`."""
        return self.view.canvas.native

    def draw(self, picture: Picture | None, place: Place) -> None:
        """See `Canvas`."""
        if picture is None:
            if self._layer is not None:
                self._layer.visible = False
            return
        layer = self._layer
        if layer is None:
            self._add(picture, place)
            return
        if layer.data.shape == picture.shape:
            layer.data[...] = picture
        else:
            layer.data = picture
        _move(layer, place)
        if not layer.visible:
            layer.visible = True
        layer.refresh(thumbnail=False, highlight=False, extent=False)

    def _add(self, picture: Picture, place: Place) -> None:
        self._layer = Image(picture, rgb=True, name="slice", interpolation2d="nearest")
        _move(self._layer, place)
        self.model.add_layer(self._layer)
        self.look(self._lens)  # napari looks at the whole of a first layer

    def look(self, lens: Lens) -> None:
        """See `Canvas`."""
        self._lens = lens
        camera = self.model.scene.camera
        camera.orientation2d = ("up", "right" if lens.rightwards else "left")
        camera.center = (0.0, *lens.centre)
        camera.zoom = lens.zoom

    def grab_image(self) -> QImage:
        """See `Canvas`."""
        return self.view.canvas.native.grabFramebuffer()

    def end(self) -> None:
        """See `Canvas`."""
        self.view.close()


def _move(layer: Image, place: Place) -> None:
    """Put a layer to its place; only where it is elsewhere, since that is slow."""
    if not np.array_equal(layer.scale, place.spacing):
        layer.scale = place.spacing
    if not np.array_equal(layer.translate, place.first):
        layer.translate = place.first
