"""`OrthoStage`: axial, coronal, sagittal and 3-D views of a scan as the app's stage.

What is on the stage is held by a `Scene`, which makes pictures of slices; panes show them. All
changes are gathered and drawn once per turn of Qt's event loop, and only planes that changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal
from qtpy.QtCore import QTimer

from monet_app.stage.protocol import (
    MOST_COLUMNS,
    PLANES,
    Layout,
    Levels,
    OnStage,
    Plane,
    Probe,
    Ras,
    Tool,
)
from monet_app.views.canvas import Kind
from monet_app.views.display import AXES
from monet_app.views.frame import Frame
from monet_app.views.looks import Looks
from monet_app.views.mouse import Mouse
from monet_app.views.painter import Painter
from monet_app.views.palette import color_map
from monet_app.views.pane import Pane
from monet_app.views.panes import Panes
from monet_app.views.pictures import picture_of
from monet_app.views.scene import Scene, map_limits
from monet_app.views.solids import Solids
from monet_app.views.sources import Map, Segmentation
from monet_core.protocols import Protocol
from monet_core.scans import Geometry, LabelMap, Scan

_SINGLE = (*PLANES, "3d")


class OrthoStage(Looks):
    """See `monet_app.stage.protocol.Stage`; `canvas` says what draws the planes."""

    cursorMoved = Signal(tuple)  # noqa: N815 - as in the protocol
    edited = Signal(str)
    picked = Signal(str, int)
    layoutChanged = Signal(str)  # noqa: N815
    viewChanged = Signal()  # noqa: N815

    def __init__(self, canvas: Kind = "auto") -> None:
        self.scene = Scene()
        self.painter = Painter(self.scene, self._painted, self.edited.emit, self.picked.emit)
        self._layout: Layout = "four"
        self._before: Layout = "four"
        self._columns: tuple[str, ...] = ()
        self._column_plane: Plane = "axial"
        self._dirty: set[Plane] = set()
        self._moved = False
        self._mice: list[Mouse] = []
        self._start_looks()
        self.panes = Panes(self.scene, self._pane_made, canvas)
        self.solids = Solids(self.scene, self.panes.solid)
        self.widget = Frame(self.panes)
        self._timer = QTimer(self.widget, interval=0)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.draw)
        self.panes.solid.doubled.connect(lambda: self.maximise("3d"))
        self.panes.rezoomed.connect(self._rezoomed)

    def _pane_made(self, pane: Pane) -> None:
        pane.set_radiological(self._radiological)
        self._mice.append(Mouse(pane, self))

    # -- what is shown ----------------------------------------------------------------------

    def show_scan(self, scan: Scan | None, name: str = "") -> None:
        """See `Stage`."""
        for key in list(self.scene.segmentations):
            self.painter.forget(key)
        self.solids.clear()
        self.scene.set_scan(scan, name)
        self._rearrange()
        self.panes.set_busy("")
        self.panes.show_scan()
        self._change(moved=True)

    def show_segmentation(
        self, key: str, labels: LabelMap, protocol: Protocol, name: str = ""
    ) -> None:
        """See `Stage`. What was hidden or switched off under this key stays so."""
        grid = self.scene.grid
        before = self.scene.segmentations.get(key)
        on = OnStage(key, name or protocol.name, protocol)
        if before is not None:
            on = OnStage(key, on.name, protocol, before.on.visible, before.on.hidden)
        self.painter.forget(key)
        self.scene.segmentations[key] = Segmentation(on, labels, grid)
        if before is not None:
            self.scene.segmentations[key].only = before.only
        self._rearrange()
        self._change(moved=True)

    def remove_segmentation(self, key: str) -> None:
        """See `Stage`."""
        self.painter.forget(key)
        if self.scene.segmentations.pop(key, None) is not None:
            self.solids.forget(key)
            self._rearrange()
            self._change(moved=True)

    @property
    def segmentations(self) -> Mapping[str, OnStage]:
        """See `Stage`."""
        return {key: each.on for key, each in self.scene.segmentations.items()}

    def set_visible(self, key: str, visible: bool) -> None:
        """See `Stage`; nothing happens to what is not there."""
        self._change_one(key, visible=visible)

    def set_hidden(self, key: str, indices: Collection[int]) -> None:
        """See `Stage`; nothing happens to what is not there."""
        self._change_one(key, hidden=frozenset(indices))

    def isolate(self, key: str, indices: Collection[int] | None) -> None:
        """See `Stage`; nothing happens to what is not there."""
        each = self.scene.segmentations.get(key)
        if each is not None:
            each.only = None if indices is None else frozenset(indices)
            self._change()

    def _change_one(self, key: str, **changes: object) -> None:
        each = self.scene.segmentations.get(key)
        if each is not None:
            each.change(**changes)
            self._rearrange()
            self._change()

    def show_map(
        self,
        key: str,
        data: NDArray[np.float32],
        geometry: Geometry,
        *,
        colormap: str = "inferno",
        limits: Levels | None = None,
    ) -> None:
        """See `Stage`. ValueError for a colour map that does not exist."""
        colors = color_map(colormap)
        limits = limits or map_limits(data)
        self.scene.maps[key] = Map(data, geometry, self.scene.grid, colors, limits)
        self._change(moved=True)

    def remove_map(self, key: str) -> None:
        """See `Stage`."""
        if self.scene.maps.pop(key, None) is not None:
            self._change(moved=True)

    def set_busy(self, text: str) -> None:
        """See `Stage`."""
        self.panes.set_busy(text)

    # -- where ------------------------------------------------------------------------------

    @property
    def has_scan(self) -> bool:
        """Whether there is anything to look at."""
        return self.scene.volume is not None

    @property
    def cursor(self) -> Ras:
        """See `Stage`."""
        return self.scene.cursor

    def go_to(self, ras_mm: Sequence[float]) -> None:
        """See `Stage`."""
        if self.has_scan:
            self.move_to(self.scene.grid.clamp(ras_mm))

    def step(self, plane: Plane, slices: int) -> None:
        """See `Stage`."""
        if self.has_scan:
            voxel = list(self.scene.voxel)
            voxel[AXES[plane][0]] += slices
            self.move_to(voxel)

    def move_to(self, index: Sequence[float]) -> None:
        """Move the cross-hair to display indices (s, a, r) of the scan's grid."""
        changed = self.scene.move([round(float(each)) for each in index])
        if changed:
            self._dirty.update(changed)
            self._moved = True
            self._timer.start()

    def probe(self, ras_mm: Sequence[float]) -> Probe:
        """See `Stage`."""
        return self.scene.probe(ras_mm)

    # -- layout -----------------------------------------------------------------------------

    @property
    def layout(self) -> Layout:
        """See `Stage`."""
        return self._layout

    def set_layout(self, layout: Layout) -> None:
        """See `Stage`."""
        if layout == "side-by-side":
            self.set_side_by_side(self._columns, self._column_plane)
            return
        self.panes.arrange(layout)
        self._set_layout(layout)

    def set_side_by_side(self, keys: Sequence[str], plane: Plane = "axial") -> None:
        """See `Stage`. Unknown keys are left out; what is visible is shown where none is left."""
        self._columns, self._column_plane = tuple(keys), plane
        self.panes.arrange_columns(plane, self._titles())
        self._set_layout("side-by-side")

    def maximise(self, which: Plane | Layout) -> None:
        """Show one view large, or go back to what was before."""
        if self._layout in _SINGLE:
            self.set_layout(self._before)
        elif which in _SINGLE:
            self.set_layout(which)

    def _set_layout(self, layout: Layout) -> None:
        before, self._layout = self._layout, layout
        if before not in _SINGLE:
            self._before = before
        if before != layout:
            self.layoutChanged.emit(layout)
        self._change()

    def _titles(self) -> list[tuple[str, str]]:
        """Keys and titles of the columns; one without a segmentation where there is none."""
        on = self.segmentations
        keys = [key for key in self._columns if key in on]
        keys = keys or [key for key, each in on.items() if each.visible] or list(on)
        return [(key, on[key].name) for key in keys[:MOST_COLUMNS]] or [("", "")]

    def _rearrange(self) -> None:
        """Columns follow what is on the stage."""
        if self._layout == "side-by-side":
            self.panes.arrange_columns(self._column_plane, self._titles())

    # -- editing ----------------------------------------------------------------------------

    def edit(
        self,
        key: str | None,
        index: int = 0,
        tool: Tool | None = None,
        brush_mm: float = 3.0,
        three_d: bool = False,
    ) -> None:
        """See `Stage`. ValueError where `index` is no region of the protocol."""
        self.painter.take(key, index, tool, brush_mm, three_d)
        for pane in self.panes.made:
            pane.overlay.take_brush(self.painter.brushes)
        self.viewChanged.emit()

    def undo(self) -> None:
        """See `Stage`."""
        self.painter.undo()

    def redo(self) -> None:
        """See `Stage`."""
        self.painter.redo()

    def edited_labels(self, key: str) -> NDArray[np.int32]:
        """See `Stage`."""
        return self.scene.segmentations[key].edited_labels()

    def interpolate(self, key: str, index: int, plane: Plane = "axial") -> int:
        """See `Stage`."""
        return self.painter.interpolate(key, index, plane)

    def _painted(self, _: str) -> None:
        self._dirty.update(PLANES)
        self._moved = True
        self._timer.start()

    # -- 3-D, pictures ----------------------------------------------------------------------

    def set_mesh_regions(self, key: str, indices: Collection[int]) -> None:
        """See `Stage`; the calm placeholder returns where there is nothing to draw."""
        self.solids.show(key, indices)

    def screenshot(self) -> NDArray[np.uint8]:
        """See `Stage`."""
        self.draw()
        return picture_of(self.panes)

    # -- drawing ----------------------------------------------------------------------------

    def _change(self, moved: bool = False) -> None:
        """All pictures are drawn anew, soon; `moved` says that what is at the cursor changed."""
        self._dirty.update(PLANES)
        self._moved = self._moved or moved
        self._timer.start()
        self.viewChanged.emit()

    def _rezoomed(self) -> None:
        if self.scene.outline:
            self._dirty.update(PLANES)
        self._timer.start()

    def draw(self) -> None:
        """Draw what changed since the last time, now."""
        self._timer.stop()
        dirty, self._dirty = self._dirty, set()
        for pane in self.panes.shown():
            if pane.plane in dirty:
                pane.draw()
            pane.draw_marks(self._crosshair, self._letters)
        if self._moved:
            self._moved = False
            self.cursorMoved.emit(self.cursor)

    def close(self) -> None:
        """Let go of threads and OpenGL; nothing may be asked of the stage afterwards."""
        self._timer.stop()
        self.solids.close()
        self.panes.end()
