"""Values at world points, and levels: what stages read from the voxels. No napari, no Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monet_app.stage.protocol import Levels
from monet_core.scans import Geometry, Scan

SPOTS = slice(None, None, 4)
"""Every fourth voxel is enough to know a scan's intensities."""
_LEVELS = {"Full range": (0.0, 100.0), "2–98 %": (2.0, 98.0), "Brain": (10.0, 99.8)}


def value_at(data: NDArray[Any], geometry: Geometry, ras: Sequence[float]) -> float | None:
    """The voxel's value at a world point (RAS, mm); None outside of the grid."""
    voxel = np.rint(np.linalg.solve(geometry.affine, [*ras, 1.0])[:3]).astype(int)
    inside = (voxel >= 0).all() and (voxel < geometry.shape).all()
    return float(data[tuple(voxel)]) if inside else None


def presets_of(scan: Scan | None) -> Mapping[str, Levels]:
    """Levels by name, from percentiles of the scan's voxels above zero."""
    if scan is None:
        return {}
    spots = scan.data[SPOTS, SPOTS, SPOTS]
    inside = spots[spots > 0] if (spots > 0).any() else spots
    made = {name: np.percentile(inside, ends) for name, ends in _LEVELS.items()}
    return {name: (float(low), max(float(high), float(low) + 1e-6))
            for name, (low, high) in made.items()}  # fmt: skip


def map_limits(data: NDArray[np.float32], limits: Levels | None) -> Levels:
    """`limits`, or from zero to the largest value."""
    if limits is not None:
        return limits
    return 0.0, max(float(np.nanmax(data[SPOTS, SPOTS, SPOTS], initial=0)), 1e-6)
