"""`NapariStage`: the user's own napari viewer as the stage of our panels. Public API only.

One viewer has one cross-hair and one plane at a time; "four" therefore shows the plane that is
shown anyway. Side by side is napari's grid mode. Layers of the user's are left alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels
from numpy.typing import NDArray
from psygnal import Signal

from monet_app.stage.protocol import Layout, Levels, OnStage, Plane, Probe, Ras, Tool
from monet_core.protocols import Protocol
from monet_core.scans import Geometry, LabelMap, Scan
from monet_napari.grid import GRID, Grid
from monet_napari.held import Held, hold
from monet_napari.looks import Looks
from monet_napari.painting import Painter
from monet_napari.reading import path_of, scan_keywords
from monet_napari.views import views_of

if TYPE_CHECKING:
    from napari.viewer import Viewer

_SPOTS = slice(None, None, 4)


class NapariStage(Looks):
    """See `monet_app.stage.protocol.Stage`."""

    cursorMoved = Signal(tuple)  # noqa: N815
    edited = Signal(str)
    picked = Signal(str, int)
    layoutChanged = Signal(str)  # noqa: N815
    viewChanged = Signal()  # noqa: N815

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.views = views_of(viewer)
        self._grid: Grid | None = None
        self._scan: Scan | None = None
        self._image: Image | None = None
        self._adopted: Image | None = None
        self._held: dict[str, Held] = {}
        self._maps: dict[str, tuple[Image, NDArray[np.float32], Geometry]] = {}
        self._opacity, self._outline = 0.5, 0
        self._painter = Painter(self._held, self.edited.emit, self.picked.emit)
        viewer.dims.events.point.connect(self._moved)
        viewer.mouse_drag_callbacks.append(self._clicked)
        viewer.layers.events.removed.connect(self._layer_gone)

    # -- what is shown ----------------------------------------------------------------------

    def show_scan(self, scan: Scan | None, name: str = "") -> None:
        """See `Stage`. A layer that shows this file already is used as it is."""
        self._clear()
        self._scan = scan
        self._grid = Grid.of(scan) if scan is not None else None
        if scan is not None and self._grid is not None:
            self._image = self._adopted = self._layer_of(scan)
            if self._image is None:
                self._image = self.viewer.add_image(
                    self._grid.to_layer(scan.data), **scan_keywords(scan, name or "scan")
                )
            self._image.visible = True
            self.views.look_at(self._grid)
            self._to_middle()
        self.set_busy("")
        self.viewChanged.emit()

    def show_segmentation(
        self, key: str, labels: LabelMap, protocol: Protocol, name: str = ""
    ) -> None:
        """See `Stage`."""
        if self._grid is None:
            raise ValueError("a segmentation needs a scan below it")
        before = self._held.get(key)
        visible = before is None or before.on.visible
        self.remove_segmentation(key)
        held = hold(OnStage(key, name or protocol.name, protocol, visible), labels, self._grid)
        layer = Labels(held.drawn, **held.keywords, opacity=self._opacity)
        layer.contour = self._outline
        layer.visible = visible
        held.views = [(self.viewer, layer)]
        self.viewer.add_layer(layer)
        self._held[key] = held
        self._painter.watch(key)
        self.views.raise_cross()
        self.viewChanged.emit()

    def remove_segmentation(self, key: str) -> None:
        """See `Stage`."""
        held = self._held.pop(key, None)
        if held is not None:
            self._painter.forget(key)
            self._drop(held.layer)
            self.viewChanged.emit()

    @property
    def segmentations(self) -> Mapping[str, OnStage]:
        """See `Stage`."""
        return {key: held.on for key, held in self._held.items()}

    def set_visible(self, key: str, visible: bool) -> None:
        """See `Stage`."""
        held = self._held.get(key)
        if held is not None:
            held.change(visible=visible)
            held.layer.visible = visible
            self.viewChanged.emit()

    def set_hidden(self, key: str, indices: Collection[int]) -> None:
        """See `Stage`."""
        held = self._held.get(key)
        if held is not None:
            held.change(hidden=frozenset(indices))
            held.recolour()
            self.viewChanged.emit()

    def isolate(self, key: str, indices: Collection[int] | None) -> None:
        """See `Stage`."""
        held = self._held.get(key)
        if held is not None:
            held.only = None if indices is None else frozenset(indices)
            held.recolour()
            self.viewChanged.emit()

    def show_map(
        self,
        key: str,
        data: NDArray[np.float32],
        geometry: Geometry,
        *,
        colormap: str = "inferno",
        limits: Levels | None = None,
    ) -> None:
        """See `Stage`."""
        self.remove_map(key)
        grid = Grid(geometry, None)
        high = float(np.nanmax(data[_SPOTS, _SPOTS, _SPOTS], initial=0))
        layer = self.viewer.add_image(
            grid.to_layer(data), name=key, colormap=colormap, blending="additive",
            contrast_limits=limits or (0.0, max(high, 1e-6)), **grid.placement_in(self._grid),
        )  # fmt: skip
        self._maps[key] = layer, data, geometry
        self.viewChanged.emit()

    def remove_map(self, key: str) -> None:
        """See `Stage`."""
        held = self._maps.pop(key, None)
        if held is not None:
            self._drop(held[0])
            self.viewChanged.emit()

    def set_busy(self, text: str) -> None:
        """See `Stage`."""
        self.views.say(text)

    # -- where ------------------------------------------------------------------------------

    @property
    def cursor(self) -> Ras:
        """See `Stage`."""
        point = self.viewer.dims.point[-3:]
        if self._grid is None or len(point) < 3:
            return 0.0, 0.0, 0.0
        return self._grid.from_world(point)

    def go_to(self, ras_mm: Sequence[float]) -> None:
        """See `Stage`."""
        if self._grid is not None:
            point = self._grid.to_world(self._grid.inside(ras_mm))
            first = self.viewer.dims.ndim - 3
            self.viewer.dims.set_point(range(first, first + 3), point)

    def step(self, plane: Plane, slices: int) -> None:
        """See `Stage`."""
        if self._grid is None:
            return
        axis = ("axial", "coronal", "sagittal").index(plane)
        point = list(self._grid.to_world(self.cursor))
        point[axis] += slices * self._grid.geometry.canonical().spacing[::-1][axis]
        self.go_to(self._grid.from_world(point))

    def probe(self, ras_mm: Sequence[float]) -> Probe:
        """See `Stage`."""
        intensity = None
        if self._scan is not None:
            intensity = _at(self._scan.data, self._scan.geometry, ras_mm)
        regions = {key: held.at(ras_mm) for key, held in self._held.items()}
        maps = {key: _at(data, grid, ras_mm) for key, (_, data, grid) in self._maps.items()}
        return Probe(
            intensity,
            {key: index for key, index in regions.items() if index is not None},
            {key: value for key, value in maps.items() if value is not None},
        )

    # -- how --------------------------------------------------------------------------------

    @property
    def layout(self) -> Layout:
        """See `Stage`."""
        return self.views.layout

    def set_layout(self, layout: Layout) -> None:
        """See `Stage`."""
        if layout == "side-by-side":
            self.set_side_by_side(list(self._held)[:4])
            return
        self.views.end_grid()
        self.views.set_layout(layout)
        self.layoutChanged.emit(layout)

    def set_side_by_side(self, keys: Sequence[str], plane: Plane = "axial") -> None:
        """See `Stage`: napari's grid mode, each segmentation on its own copy of the scan."""
        layers = [self._held[key].layer for key in keys if key in self._held]
        if len(layers) < 2 or self._image is None:
            return
        for key in keys:
            self.set_visible(key, True)
        self.views.set_layout(plane)
        self.views.show_grid(self._image, layers)
        self.layoutChanged.emit("side-by-side")

    # -- editing ----------------------------------------------------------------------------

    def edit(
        self,
        key: str | None,
        index: int = 0,
        tool: Tool | None = None,
        brush_mm: float = 3.0,
        three_d: bool = False,
    ) -> None:
        """See `Stage`."""
        self._painter.edit(key, index, tool, brush_mm, three_d)

    def undo(self) -> None:
        """See `Stage`."""
        self._painter.undo()

    def redo(self) -> None:
        """See `Stage`."""
        self._painter.redo()

    def edited_labels(self, key: str) -> NDArray[np.int32]:
        """See `Stage`."""
        return self._held[key].own_labels()

    def interpolate(self, key: str, index: int, plane: Plane = "axial") -> int:
        """See `Stage`."""
        return self._painter.interpolate(key, index, plane)

    # -- 3-D, pictures ----------------------------------------------------------------------

    def set_mesh_regions(self, key: str, indices: Collection[int]) -> None:
        """See `Stage`: napari draws the label volume itself in 3-D, of these regions only."""
        self.isolate(key, indices or None)

    def screenshot(self) -> NDArray[np.uint8]:
        """See `Stage`."""
        return np.asarray(self.viewer.screenshot(canvas_only=True, flash=False), np.uint8)

    @property
    def widget(self) -> Any:
        """None: the views belong to napari's own window."""
        return None

    # -- inside -----------------------------------------------------------------------------

    def _layer_of(self, scan: Scan) -> Image | None:
        """An open layer that was read from the scan's file and lies where it lies."""
        for layer in self.viewer.layers:
            if isinstance(layer, Image) and GRID in layer.metadata and self._shows(layer, scan):
                return layer
        return None

    def _shows(self, layer: Image, scan: Scan) -> bool:
        grid = Grid.of(scan)
        there = grid.fits(layer.data.shape, layer.scale, layer.translate)
        return there and scan.path is not None and path_of(layer) == Path(scan.path)

    def _clear(self) -> None:
        self.views.end_grid()
        for key in list(self._held):
            self.remove_segmentation(key)
        for key in list(self._maps):
            self.remove_map(key)
        if self._image is not None and self._image is self._adopted:
            self._image.visible = False
        elif self._image is not None:
            self._drop(self._image)
        self._image = self._adopted = None
        self.views.hide_cross()

    def _drop(self, layer: Image | Labels | None) -> None:
        with suppress(ValueError):  # the user may have deleted it
            self.viewer.layers.remove(layer)

    def _to_middle(self) -> None:
        if self._grid is not None:
            x, y, z = self._grid.geometry.centre
            self.go_to((float(x), float(y), float(z)))

    def _moved(self, _: object = None) -> None:
        if self._grid is not None and self._image is not None and self.viewer.dims.ndim >= 3:
            self.views.move_cross(self.viewer.dims.point[-3:])
            self.cursorMoved.emit(self.cursor)

    def _clicked(self, viewer: Viewer, event: Any) -> Any:
        """A click (no drag) with the ordinary mouse moves the cross-hair there."""
        active = viewer.layers.selection.active
        if self._grid is None or (isinstance(active, Labels) and active.mode != "pan_zoom"):
            return
        yield
        dragged = event.type == "mouse_move"
        while event.type == "mouse_move":
            yield
        if not dragged and viewer.dims.ndisplay == 2:
            self.go_to(self._grid.from_world(event.position[-3:]))

    def _layer_gone(self, event: Any) -> None:
        """The user deleted a layer of ours in napari's own list."""
        gone = event.value
        for key, held in list(self._held.items()):
            if held.layer is gone:
                self.remove_segmentation(key)
        if gone is self._image:
            self._image = self._adopted = None
            self.views.hide_cross()


def _at(data: NDArray[Any], geometry: Geometry, ras: Sequence[float]) -> float | None:
    voxel = np.rint(np.linalg.solve(geometry.affine, [*ras, 1.0])[:3]).astype(int)
    inside = (voxel >= 0).all() and (voxel < geometry.shape).all()
    return float(data[tuple(voxel)]) if inside else None
