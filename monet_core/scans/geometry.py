"""The grid of a volume in world space, and its closest canonical (RAS+) form.

World coordinates are RAS+ millimetres (x to the right, y to the front, z up), as in NIfTI.
"""

from __future__ import annotations

from dataclasses import dataclass

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

Affine = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Geometry:
    """A voxel grid: `shape` (3 voxel counts) and `affine` (4x4 float64, voxel index -> RAS mm)."""

    shape: tuple[int, int, int]
    affine: Affine

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Voxel spacing along the three array axes, in mm."""
        x, y, z = np.sqrt((self.affine[:3, :3] ** 2).sum(axis=0))
        return float(x), float(y), float(z)

    @property
    def voxel_volume_ml(self) -> float:
        """Volume of one voxel in ml (1000 mm^3); the determinant, so shear is accounted for."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000.0

    @property
    def orientation(self) -> str:
        """Closest anatomical axes, e.g. "RAS", "LAS", "PIR"."""
        return "".join(nib.aff2axcodes(self.affine))

    @property
    def centre(self) -> NDArray[np.float64]:
        """World coordinates (3,) in mm of the middle of the grid."""
        middle = (np.asarray(self.shape, dtype=float) - 1) / 2
        return self.affine[:3, :3] @ middle + self.affine[:3, 3]

    def canonical(self) -> Geometry:
        """The same grid with axes permuted and flipped to closest RAS+; nothing interpolated."""
        ornt = nib.io_orientation(self.affine)
        shape = [0, 0, 0]
        for axis, (target, _) in enumerate(ornt):
            shape[int(target)] = self.shape[axis]
        affine = self.affine @ nib.orientations.inv_ornt_aff(ornt, self.shape)
        return Geometry((shape[0], shape[1], shape[2]), affine)

    def same_grid(self, other: Geometry, tolerance_mm: float = 1e-3) -> bool:
        """Whether both grids put every corner voxel at the same place, within the tolerance."""
        return self.shape == other.shape and self.largest_offset(other) <= tolerance_mm

    def largest_offset(self, other: Geometry) -> float:
        """Largest distance in mm between equal voxel indices of both grids, over the corners."""
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in self.shape])).reshape(3, -1)
        delta = self.affine - other.affine
        return float(np.linalg.norm(delta[:3, :3] @ corners + delta[:3, 3:], axis=0).max())


def to_canonical(array: NDArray, geometry: Geometry) -> NDArray:
    """`array` on `geometry`'s grid, as a view with axes permuted and flipped to closest RAS+."""
    return nib.apply_orientation(array, nib.io_orientation(geometry.affine))


def from_canonical(array: NDArray, geometry: Geometry) -> NDArray:
    """The exact inverse of `to_canonical`: back to `geometry`'s own axis order."""
    # Not the orientation of the canonical affine: at 45 degrees two axes may be equally close.
    start = nib.orientations.axcodes2ornt("RAS")
    end = nib.io_orientation(geometry.affine)
    return nib.apply_orientation(array, nib.orientations.ornt_transform(start, end))
