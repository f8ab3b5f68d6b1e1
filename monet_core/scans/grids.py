"""Whether two volumes lie on one grid: axes may be stored in any order, all else is told."""

from __future__ import annotations

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from monet_core.scans.geometry import Geometry

# Headers store float32, and some tools re-derive them: a 20th of a voxel is still the same grid.
_TOLERANCE_VOXELS = 0.05


def axes_onto(geometry: Geometry, target: Geometry) -> NDArray[np.float64] | None:
    """The nibabel orientation that permutes and flips `geometry`'s axes onto `target`'s grid.

    None where the two are not the same set of voxel centres, within a 20th of a voxel.
    """
    # Orientation of one grid's axes against the other's, so that oblique grids work as well.
    ornt = nib.io_orientation(np.linalg.inv(target.affine) @ geometry.affine)
    if np.isnan(ornt).any():
        return None
    shape = [0, 0, 0]
    for size, (axis, _) in zip(geometry.shape, ornt, strict=True):
        shape[int(axis)] = size
    affine = geometry.affine @ nib.orientations.inv_ornt_aff(ornt, geometry.shape)
    moved = Geometry((shape[0], shape[1], shape[2]), affine)
    return ornt if moved.same_grid(target, _TOLERANCE_VOXELS * min(target.spacing)) else None


def onto_grid(array: NDArray, geometry: Geometry, target: Geometry) -> NDArray | None:
    """`array` (X, Y, Z) with its axes permuted and flipped onto `target`; nothing interpolated.

    None where the grids differ in more than the order of their axes (see `axes_onto`).
    """
    ornt = axes_onto(geometry, target)
    return None if ornt is None else nib.apply_orientation(array, ornt)


def grid_difference(other: Geometry, target: Geometry) -> str:
    """How `other` differs from `target`, in words: axes, shape, spacing, rotation, offset."""
    a, b = other.canonical(), target.canonical()
    found = []
    if other.orientation != target.orientation:
        found.append(f"axes run {other.orientation} against {target.orientation} (flipped?)")
    if a.shape != b.shape:
        found.append(f"shape {_times(a.shape)} against {_times(b.shape)} voxels")
    if not np.allclose(a.spacing, b.spacing, rtol=1e-3):
        found.append(f"spacing {_times(a.spacing)} against {_times(b.spacing)} mm")
    angle = _angle(a, b)
    if angle > 0.1:
        found.append(f"rotated by {angle:.1f} degrees")
    offset = float(np.linalg.norm(a.affine[:3, 3] - b.affine[:3, 3]))
    if offset > _TOLERANCE_VOXELS * min(b.spacing):
        found.append(f"first voxel {offset:.2f} mm away{_in_voxels(a, b)}")
    return ", ".join(found) or f"corners up to {a.largest_offset(b):.2f} mm apart"


def _in_voxels(other: Geometry, target: Geometry) -> str:
    delta = other.affine[:3, 3] - target.affine[:3, 3]
    steps = np.linalg.solve(target.affine[:3, :3], delta)
    if np.abs(steps).max() > 0.55:
        return ""
    half = np.isclose(np.abs(steps), 0.5, atol=0.05).any()
    return " (half a voxel)" if half else " (part of a voxel)"


def _angle(one: Geometry, other: Geometry) -> float:
    """Largest angle in degrees between equal axes of two canonical grids."""
    a = one.affine[:3, :3] / one.spacing
    b = other.affine[:3, :3] / other.spacing
    return float(np.degrees(np.arccos(np.clip((a * b).sum(axis=0), -1, 1)).max()))


def _times(numbers: tuple[float, float, float]) -> str:
    return " x ".join(f"{number:.4g}" for number in numbers)
