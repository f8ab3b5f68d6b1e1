"""`Prepared`: a scan in model space, the way there for labels, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monet_core.errors import Note
from monet_core.preprocessing.resampling import index_matrix, inverse, resample
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

    def indices(self, geometry: Geometry) -> Affine:
        """4x4 float64 from the voxel indices of a grid in the scan's world to those of `image`."""
        return index_matrix(self.geometry, geometry, inverse(self.transform))


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
