"""`Stage`: what panels may ask of the views, whoever draws them. No Qt, no napari.

Panels hold a `Stage` and never import what draws it. World coordinates are RAS+ mm; `key` names a
segmentation or a map on the stage; `index` is a region's number in its protocol. Everything is
called, and every signal emitted, on the GUI thread.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from typing import Protocol as Interface

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from psygnal import SignalInstance

    from monet_core.protocols import Protocol
    from monet_core.scans import Geometry, LabelMap, Scan

Ras = tuple[float, float, float]
Levels = tuple[float, float]
Plane = Literal["axial", "coronal", "sagittal"]
Layout = Literal["four", "axial", "coronal", "sagittal", "3d", "side-by-side"]
Tool = Literal["paint", "erase", "fill", "pick"]

PLANES: tuple[Plane, ...] = ("axial", "coronal", "sagittal")
LAYOUTS: tuple[Layout, ...] = ("four", *PLANES, "3d", "side-by-side")
MOST_COLUMNS = 4


@dataclass(frozen=True)
class Probe:
    """What lies at a world point; nothing is interpolated.

    `intensity` is the scan's voxel value, None outside its grid or without a scan. `regions` holds
    the index (0 for background) in each segmentation whose grid contains the point, shown or
    not; `maps` the value of each map there.
    """

    intensity: float | None = None
    regions: dict[str, int] = field(default_factory=dict)
    maps: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class OnStage:
    """A segmentation as the stage holds it; `hidden` are indices that are not drawn."""

    key: str
    name: str
    protocol: Protocol
    visible: bool = True
    hidden: frozenset[int] = frozenset()


class Stage(Interface):
    """The views. All positions are RAS+ mm in the world of the scan's affine."""

    cursorMoved: SignalInstance  # noqa: N815 - Qt's way of naming, as in the views
    """(ras): the crosshair is somewhere else; at most once a frame."""
    edited: SignalInstance
    """(key): voxels of a segmentation changed."""
    picked: SignalInstance
    """(key, index): the pick tool took this region."""
    layoutChanged: SignalInstance  # noqa: N815
    """(layout)."""
    viewChanged: SignalInstance  # noqa: N815
    """(): what is on the stage or how it is drawn changed; toolbars read it anew."""

    # -- what is shown ----------------------------------------------------------------------

    def show_scan(self, scan: Scan | None, name: str = "") -> None:
        """Show a scan, or nothing; takes every segmentation and map off the stage."""

    def show_segmentation(
        self, key: str, labels: LabelMap, protocol: Protocol, name: str = ""
    ) -> None:
        """Lay a segmentation over the scan, or replace it; on any grid, in world space.

        `name` is the title that users read; the protocol's name where it is empty. Raises
        ValueError without a scan.
        """

    def remove_segmentation(self, key: str) -> None:
        """Take a segmentation off the stage, with edits that were not fetched; unknown is fine."""

    @property
    def segmentations(self) -> Mapping[str, OnStage]:
        """What is on the stage by key, in the order in which it came."""

    def set_visible(self, key: str, visible: bool) -> None:
        """Switch a segmentation on or off; several may be on."""

    def set_hidden(self, key: str, indices: Collection[int]) -> None:
        """Draw all regions of `key` but these."""

    def isolate(self, key: str, indices: Collection[int] | None) -> None:
        """Draw only these regions of `key`; None ends it and `set_hidden` holds again."""

    def show_map(
        self,
        key: str,
        data: NDArray[np.float32],
        geometry: Geometry,
        *,
        colormap: str = "inferno",
        limits: Levels | None = None,
    ) -> None:
        """Lay a map (X, Y, Z) on `geometry`'s grid additively over the scan (entropy, ...)."""

    def remove_map(self, key: str) -> None:
        """Take a map off the stage; unknown is fine."""

    def set_busy(self, text: str) -> None:
        """Say over the views that something is being done; the picture stays. Empty ends it."""

    # -- where ------------------------------------------------------------------------------

    @property
    def cursor(self) -> Ras:
        """Where the crosshair is."""

    def go_to(self, ras_mm: Sequence[float]) -> None:
        """Move the crosshair, to the nearest point inside the scan's grid.

        The app's views put it on the centre of the voxel that is there.
        """

    def step(self, plane: Plane, slices: int) -> None:
        """Move the crosshair by whole slices of a plane, towards S, A or R where positive."""

    def probe(self, ras_mm: Sequence[float]) -> Probe:
        """Voxel values at a world point, each read on its own grid."""

    # -- how --------------------------------------------------------------------------------

    @property
    def layout(self) -> Layout:
        """The arrangement of the views."""

    def set_layout(self, layout: Layout) -> None:
        """Arrange the views; "3d" and "four" never start the 3-D drawing by themselves."""

    def set_side_by_side(self, keys: Sequence[str], plane: Plane = "axial") -> None:
        """Which segmentations (2 to 4) "side-by-side" shows, and in which plane; shows it."""

    @property
    def radiological(self) -> bool:
        """Whether the patient's left is on the right of the screen."""

    def set_radiological(self, radiological: bool) -> None:
        """Choose the side: True as radiologists look (from the feet), False from above."""

    @property
    def opacity(self) -> float:
        """Opacity of segmentations, 0 to 1."""

    def set_opacity(self, opacity: float) -> None:
        """Opacity of all segmentations, 0 to 1."""

    @property
    def outline(self) -> int:
        """Width of outlines, 1 thin and 2 thick; 0 where regions are filled."""

    def set_outline(self, width: int) -> None:
        """Fill regions (0) or draw their outlines, thin (1) or thick (2)."""

    @property
    def levels(self) -> Levels:
        """The intensities drawn black and white."""

    def set_levels(self, low: float, high: float) -> None:
        """Which intensities are drawn black and white."""

    @property
    def levels_presets(self) -> Mapping[str, Levels]:
        """Sensible levels of this scan by name ("Full range", "2–98 %", "Brain")."""

    @property
    def crosshair(self) -> bool:
        """Whether the crosshair is drawn."""

    def set_crosshair(self, shown: bool) -> None:
        """Draw the crosshair or not; it moves all the same."""

    @property
    def letters(self) -> bool:
        """Whether the letters of orientation are drawn."""

    def set_letters(self, shown: bool) -> None:
        """Draw the letters at the edges (A P L R S I) or not."""

    def reset_view(self) -> None:
        """Show the whole scan in every view."""

    # -- editing ----------------------------------------------------------------------------

    def edit(
        self,
        key: str | None,
        index: int = 0,
        tool: Tool | None = None,
        brush_mm: float = 3.0,
        three_d: bool = False,
    ) -> None:
        """Make the mouse a tool that works on region `index` of `key`; None (either) ends it.

        `brush_mm` is the brush's diameter; `three_d` paints a ball and fills in 3-D. "erase" takes
        any region away, "fill" gives `index` to the connected region that is clicked.
        """

    def undo(self) -> None:
        """Take the last edit back, on whichever slice it was."""

    def redo(self) -> None:
        """Do again what was taken back."""

    def edited_labels(self, key: str) -> NDArray[np.int32]:
        """The segmentation with its edits (X, Y, Z), exactly on its `LabelMap`'s own grid.

        Voxels that nobody edited are those of the `LabelMap`, bit by bit. KeyError if unknown.
        """

    def interpolate(self, key: str, index: int, plane: Plane = "axial") -> int:
        """Fill region `index` between slices of `plane` that hold it; returns voxels added.

        Where a slice between two painted ones has none of the region, its shape is halfway
        between theirs; can be undone.
        """

    # -- 3-D, pictures ----------------------------------------------------------------------

    def set_mesh_regions(self, key: str, indices: Collection[int]) -> None:
        """Draw these regions of `key` as surfaces in the 3-D view, made in the background."""

    def screenshot(self) -> NDArray[np.uint8]:
        """RGBA (H, W, 4) picture of all the views as they are on the screen."""

    @property
    def widget(self) -> Any:
        """The Qt widget that holds the views."""
