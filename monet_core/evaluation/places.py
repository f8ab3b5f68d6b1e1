"""The place to look at: where a region is, or where two segmentations of it differ most."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from monet_core.protocols import Protocol, find_mapping
from monet_core.scans import LabelMap
from monet_core.scans.geometry import Geometry
from monet_core.scans.grids import onto_grid

Mask = NDArray[np.bool_]
Segmented = tuple[LabelMap, Protocol]


@dataclass(frozen=True)
class Place:
    """The thickest point of a piece of a region, or of what differs.

    `ras_mm` is a world point (RAS+, mm), `voxels` and `volume_ml` the size of that piece.
    """

    ras_mm: tuple[float, float, float]
    voxels: int
    volume_ml: float


def worst_place(first: Segmented, second: Segmented, target: Protocol, index: int) -> Place | None:
    """Where region `index` of `target` differs most between two segmentations of one scan.

    The largest piece (voxels that share a face) of what only one of them has; None where they
    agree. Raises ProtocolError where there is no mapping to `target`.
    """
    like = first[0].geometry
    differ = region_mask(first, target, index, like) ^ region_mask(second, target, index, like)
    return _place_of(differ, like)


def region_place(labels: LabelMap, indices: Collection[int]) -> Place | None:
    """The thickest point of the largest piece of these regions together; None without a voxel."""
    return _place_of(np.isin(labels.data, tuple(indices)), labels.geometry)


def _place_of(mask: Mask, geometry: Geometry) -> Place | None:
    box = _box(mask)
    if box is None:
        return None
    pieces, count = ndimage.label(mask[box])
    largest = pieces == 1 + int(np.argmax(np.bincount(pieces.ravel(), minlength=count + 1)[1:]))
    voxels = int(largest.sum())
    at = _thickest(largest, geometry.spacing) + [part.start for part in box]
    x, y, z = geometry.affine[:3, :3] @ at + geometry.affine[:3, 3]
    return Place((float(x), float(y), float(z)), voxels, voxels * geometry.voxel_volume_ml)


def source_indices(protocol: Protocol, target: Protocol, index: int) -> tuple[int, ...]:
    """The regions of `protocol` that are region `index` of `target`, ascending."""
    table = find_mapping(protocol, target).table
    return tuple(sorted(source for source, mapped in table.items() if mapped == index))


def region_mask(segmented: Segmented, target: Protocol, index: int, like: Geometry) -> Mask:
    """Boolean (X, Y, Z) on `like`: where a segmentation has region `index` of `target`."""
    labels, protocol = segmented
    mask = np.isin(labels.data, source_indices(protocol, target, index))
    moved = onto_grid(mask, labels.geometry, like)
    if moved is not None:
        return moved
    # Here, because SimpleITK takes its time to load and is needed for this case only.
    from monet_core.preprocessing import resample

    return resample(mask.astype(np.uint8), labels.geometry, like, mode="label") > 0


def _box(mask: Mask) -> tuple[slice, slice, slice] | None:
    """The smallest box around a mask; None where it is empty."""
    sides = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        along = np.flatnonzero(mask.any(axis=others))
        if not len(along):
            return None
        sides.append(slice(int(along[0]), int(along[-1]) + 1))
    return sides[0], sides[1], sides[2]


def _thickest(mask: Mask, spacing_mm: tuple[float, float, float]) -> NDArray[np.intp]:
    """The voxel (3,) of a mask that is farthest from its border."""
    depth = ndimage.distance_transform_edt(np.pad(mask, 1), sampling=spacing_mm)
    return np.array(np.unravel_index(int(np.argmax(depth)), depth.shape)) - 1
