"""Where voxels are drawn, and back: arrays in the order S, A, R, placed by spacing and origin.

What draws is handed arrays whose axes run to superior, anterior and right (closest canonical,
axial slices first), with a spacing and an origin, and never an affine. An oblique scan is drawn
in its own voxel grid; world coordinates still go through its affine, so they are exact.

The *frame* of a scan is the RAS space turned so that the scan's canonical axes are its axes; for
a scan that is not oblique, frame and RAS world are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from monet_app.stage.protocol import Plane, Ras
from monet_core.scans import Affine, Geometry

# Slices of a plane run along the first axis; the others are vertical and horizontal on the screen.
AXES: dict[Plane, tuple[int, int, int]] = {
    "axial": (0, 1, 2),
    "coronal": (1, 0, 2),
    "sagittal": (2, 0, 1),
}
# A grid whose voxels lie this close (in voxels) to where spacing and origin put them is aligned.
_ALIGNED = 0.1
_OBLIQUE_DEGREES = 0.1
# World axes R, A, S <-> array axes S, A, R.
_REVERSE = np.array([[0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]], float)


@dataclass(frozen=True, eq=False)
class Grid:
    """`geometry` as it is drawn: `shape`, `spacing` and `origin` (of voxel 0) in S, A, R and mm.

    `orientation` is nibabel's of the stored axes against the frame's, `frame` the 4x4 matrix
    RAS mm -> frame mm (R, A, S), `matrix` the exact one from display indices (s, a, r) to RAS mm.
    """

    geometry: Geometry
    orientation: NDArray[np.float64]
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float]
    frame: Affine
    matrix: Affine

    def to_display(self, array: NDArray) -> NDArray:
        """`array` (X, Y, Z) as stored -> a view with axes S, A, R."""
        return nib.apply_orientation(array, self.orientation).transpose(2, 1, 0)

    def from_display(self, array: NDArray) -> NDArray:
        """The exact inverse of `to_display`: a view with the stored axes."""
        start = nib.orientations.axcodes2ornt("RAS")
        back = nib.orientations.ornt_transform(start, self.orientation)
        return nib.apply_orientation(array.transpose(2, 1, 0), back)

    def index_of(self, ras: Sequence[float]) -> NDArray[np.float64]:
        """Display indices (s, a, r), with fractions, of a world point."""
        return np.linalg.solve(self.matrix, (*ras, 1.0))[:3]

    def ras_of(self, index: Sequence[float]) -> Ras:
        """World point (RAS mm) of display indices (s, a, r)."""
        r, a, s, _ = self.matrix @ (*index, 1.0)
        return float(r), float(a), float(s)

    def nearest(self, ras: Sequence[float]) -> tuple[int, int, int] | None:
        """The voxel (s, a, r) that holds a world point; None where the grid does not reach."""
        index = self.index_of(ras)
        size = np.asarray(self.shape)
        # A point on the outer face of the grid, give or take a rounding error, is inside.
        if (index < -0.5 - 1e-6).any() or (index > size - 0.5 + 1e-6).any():
            return None
        s, a, r = np.clip(np.rint(index), 0, size - 1).astype(int).tolist()
        return s, a, r

    def clamp(self, ras: Sequence[float]) -> tuple[int, int, int]:
        """The voxel (s, a, r) of the grid that is closest to a world point, by its indices."""
        index = np.rint(np.nan_to_num(self.index_of(ras)))
        s, a, r = np.clip(index, 0, np.asarray(self.shape) - 1).astype(int).tolist()
        return s, a, r

    def positions(self, axis: int, parts: int = 1) -> NDArray[np.float64]:
        """Frame mm of the voxels along a display axis, or of `parts` equal parts of each."""
        step = self.spacing[axis] / parts
        start = self.origin[axis] - self.spacing[axis] / 2 + step / 2
        return start + step * np.arange(self.shape[axis] * parts)

    def lookup(self, axis: int, positions: NDArray[np.float64]) -> NDArray[np.intp]:
        """The voxel along `axis` that holds each position (frame mm); -1 outside the grid."""
        index = np.rint((positions - self.origin[axis]) / self.spacing[axis]).astype(np.intp)
        index[(index < 0) | (index >= self.shape[axis])] = -1
        return index

    @property
    def obliquity(self) -> float:
        """Largest angle in degrees between the grid's axes and the world's; 0 if straight."""
        directions = self.matrix[:3, :3] / np.linalg.norm(self.matrix[:3, :3], axis=0)
        cosines = np.clip(np.abs(directions).max(axis=0), 0, 1)
        angle = float(np.degrees(np.arccos(cosines.min())))
        return angle if angle > _OBLIQUE_DEGREES else 0.0


def scan_grid(geometry: Geometry) -> Grid:
    """How a scan is drawn: in its own voxel grid, around the place where it is in the world."""
    orientation = nib.io_orientation(geometry.affine)
    straight = geometry.canonical()
    spacing = np.asarray(straight.spacing)
    middle = (np.asarray(straight.shape) - 1) / 2
    placed = np.diag([*spacing, 1.0])
    placed[:3, 3] = straight.centre - spacing * middle
    frame = np.round(placed @ np.linalg.inv(straight.affine), 12) + 0.0
    return _grid(geometry, orientation, frame, placed)


def aligned_grid(geometry: Geometry, scan: Grid) -> Grid | None:
    """How another volume is drawn over `scan`; None where its axes are turned against the scan's.

    Its voxels may be stored in any order and have another spacing and origin.
    """
    seen = scan.frame @ geometry.affine
    orientation = nib.io_orientation(seen)
    if np.isnan(orientation).any():
        return None
    straight = seen @ nib.orientations.inv_ornt_aff(orientation, geometry.shape)
    placed = np.diag([*np.diag(straight)[:3], 1.0])
    placed[:3, 3] = straight[:3, 3]
    shape = _shape(geometry, orientation)
    off = Geometry(shape, straight).largest_offset(Geometry(shape, placed))
    if off > _ALIGNED * np.diag(placed)[:3].min():
        return None
    return _grid(geometry, orientation, scan.frame, placed)


def _grid(
    geometry: Geometry, orientation: NDArray[np.float64], frame: Affine, placed: Affine
) -> Grid:
    r, a, s = _shape(geometry, orientation)
    canonical = geometry.affine @ nib.orientations.inv_ornt_aff(orientation, geometry.shape)
    return Grid(
        geometry,
        orientation,
        (s, a, r),
        tuple(float(step) for step in np.diag(placed)[2::-1]),
        tuple(float(place) for place in placed[2::-1, 3]),
        frame,
        canonical @ _REVERSE,
    )


def _shape(geometry: Geometry, orientation: NDArray[np.float64]) -> tuple[int, int, int]:
    """Voxel counts along R, A and S."""
    shape = [0, 0, 0]
    for size, (axis, _) in zip(geometry.shape, orientation, strict=True):
        shape[int(axis)] = size
    return shape[0], shape[1], shape[2]
