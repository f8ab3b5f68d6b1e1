"""How the user's viewer looks at a scan: planes, sides, letters, cross-hair, grid."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.components.overlays import TextOverlay
from napari.layers import Image, Labels, Vectors

from monet_app.stage.protocol import Layout
from monet_napari.grid import Grid

if TYPE_CHECKING:
    from napari.viewer import Viewer

ORDERS: dict[str, tuple[int, int, int]] = {
    "axial": (0, 1, 2),
    "coronal": (1, 0, 2),
    "sagittal": (2, 0, 1),
}
_ENDS = ("IS", "PA", "LR")
_EDGES = ("top_center", "bottom_center", "middle_left", "middle_right")
CROSS = "Cross-hair"


class Views:
    """The camera, sliders and overlays of one viewer."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.layout: Layout = "axial"
        self.radiological, self.letters, self.crosshair = True, True, True
        self._placed: dict[str, Any] | None = None
        self._size = np.zeros(3)
        self._cross: Vectors | None = None
        self._copies: list[Image] = []
        self._order: list[Any] = []
        viewer.dims.events.order.connect(self._letter)
        viewer.dims.events.ndisplay.connect(self._letter)
        viewer.dims.events.ndim.connect(self._letter)

    def prepare(self, grid: Grid) -> None:
        """Turn an empty viewer, before a scan comes in, so that it will stand upright."""
        self._place(grid)
        self.set_radiological(self.radiological)

    def _place(self, grid: Grid) -> None:
        self._placed = grid.placement
        self._size = np.array(grid.geometry.canonical().shape[::-1]) - 1

    def look_at(self, grid: Grid) -> None:
        """Turn the viewer so that a scan on `grid` stands upright."""
        self._place(grid)
        self.set_radiological(self.radiological)
        self.set_layout("axial" if self.layout == "four" else self.layout)
        self._letter()

    def set_layout(self, layout: Layout) -> None:
        """Show a plane, or 3-D; "four" leaves the plane as it is."""
        self.layout = layout
        dims = self.viewer.dims
        dims.ndisplay = 3 if layout == "3d" else 2
        if layout in ORDERS:
            extra = dims.ndim - 3
            dims.order = (*range(extra), *(extra + axis for axis in ORDERS[layout]))
            self.viewer.reset_view()
        if layout == "3d":
            front = (0.0, -1.0, 0.0)
            self.viewer.scene.camera.set_view_direction(front, (1.0, 0.0, 0.0))

    def set_radiological(self, radiological: bool) -> None:
        """Turn left and right; in 3-D the depth turns with them, so that nothing is mirrored."""
        self.radiological = radiological
        sides = ("away", "up", "left") if radiological else ("towards", "up", "right")
        self.viewer.scene.camera.orientation = sides
        self._letter()

    def set_letters(self, shown: bool) -> None:
        """Write the directions at the edges, or not."""
        self.letters = shown
        self._letter()

    def say(self, text: str) -> None:
        """What is being done, over the canvas and in the status line."""
        overlay = self.viewer.canvas.overlays.text
        overlay.text = text
        overlay.position = "top_left"
        overlay.visible = bool(text)
        if text:
            self.viewer.status = text

    # -- cross-hair -------------------------------------------------------------------------

    def set_crosshair(self, shown: bool) -> None:
        """Draw it or not."""
        self.crosshair = shown
        if self._cross is not None:
            self._cross.visible = shown

    def move_cross(self, point: Sequence[float]) -> None:
        """Three thin lines through a point (S, A, R)."""
        if self._placed is None:
            return
        if self._cross is None or self._cross not in self.viewer.layers:
            self._cross = self._new_cross()
        self._cross.data = self._lines(point)

    def raise_cross(self) -> None:
        """Put it on top of what was added."""
        layers = self.viewer.layers
        if self._cross is not None and self._cross in layers:
            layers.move(layers.index(self._cross), len(layers))

    def hide_cross(self) -> None:
        """Take it away with its scan."""
        if self._cross is not None and self._cross in self.viewer.layers:
            self.viewer.layers.remove(self._cross)
        self._cross = None

    def _new_cross(self) -> Vectors:
        active = self.viewer.layers.selection.active
        made = self.viewer.add_vectors(
            self._lines(self.viewer.dims.point[-3:]), name=CROSS, vector_style="line",
            edge_color="#5aa9e6", edge_width=self._line_width, opacity=0.8, visible=self.crosshair,
            **(self._placed or {}),
        )  # fmt: skip
        if active is not None:
            self.viewer.layers.selection.active = active
        return made

    @property
    def _line_width(self) -> float:
        """About half a millimetre, in voxels."""
        return 0.4 / float(min((self._placed or {"scale": (1,)})["scale"]))

    def _lines(self, point: Sequence[float]) -> np.ndarray:
        """In voxels of the scan, so that the sliders' steps stay the scan's."""
        placed = self._placed or {}
        voxel = (np.asarray(point) - placed["translate"]) / placed["scale"]
        lines = np.zeros((3, 2, 3))
        lines[:, 0] = np.rint(voxel)
        # From centre to centre: what reaches farther would shift the sliders by half a voxel.
        lines[range(3), 0, range(3)] = 0
        lines[range(3), 1, range(3)] = self._size
        return lines

    # -- letters ----------------------------------------------------------------------------

    def _letter(self, _: object = None) -> None:
        overlays = self.viewer.canvas.overlays
        for edge, letter in zip(_EDGES, self._letters(), strict=True):
            name = f"monet_{edge}"
            if name not in overlays:
                overlays[name] = TextOverlay(position=edge, font_size=12, box=True)
            overlays[name].gridded = self.layout == "side-by-side"
            overlays[name].text = letter
            overlays[name].visible = bool(letter)

    def _letters(self) -> tuple[str, str, str, str]:
        """Top, bottom, left, right."""
        if not self.letters or self._placed is None or self.viewer.dims.ndisplay != 2:
            return "", "", "", ""
        extra = self.viewer.dims.ndim - 3
        if extra < 0:
            return "", "", "", ""
        vertical, horizontal = (axis - extra for axis in self.viewer.dims.order[-2:])
        if min(vertical, horizontal) < 0:
            return "", "", "", ""
        left, right = _ENDS[horizontal][::-1] if self.radiological else _ENDS[horizontal]
        return _ENDS[vertical][1], _ENDS[vertical][0], left, right

    # -- side by side -----------------------------------------------------------------------

    def show_grid(self, image: Image, layers: Sequence[Labels]) -> None:
        """A cell for each of `layers` over a copy of the scan; all else is hidden meanwhile."""
        self.end_grid()
        self._order = [(layer, layer.visible) for layer in self.viewer.layers]
        for layer, _ in self._order:
            layer.visible = layer in layers
        for labels in layers:
            copy = Image(
                image.data, name=f"{image.name} | {labels.name}", colormap="gray",
                contrast_limits=image.contrast_limits, scale=image.scale,
                translate=image.translate, units=image.units, axis_labels=image.axis_labels,
            )  # fmt: skip
            self._copies.append(copy)
            self.viewer.layers.append(copy)
            index = self.viewer.layers.index(labels)
            self.viewer.layers.move(index, len(self.viewer.layers))
        self._pad(len(layers))
        grid = self.viewer.canvas.grid
        grid.stride, grid.shape, grid.enabled = 2, (1, -1), True
        self.layout = "side-by-side"
        self._letter()
        self.viewer.reset_view()

    def end_grid(self) -> None:
        """One picture again."""
        if not self._copies:
            return
        self.viewer.canvas.grid.enabled = False
        for copy in self._copies:
            if copy in self.viewer.layers:
                self.viewer.layers.remove(copy)
        self._copies = []
        for layer, visible in self._order:
            layer.visible = visible
        self._order = []
        self.raise_cross()

    def _pad(self, cells: int) -> None:
        """Cells are counted from the first layer: an odd number below would tear pairs apart."""
        below = len(self.viewer.layers) - 2 * cells
        if below % 2:
            filler = Image(np.zeros((1, 1, 1)), name="(grid)", visible=False)
            self._copies.append(filler)
            self.viewer.layers.insert(0, filler)


_views: weakref.WeakKeyDictionary[Any, Views] = weakref.WeakKeyDictionary()


def views_of(viewer: Viewer) -> Views:
    """The one object that turns a viewer, for the reader and the stage."""
    if viewer not in _views:
        _views[viewer] = Views(viewer)
    return _views[viewer]
