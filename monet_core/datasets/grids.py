"""Whether a label map lies on its scan's grid, and in words how it does not."""

from __future__ import annotations

import numpy as np

from monet_core.errors import Verdict
from monet_core.scans import Geometry

# Headers store float32, and some tools re-derive them: a 20th of a voxel is still the same grid.
_TOLERANCE_VOXELS = 0.05


def compare_grids(scan: Geometry, labels: Geometry) -> tuple[Verdict, str, str] | None:
    """None where both grids are the same, else the verdict, the difference in words, the remedy.

    FIXED: the same voxels, stored with other axes. REFUSED: another grid (shape, offset in mm and
    voxels, orientation, rotation are told).
    """
    tolerance = _TOLERANCE_VOXELS * min(scan.spacing)
    if scan.same_grid(labels, tolerance):
        return None
    upright, other = scan.canonical(), labels.canonical()
    if upright.same_grid(other, tolerance):
        message = f"the labels are stored as {labels.orientation}, the scan as {scan.orientation}"
        return Verdict.FIXED, f"{message}; same voxels, taken over as they are", ""
    problem = "the labels are not on the scan's grid: " + "; ".join(
        _differences(scan, labels, upright, other)
    )
    remedy = "Resample them to it (nearest neighbour), or give the scan they were made on"
    return Verdict.REFUSED, problem, f"{remedy}."


def _differences(scan: Geometry, labels: Geometry, upright: Geometry, other: Geometry) -> list[str]:
    found = []
    if scan.orientation != labels.orientation:
        found.append(f"axes run {labels.orientation}, the scan's {scan.orientation} (flipped?)")
    if upright.shape != other.shape:
        found.append(f"{_by(other.shape)} voxels, the scan has {_by(upright.shape)}")
    if not np.allclose(upright.spacing, other.spacing, rtol=1e-3):
        found.append(f"spacing {_mm(other.spacing)} mm, the scan's {_mm(upright.spacing)} mm")
    angle = _angle(upright, other)
    if angle > 0.1:
        found.append(f"rotated by {angle:.1f} degrees")
    offset = float(np.linalg.norm(other.affine[:3, 3] - upright.affine[:3, 3]))
    if offset > _TOLERANCE_VOXELS * min(scan.spacing):
        found.append(f"first voxel {offset:.2f} mm away{_in_voxels(upright, other)}")
    return found or [f"corners up to {upright.largest_offset(other):.2f} mm apart"]


def _in_voxels(upright: Geometry, other: Geometry) -> str:
    delta = other.affine[:3, 3] - upright.affine[:3, 3]
    steps = np.linalg.solve(upright.affine[:3, :3], delta)
    if np.abs(steps).max() > 0.55:
        return ""
    half = np.isclose(np.abs(steps), 0.5, atol=0.05).any()
    return " (half a voxel)" if half else " (part of a voxel)"


def _angle(one: Geometry, other: Geometry) -> float:
    """Largest angle in degrees between equal axes of two canonical grids."""
    a = one.affine[:3, :3] / one.spacing
    b = other.affine[:3, :3] / other.spacing
    return float(np.degrees(np.arccos(np.clip((a * b).sum(axis=0), -1, 1)).max()))


def _by(shape: tuple[int, int, int]) -> str:
    return " x ".join(str(n) for n in shape)


def _mm(spacing: tuple[float, float, float]) -> str:
    return " x ".join(f"{value:.3g}" for value in spacing)
