"""Volumes as napari is to see them: canonical, axes (S, A, R), placed by scale and translate.

napari shows the wrong voxels for affines that permute axes, so that none is ever handed to it.
Axes are permuted and flipped, never interpolated; an oblique grid is drawn straightened, at the
place of its first voxel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monet_core.scans import Geometry, LabelMap, Scan, SpatialForms, from_canonical, to_canonical

AXES = ("S", "A", "R")
GRID = "monet_grid"


@dataclass(frozen=True, eq=False)
class Grid:
    """The grid of a file, kept with its layer so that edits are written back exactly on it."""

    geometry: Geometry
    forms: SpatialForms | None

    @classmethod
    def of(cls, volume: Scan | LabelMap) -> Grid:
        """The grid of a scan or a label map."""
        return cls(volume.geometry, volume.forms)

    @property
    def placement(self) -> dict[str, Any]:
        """The keywords of a napari layer that put it in the world: (S, A, R) in mm."""
        canonical = self.geometry.canonical()
        return {
            "scale": canonical.spacing[::-1],
            "translate": tuple(float(x) for x in canonical.affine[:3, 3][::-1]),
            "units": ("mm",) * 3,
            "axis_labels": AXES,
        }

    def placement_in(self, scan: Grid | None) -> dict[str, Any]:
        """`placement` where the scan's grid is what is drawn straight."""
        if scan is None:
            return self.placement
        origin = self.geometry.canonical().affine[:3, 3]
        return {**self.placement, "translate": scan.to_world(origin)}

    def turned_against(self, other: Grid) -> float:
        """Largest angle in degrees between equal axes of both canonical grids."""
        mine, theirs = self.geometry.canonical(), other.geometry.canonical()
        cosines = (mine.affine[:3, :3] / mine.spacing * theirs.affine[:3, :3] / theirs.spacing).sum(
            axis=0
        )
        return float(np.degrees(np.arccos(np.clip(cosines, -1, 1))).max())

    def inside(self, ras: Any) -> tuple[float, float, float]:
        """The nearest point to `ras` (mm) that lies on the grid."""
        voxel = np.linalg.solve(self.geometry.affine, [*ras, 1.0])[:3]
        held = np.clip(voxel, 0, np.asarray(self.geometry.shape) - 1)
        x, y, z = (self.geometry.affine @ [*held, 1.0])[:3]
        return float(x), float(y), float(z)

    def to_layer(self, data: NDArray[Any]) -> NDArray[Any]:
        """A view (S, A, R) of an array (X, Y, Z) on this grid."""
        return to_canonical(data, self.geometry).transpose(2, 1, 0)

    def from_layer(self, data: NDArray[Any]) -> NDArray[Any]:
        """The inverse of `to_layer`: the file's own axes."""
        return from_canonical(np.asarray(data).transpose(2, 1, 0), self.geometry)

    def fits(self, shape: tuple[int, ...], scale: Any, translate: Any) -> bool:
        """Whether a layer of this shape and place lies on this grid."""
        mine = self.placement
        return (
            tuple(shape) == self.geometry.canonical().shape[::-1]
            and np.allclose(scale, mine["scale"], atol=1e-4)
            and np.allclose(translate, mine["translate"], atol=1e-2)
        )

    def to_world(self, ras: Any) -> tuple[float, float, float]:
        """napari's world point (S, A, R) of a point in RAS mm: equal but on oblique grids."""
        canonical = self.geometry.canonical()
        voxel = np.linalg.solve(canonical.affine, [*ras, 1.0])[:3]
        x, y, z = voxel * canonical.spacing + canonical.affine[:3, 3]
        return float(z), float(y), float(x)

    def from_world(self, point: Any) -> tuple[float, float, float]:
        """The inverse of `to_world`: RAS mm of napari's (S, A, R)."""
        canonical = self.geometry.canonical()
        voxel = (np.asarray(point, float)[::-1] - canonical.affine[:3, 3]) / canonical.spacing
        x, y, z = (canonical.affine @ [*voxel, 1.0])[:3]
        return float(x), float(y), float(z)


def layer_labels(labels: NDArray[Any], grid: Grid, highest: int = 0) -> NDArray[Any]:
    """An own array (S, A, R) of a label map, of the smallest type that holds it and `highest`."""
    highest = max(highest, int(labels.max(initial=0)))
    kind = np.uint8 if highest < 2**8 else np.uint16 if highest < 2**16 else np.int32
    return np.ascontiguousarray(grid.to_layer(labels), dtype=kind)
