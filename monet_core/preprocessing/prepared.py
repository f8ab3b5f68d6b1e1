"""`Prepared`: a scan in model space, and the way there and back for labels and volumes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monet_core.errors import Note
from monet_core.preprocessing.resampling import inverse, resample
from monet_core.scans.geometry import Affine, Geometry
from monet_core.scans.scan import LabelMap


@dataclass(frozen=True, eq=False)
class Prepared:
    """A scan in model space.

    `image` float32 (X, Y, Z), zero mean and unit SD over `brain` (bool, same shape), on
    `geometry` (axis-aligned RAS grid). `transform`: 4x4 float64, rigid, scan world mm -> model
    world mm. `record`: JSON-ready account of what was done.
    """

    image: NDArray[np.float32]
    geometry: Geometry
    transform: Affine
    brain: NDArray[np.bool_]
    record: dict[str, Any]
    notes: tuple[Note, ...] = ()


def prepare_labels(labels: LabelMap, prepared: Prepared) -> NDArray[np.int32]:
    """`labels`, which lie in the scan's world, on `prepared`'s grid: int32 (X, Y, Z)."""
    moved = resample(
        labels.data.astype(np.int32, copy=False),
        labels.geometry,
        prepared.geometry,
        prepared.transform,
        "label",
    )
    return np.asarray(moved, np.int32)


def restore_labels(labels: NDArray, prepared: Prepared, geometry: Geometry) -> NDArray[np.int32]:
    """Whole-number `labels` on `prepared`'s grid, brought back to the scan's own grid: int32.

    `geometry` is the scan's; 0 where it reaches beyond the model grid.
    """
    back = inverse(prepared.transform)
    return resample(labels, prepared.geometry, geometry, back, "label").astype(np.int32, copy=False)


def restore_volume(volume: NDArray, prepared: Prepared, geometry: Geometry) -> NDArray[np.float32]:
    """A float `volume` on `prepared`'s grid on the scan's grid, linearly: float32; 0 outside."""
    back = inverse(prepared.transform)
    return np.asarray(resample(volume, prepared.geometry, geometry, back, "linear"), np.float32)
