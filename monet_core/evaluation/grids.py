"""Bringing label maps onto one grid: axes re-ordered freely, everything else told or refused."""

from __future__ import annotations

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from monet_core.scans.geometry import Geometry

# float32 headers and quaternions move the corners of a 256-voxel grid by up to some 1e-3 mm.
SAME_GRID_MM = 0.01


def onto_grid(array: NDArray, geometry: Geometry, target: Geometry) -> NDArray | None:
    """`array` (X, Y, Z) with its axes permuted and flipped onto `target`; nothing interpolated.

    None where the two grids are not the same set of voxel centres, within 0.01 mm.
    """
    if geometry.same_grid(target, SAME_GRID_MM):
        return array
    # Orientation of one grid's axes against the other's, so that oblique grids work as well.
    ornt = nib.io_orientation(np.linalg.inv(target.affine) @ geometry.affine)
    if np.isnan(ornt).any():
        return None
    moved = nib.apply_orientation(array, ornt)
    affine = geometry.affine @ nib.orientations.inv_ornt_aff(ornt, geometry.shape)
    return moved if Geometry(moved.shape, affine).same_grid(target, SAME_GRID_MM) else None


def grid_difference(first: Geometry, second: Geometry) -> str:
    """What differs between two grids in canonical axes, in words: shape, spacing, offset in mm."""
    a, b = first.canonical(), second.canonical()
    found = []
    if a.shape != b.shape:
        found.append(f"shape {_times(a.shape)} against {_times(b.shape)} voxels")
    if not np.allclose(a.spacing, b.spacing, atol=1e-3):
        found.append(f"spacing {_times(a.spacing)} against {_times(b.spacing)} mm")
    if a.shape == b.shape:
        found.append(f"voxels up to {a.largest_offset(b):.3g} mm apart")
    else:
        found.append(f"centres {np.linalg.norm(a.centre - b.centre):.3g} mm apart")
    return ", ".join(found)


def _times(numbers: tuple[float, float, float]) -> str:
    return " x ".join(f"{number:.4g}" for number in numbers)
