"""Distances between the surfaces of two masks, in mm: HD95 and ASSD.

The surface of a mask are its voxels that have at least one of their six neighbours outside it
(mask minus erosion; what lies beyond the array counts as outside). With d(P -> T) the distances
of every surface voxel of P to the nearest surface voxel of T, between voxel centres:

- HD95 = the larger of the 95th percentiles (linear interpolation) of d(P -> T) and d(T -> P);
- ASSD = the mean over d(P -> T) and d(T -> P) pooled.

These are the definitions of MONAI and of the Medical Segmentation Decathlon. A k-d tree of the
surface voxels finds the nearest ones: exact, like a distance transform of the bounding box, but
four times as fast on large regions, and no slower where a few stray voxels stretch the box.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from monet_core.evaluation.counts import Positions

Box = tuple[slice, ...]
Mask = NDArray[np.bool_]


class SurfaceDistances(NamedTuple):
    """HD95 and ASSD in mm: nan where both masks are empty, inf where only one is."""

    hd95: float
    assd: float


def surface_distances(
    pred: Mask, truth: Mask, spacing_mm: tuple[float, float, float]
) -> SurfaceDistances:
    """HD95 and ASSD of two boolean masks (X, Y, Z) with voxels of `spacing_mm`.

    Only the spacing matters: a rotated grid gives the same distances. A sheared grid is
    measured as if its axes were orthogonal (spacing = length of each axis' step).
    Raises ValueError where the shapes differ.
    """
    if pred.shape != truth.shape:
        raise ValueError(f"shapes differ: {pred.shape} and {truth.shape}")
    box = bounding_box(pred | truth)
    if box is None:
        return SurfaceDistances(np.nan, np.nan)
    a, b = surface_points(pred[box], spacing_mm), surface_points(truth[box], spacing_mm)
    if not len(a) or not len(b):
        return SurfaceDistances(np.inf, np.inf)
    there, back = _nearest(a, b), _nearest(b, a)
    hd95 = max(np.percentile(there, 95), np.percentile(back, 95))
    return SurfaceDistances(float(hd95), float(np.concatenate([there, back]).mean()))


def distances_per_region(
    pred: NDArray, truth: NDArray, indices: Sequence[int], spacing_mm: tuple[float, float, float]
) -> dict[int, SurfaceDistances]:
    """`surface_distances` for every index of two integer arrays of one shape."""
    boxes_pred, boxes_truth = region_boxes(pred, indices), region_boxes(truth, indices)
    found = {}
    for index in indices:
        box = _union(boxes_pred.get(index), boxes_truth.get(index))
        a, b = pred[box] == index, truth[box] == index
        found[index] = surface_distances(a, b, spacing_mm)
    return found


def surface_points(mask: Mask, spacing_mm: tuple[float, float, float]) -> NDArray[np.float64]:
    """Centres (n, 3) in mm of the mask's surface voxels, from the centre of voxel (0, 0, 0)."""
    surface = mask & ~ndimage.binary_erosion(mask)
    return np.argwhere(surface) * np.asarray(spacing_mm, dtype=float)


def bounding_box(mask: Mask) -> Box | None:
    """The smallest box that holds every True voxel; None where there is none."""
    boxes: Sequence[Box | None] = ndimage.find_objects(mask.astype(np.uint8), max_label=1)
    return boxes[0]


def region_boxes(labels: NDArray, indices: Sequence[int]) -> dict[int, Box]:
    """Bounding box of every index that occurs in an integer array, found in one pass."""
    found = ndimage.find_objects(Positions(indices).compact(labels), max_label=len(indices))
    return {i: box for i, box in zip(indices, found, strict=True) if box is not None}


def _nearest(points: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance (n,) of every point to the nearest of the others."""
    # Voxels on a lattice need no balanced tree; building one takes as long as all queries.
    return np.asarray(cKDTree(others, balanced_tree=False).query(points)[0])


def _union(a: Box | None, b: Box | None) -> Box:
    if a is None or b is None:
        return a or b or (slice(0, 0),) * 3
    return tuple(
        slice(min(i.start, j.start), max(i.stop, j.stop)) for i, j in zip(a, b, strict=True)
    )
