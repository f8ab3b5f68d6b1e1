"""Distances between the surfaces of two masks, in mm: HD95 and ASSD.

The surface of a mask are its voxels that have at least one of their six neighbours outside it
(mask minus erosion; what lies beyond the array counts as outside). With d(P -> T) the distances
of every surface voxel of P to the nearest surface voxel of T, between voxel centres:

- HD95 = the larger of the 95th percentiles (linear interpolation) of d(P -> T) and d(T -> P);
- ASSD = the mean over d(P -> T) and d(T -> P) pooled.

These are the definitions of MONAI and of the Medical Segmentation Decathlon. One pass finds
the surface voxels of all regions, and k-d trees of them the nearest ones, the regions shared out
among threads: exact, as a distance transform of each region's bounding box is, but twice as fast,
and no slower where stray voxels stretch those boxes over the whole scan.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from monet_core.evaluation.counts import Positions

Mask = NDArray[np.bool_]
Points = NDArray[np.float64]


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
    return distances_per_region(pred, truth, (1,), spacing_mm)[1]


def distances_per_region(
    pred: NDArray, truth: NDArray, indices: Sequence[int], spacing_mm: tuple[float, float, float]
) -> dict[int, SurfaceDistances]:
    """`surface_distances` for every index of two integer arrays of one shape."""
    if pred.shape != truth.shape:
        raise ValueError(f"shapes differ: {pred.shape} and {truth.shape}")
    first, second = (surface_points(labels, indices, spacing_mm) for labels in (pred, truth))
    with ThreadPoolExecutor() as pool:  # the trees leave Python's lock alone
        return dict(zip(indices, pool.map(_between, first, second), strict=True))


def surface_points(
    labels: NDArray, indices: Sequence[int], spacing_mm: tuple[float, float, float]
) -> list[Points]:
    """Centres (n, 3) in mm, from voxel (0, 0, 0), of each index' surface voxels in an array."""
    layout: Literal["F", "C"] = "F" if labels.flags.f_contiguous else "C"
    at = np.flatnonzero(_at_a_border(labels).ravel(layout))
    owner = Positions(indices)(labels.ravel(layout)[at])
    at, owner = at[owner > 0], owner[owner > 0]
    # The narrowest type, of which numpy sorts the bytes instead of comparing values.
    order = np.argsort(owner.astype(np.min_scalar_type(len(indices))), kind="stable")
    points = np.stack(np.unravel_index(at[order], labels.shape, layout), axis=-1) * spacing_mm
    ends = np.bincount(owner, minlength=len(indices) + 1)[1:].cumsum()
    return np.split(points, ends)[:-1]


def _at_a_border(values: NDArray) -> Mask:
    """Where one of the six neighbours has another value, or lies beyond the array."""
    border = np.zeros_like(values, dtype=bool)
    for axis in range(values.ndim):
        # Views with the axis first: a step along it is then the same slice for every axis.
        along, found = np.moveaxis(values, axis, 0), np.moveaxis(border, axis, 0)
        changes = along[1:] != along[:-1]
        found[1:] |= changes
        found[:-1] |= changes
        found[[0, -1]] = True
    return border


def _between(a: Points, b: Points) -> SurfaceDistances:
    if not len(a) or not len(b):
        missing = np.inf if len(a) or len(b) else np.nan
        return SurfaceDistances(missing, missing)
    there, back = _nearest(a, b), _nearest(b, a)
    hd95 = max(np.percentile(there, 95), np.percentile(back, 95))
    return SurfaceDistances(float(hd95), float(np.concatenate([there, back]).mean()))


def _nearest(points: Points, others: Points) -> Points:
    """Distance (n,) of every point to the nearest of the others."""
    # Voxels on a lattice need no balanced tree; building one takes as long as all queries.
    return np.asarray(cKDTree(others, balanced_tree=False).query(points)[0])
