"""`OrthoStage`: three linked planes and 3-D, on napari canvases of our own.

Every pane has its own layers on shared arrays, and is told only of moves along its own axis, so
that a step in one plane draws one plane.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from napari.layers import Image, Labels
from numpy.typing import NDArray
from psygnal import Signal
from qtpy.QtGui import QImage

from monet_app.stage.grid import Grid
from monet_app.stage.held import Held, hold
from monet_app.stage.painting import Painter
from monet_app.stage.protocol import (
    MOST_COLUMNS,
    Layout,
    Levels,
    OnStage,
    Plane,
    Probe,
    Ras,
    Tool,
)
from monet_app.threads import ThreadBackground
from monet_app.views.looks import Looks
from monet_app.views.maps import map_limits, value_at
from monet_app.views.pane import Pane, Point
from monet_app.views.panes import Panes
from monet_app.views.solid import SolidPane
from monet_app.views.surfaces import Surface, middle_of, surface_of
from monet_core.protocols import Protocol
from monet_core.scans import Geometry, LabelMap, Scan


class OrthoStage(Looks):
    """See `monet_app.stage.protocol.Stage`."""

    cursorMoved = Signal(tuple)  # noqa: N815
    edited = Signal(str)
    picked = Signal(str, int)
    layoutChanged = Signal(str)  # noqa: N815
    viewChanged = Signal()  # noqa: N815

    def __init__(self) -> None:
        self.panes = Panes(self, SolidPane(self._solid_asked, self._solid_doubled))
        self._background = ThreadBackground(self.panes)
        self._scan: Scan | None = None
        self._grid: Grid | None = None
        self._array: NDArray[np.float32] | None = None
        self._images: list[Image] = []
        self._held: dict[str, Held] = {}
        self._maps: dict[str, tuple[list[tuple[Pane, Image]], NDArray[np.float32], Geometry]] = {}
        self._point: Point = (0.0, 0.0, 0.0)
        self._layout: Layout = "four"
        self._start_looks()
        self._painter = Painter(self._held, self.edited.emit, self.picked.emit)

    # -- what is shown ----------------------------------------------------------------------

    def show_scan(self, scan: Scan | None, name: str = "") -> None:  # noqa: ARG002
        """See `Stage`; the window's title tells the name."""
        self._clear()
        self._scan = scan
        self._grid = Grid.of(scan) if scan is not None else None
        if scan is not None and self._grid is not None:
            self._array = np.ascontiguousarray(self._grid.to_layer(scan.data))
            self._levels = self.levels_presets["2–98 %"]
            for pane in self.panes.planes.values():
                self._images.append(self._add_scan(pane))
            self.go_to(self._grid.geometry.centre)
            self.reset_view()
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
        self._take_off(key)
        held = hold(OnStage(key, name or protocol.name, protocol, visible), labels, self._grid)
        for pane in self.panes.planes.values():
            held.views.append((pane.model, self._add_labels(pane, held)))
        self._held[key] = held
        self._painter.watch(key)
        self._offer_solid()
        self.viewChanged.emit()

    def remove_segmentation(self, key: str) -> None:
        """See `Stage`."""
        if key in self._held:
            self._take_off(key)
            self._offer_solid()
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
            for layer in held.layers:
                layer.visible = visible
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
        drawn = grid.to_layer(np.asarray(data, np.float32))
        keywords = {
            "name": key, "colormap": colormap, "blending": "additive",
            "contrast_limits": map_limits(data, limits), **grid.placement_in(self._grid),
        }  # fmt: skip
        layers = [(pane, pane.add_image(drawn, **keywords)) for pane in self.panes.all]
        self._maps[key] = layers, data, geometry
        self.viewChanged.emit()

    def remove_map(self, key: str) -> None:
        """See `Stage`."""
        layers, _, _ = self._maps.pop(key, ([], None, None))
        for pane, layer in layers:
            pane.remove(layer)
        if layers:
            self.viewChanged.emit()

    def set_busy(self, text: str) -> None:
        """See `Stage`."""
        for pane in self.panes.all:
            pane.set_busy(text)

    # -- where ------------------------------------------------------------------------------

    @property
    def cursor(self) -> Ras:
        """See `Stage`."""
        return self._grid.from_world(self._point) if self._grid else (0.0, 0.0, 0.0)

    def go_to(self, ras_mm: Sequence[float]) -> None:
        """See `Stage`."""
        if self._grid is None:
            return
        self._point = self._grid.to_world(self._grid.inside(ras_mm))
        for pane in self.panes.all:
            pane.move_to(self._point)
        self.cursorMoved.emit(self.cursor)

    def step(self, plane: Plane, slices: int) -> None:
        """See `Stage`."""
        if self._grid is not None:
            axis = self.panes.planes[plane].axis
            point = list(self._point)
            point[axis] += slices * self._grid.placement["scale"][axis]
            self.go_to(self._grid.from_world(point))

    def probe(self, ras_mm: Sequence[float]) -> Probe:
        """See `Stage`."""
        scan = self._scan
        intensity = None if scan is None else value_at(scan.data, scan.geometry, ras_mm)
        regions = {key: held.at(ras_mm) for key, held in self._held.items()}
        maps = {key: value_at(data, grid, ras_mm) for key, (_, data, grid) in self._maps.items()}
        return Probe(
            intensity,
            {key: index for key, index in regions.items() if index is not None},
            {key: value for key, value in maps.items() if value is not None},
        )

    # -- the panes' mouse -------------------------------------------------------------------

    @property
    def painting(self) -> bool:
        """Whether the mouse is a painting tool."""
        return self._painter.busy

    def pane_pointed(self, point: Point) -> None:
        """The mouse wants the cross-hair here."""
        if self._grid is not None:
            self.go_to(self._grid.from_world(point))

    def pane_scrolled(self, pane: Pane, slices: int) -> None:
        """The wheel turned over a pane."""
        self.step(pane.plane, slices)

    def pane_doubled(self, pane: Pane) -> None:
        """One view large, and back."""
        if self._layout != "side-by-side":
            self.set_layout("four" if self._layout == pane.plane else pane.plane)

    # -- how --------------------------------------------------------------------------------

    @property
    def layout(self) -> Layout:
        """See `Stage`."""
        return self._layout

    def set_layout(self, layout: Layout) -> None:
        """See `Stage`."""
        if layout == "side-by-side":
            self.set_side_by_side(list(self._held)[:MOST_COLUMNS])
            return
        self._end_columns()
        self._layout = layout
        self.panes.arrange(layout)
        self.layoutChanged.emit(layout)

    def set_side_by_side(self, keys: Sequence[str], plane: Plane = "axial") -> None:
        """See `Stage`."""
        chosen = [self._held[key] for key in keys if key in self._held][:MOST_COLUMNS]
        if len(chosen) < 2:
            return
        self._end_columns()
        self.panes.set_columns([self._column(held, plane) for held in chosen])
        self._layout = "side-by-side"
        for pane in self.panes.columns:
            pane.fit()
        self.layoutChanged.emit(self._layout)

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
        """See `Stage`."""
        held = self._held.get(key)
        if held is None or not indices:
            self._offer_solid()
            return
        self.panes.solid.say("Drawing the regions…", can_ask=False)
        place = held.keywords
        self._background.run(
            surface_of, np.array(held.drawn), place["scale"], place["translate"],
            held.on.protocol, sorted(indices), done=self._solid_ready, key="solid",
        )  # fmt: skip

    def screenshot(self) -> NDArray[np.uint8]:
        """See `Stage`."""
        image = self.panes.picture().convertToFormat(QImage.Format.Format_RGBA8888)
        height, width, line = image.height(), image.width(), image.bytesPerLine()
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(height, line)
        return rows[:, : 4 * width].reshape(height, width, 4).copy()

    @property
    def widget(self) -> Panes:
        """The Qt widget that holds the views."""
        return self.panes

    def close(self) -> None:
        """Close every canvas; nothing may be asked of the stage afterwards."""
        self._background.wait()
        self.panes.end()

    # -- inside -----------------------------------------------------------------------------

    def _add_scan(self, pane: Pane) -> Image:
        grid, array = self._grid, self._array
        if grid is None or array is None:
            raise ValueError("there is no scan")
        return pane.add_image(
            array, name="scan", colormap="gray", contrast_limits=self._levels, **grid.placement
        )

    def _add_labels(self, pane: Pane, held: Held) -> Labels:
        layer = Labels(held.drawn, **held.keywords, opacity=self._opacity)
        layer.contour = self._outline
        layer.visible = held.on.visible
        pane.add(layer)
        return layer

    def _column(self, held: Held, plane: Plane) -> Pane:
        pane = Pane(plane, self)
        pane.set_radiological(self._radiological)
        pane.title = held.on.name
        pane.cross_shown, pane.letters_shown = self._crosshair, self._letters
        self._images.append(self._add_scan(pane))
        layer = self._add_labels(pane, held)
        layer.visible = True
        held.views.append((pane.model, layer))
        held.recolour()
        pane.move_to(self._point)
        return pane

    def _end_columns(self) -> None:
        gone = {id(pane.model) for pane in self.panes.columns}
        for held in self._held.values():
            held.views[:] = [view for view in held.views if id(view[0]) not in gone]
        self._images = self._images[: len(self.panes.planes)]
        self.panes.end_columns()

    def _take_off(self, key: str) -> None:
        held = self._held.pop(key, None)
        if held is None:
            return
        self._painter.forget(key)
        for model, layer in held.views:
            if layer in model.layers:
                model.layers.remove(layer)

    def _clear(self) -> None:
        if self._layout == "side-by-side":
            self.set_layout("four")
        for key in list(self._held):
            self._take_off(key)
        self._maps.clear()
        self._images = []
        for pane in self.panes.planes.values():
            pane.clear()
        self.panes.solid.clear()

    def _offer_solid(self) -> None:
        if not self.panes.solid.shown or not self._held:
            self.panes.solid.say("", can_ask=bool(self._held))

    def _solid_asked(self) -> None:
        seen = [held for held in self._held.values() if held.on.visible]
        if seen:
            on = seen[0].on
            chosen = seen[0].only or (set(on.protocol.indices) - on.hidden)
            self.set_mesh_regions(on.key, chosen)

    def _solid_doubled(self) -> None:
        self.set_layout("four" if self._layout == "3d" else "3d")

    def _solid_ready(self, surface: Surface | None) -> None:
        if surface is None or self._grid is None:
            self.panes.solid.say("None of these regions is there.", can_ask=True)
        else:
            self.panes.solid.show_surface(surface, middle_of(self._grid))
