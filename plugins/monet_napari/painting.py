"""Painting with napari's own tools, undone with napari's own history."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Labels

from monet_app.stage.protocol import Plane, Tool
from monet_napari.held import Held
from monet_napari.slices import between_slices

if TYPE_CHECKING:
    from napari.viewer import Viewer

AXIS: dict[str, int] = {"axial": 0, "coronal": 1, "sagittal": 2}


class Painter:
    """The tool in the user's hand; tells which segmentation changed and what was picked."""

    def __init__(
        self,
        viewer: Viewer,
        held: Mapping[str, Held],
        edited: Callable[[str], None],
        picked: Callable[[str, int], None],
    ) -> None:
        self.viewer, self._held = viewer, held
        self._edited, self._picked = edited, picked
        self._key: str | None = None

    def watch(self, key: str) -> None:
        """Tell of edits in this segmentation, whoever makes them."""
        layer = self._held[key].layer
        if layer is not None:
            layer.events.paint.connect(lambda _: self._edited(key))
            layer.events.selected_label.connect(lambda _: self._took(key))

    def forget(self, key: str) -> None:
        """It is leaving the stage."""
        if key == self._key:
            self._key = None

    def edit(
        self, key: str | None, index: int, tool: Tool | None, brush_mm: float, three_d: bool
    ) -> None:
        """See `Stage.edit`."""
        self._rest()
        held = self._held.get(key) if key is not None else None
        if held is None or held.layer is None or tool is None or not held.own:
            return
        layer = held.layer
        self._key = key
        layer.selected_label = index
        layer.n_edit_dimensions = 3 if three_d else 2
        layer.brush_size = max(1.0, brush_mm / float(np.min(layer.scale)))
        layer.mode = tool
        self.viewer.layers.selection.active = layer

    def undo(self) -> None:
        """Take back."""
        self._replay(Labels.undo)

    def redo(self) -> None:
        """Do again."""
        self._replay(Labels.redo)

    def interpolate(self, key: str, index: int, plane: Plane) -> int:
        """See `Stage.interpolate`."""
        layer = self._held[key].layer
        if layer is None or not self._held[key].own:
            return 0
        axis = AXIS[plane]
        added = between_slices(np.moveaxis(np.asarray(layer.data) == index, axis, 0))
        where = np.moveaxis(added, 0, axis) & (np.asarray(layer.data) == 0)
        if where.any():
            layer.data_setitem(np.nonzero(where), index)
        return int(where.sum())

    def _rest(self) -> None:
        held = self._held.get(self._key) if self._key else None
        if held is not None and held.layer is not None:
            held.layer.mode = "pan_zoom"
        self._key = None

    def _replay(self, what: Callable[[Labels], None]) -> None:
        active = self.viewer.layers.selection.active
        for key, held in self._held.items():
            if held.layer is not None and (key == self._key or held.layer is active):
                what(held.layer)
                self._edited(key)
                return

    def _took(self, key: str) -> None:
        layer = self._held[key].layer if key in self._held else None
        if layer is not None and layer.mode == "pick" and key == self._key:
            self._picked(key, int(layer.selected_label))
