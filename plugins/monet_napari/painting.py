"""Painting with napari's own tools, undone with napari's own history."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from napari.layers import Labels

from monet_app.stage.protocol import Plane, Tool
from monet_app.views.editing import between_slices
from monet_napari.held import Held

AXIS: dict[str, int] = {"axial": 0, "coronal": 1, "sagittal": 2}


class Painter:
    """The tool in the user's hand; tells which segmentation changed and what was picked.

    A segmentation may be drawn in several views, whose layers share one array: an edit in one is
    drawn in the others, and undone where it was made.
    """

    def __init__(
        self,
        held: Mapping[str, Held],
        edited: Callable[[str], None],
        picked: Callable[[str, int], None],
    ) -> None:
        self._held, self._edited, self._picked = held, edited, picked
        self._key: str | None = None
        self._done: list[tuple[str, Labels]] = []
        self._undone: list[tuple[str, Labels]] = []
        self._replaying = False

    @property
    def busy(self) -> bool:
        """Whether the mouse is a tool at present."""
        return self._key is not None

    def watch(self, key: str) -> None:
        """Tell of edits in this segmentation, whoever makes them."""
        for layer in self._held[key].layers:
            layer.events.paint.connect(lambda _, layer=layer: self._painted(key, layer))
            layer.events.selected_label.connect(lambda _, layer=layer: self._took(key, layer))

    def forget(self, key: str) -> None:
        """It is leaving the stage."""
        if key == self._key:
            self._key = None
        for stack in (self._done, self._undone):
            stack[:] = [entry for entry in stack if entry[0] != key]

    def edit(
        self, key: str | None, index: int, tool: Tool | None, brush_mm: float, three_d: bool
    ) -> None:
        """See `Stage.edit`."""
        self._rest()
        held = self._held.get(key) if key is not None else None
        if held is None or tool is None or not held.own:
            return
        self._key = key
        for model, layer in held.views:
            layer.selected_label = index
            layer.n_edit_dimensions = 3 if three_d else 2
            layer.brush_size = max(1.0, brush_mm / float(np.min(layer.scale)))
            layer.mode = tool
            model.layers.selection.active = layer

    def undo(self) -> None:
        """Take back."""
        self._replay(self._done, self._undone, Labels.undo)

    def redo(self) -> None:
        """Do again."""
        self._replay(self._undone, self._done, Labels.redo)

    def interpolate(self, key: str, index: int, plane: Plane) -> int:
        """See `Stage.interpolate`."""
        held = self._held[key]
        if held.layer is None or not held.own:
            return 0
        axis, data = AXIS[plane], np.asarray(held.layer.data)
        spacing = np.delete(np.asarray(held.layer.scale), axis)
        added = between_slices(np.moveaxis(data == index, axis, 0), spacing)
        where = np.moveaxis(added, 0, axis) & (data == 0)
        if where.any():
            held.layer.data_setitem(np.nonzero(where), index)  # which tells of itself
        return int(where.sum())

    def _painted(self, key: str, layer: Labels) -> None:
        if self._replaying:
            return
        self._done.append((key, layer))
        self._undone.clear()
        self._draw_again(key, layer)
        self._edited(key)

    def _draw_again(self, key: str, but: Labels) -> None:
        for layer in self._held[key].layers:
            if layer is not but:
                layer.refresh(extent=False)

    def _rest(self) -> None:
        held = self._held.get(self._key) if self._key else None
        for model, layer in held.views if held is not None else ():
            layer.mode = "pan_zoom"
            model.layers.selection.active = None
        self._key = None

    def _replay(
        self,
        taken: list[tuple[str, Labels]],
        given: list[tuple[str, Labels]],
        what: Callable[[Labels], None],
    ) -> None:
        if not taken:
            return
        key, layer = taken.pop()
        self._replaying = True
        what(layer)
        self._replaying = False
        given.append((key, layer))
        self._draw_again(key, layer)
        self._edited(key)

    def _took(self, key: str, layer: Labels) -> None:
        if key in self._held and layer.mode == "pick" and key == self._key:
            self._picked(key, int(layer.selected_label))
