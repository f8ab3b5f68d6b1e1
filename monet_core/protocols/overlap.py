"""How regions of two protocols lie in each other, from label maps of the same scans."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monet_core.errors import ProtocolError
from monet_core.protocols.protocol import Protocol
from monet_core.protocols.region import OTHER_SIDE

_CHUNK = 1 << 22  # voxels; keeps temporary arrays at some 30 MB whatever the scan
Pair = tuple[NDArray[Any], NDArray[Any]]


def overlap_shares(
    source: Protocol, target: Protocol, pairs: Iterable[Pair]
) -> NDArray[np.float64]:
    """(source regions, target regions): the share of the source's voxels that lie in the target.

    `pairs` are label maps of one scan each on one grid, indices of either protocol; other values
    are background. Both sides of a pair of regions are pooled, so that the answer is the same
    for left and right; 0 across sides. Regions without a voxel have nan. Raises ProtocolError
    where the two of a pair differ in shape.
    """
    counts = np.zeros((source.n_classes, target.n_classes), np.int64)
    for ours, theirs in pairs:
        counts += _counts(source, target, np.asarray(ours), np.asarray(theirs))
    counts = _pooled(source, target, counts)
    total = counts.sum(axis=1, keepdims=True)
    shares = np.full(counts.shape, np.nan)
    np.divide(counts, total, out=shares, where=total > 0)
    shares = shares[1:, 1:]
    shares[_across(source, target) & np.isfinite(shares)] = 0.0
    return shares


def _counts(
    source: Protocol, target: Protocol, ours: NDArray[Any], theirs: NDArray[Any]
) -> NDArray[np.int64]:
    """Joint histogram of classes (source.n_classes, target.n_classes)."""
    if ours.shape != theirs.shape:
        shapes = f"{ours.shape} and {theirs.shape}"
        problem = f"label maps of one scan have the shapes {shapes}"
        raise ProtocolError("grids-differ", problem, remedy="Bring them onto one grid.")
    size = source.n_classes * target.n_classes
    counts = np.zeros(size, np.int64)
    ours, theirs = ours.ravel(), theirs.ravel()
    for start in range(0, ours.size, _CHUNK):
        part = slice(start, start + _CHUNK)
        rows = source.encode(ours[part], "background").astype(np.int64)
        joint = rows * target.n_classes + target.encode(theirs[part], "background")
        counts += np.bincount(joint, minlength=size)
    return counts.reshape(source.n_classes, target.n_classes)


def _pooled(source: Protocol, target: Protocol, counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Every paired region with its partner's voxels, seen in the mirror."""
    mirrored = counts[np.ix_(source.swap_classes(), target.swap_classes())]
    paired = np.array([False, *(region.pair is not None for region in source.regions)])
    return counts + np.where(paired[:, None], mirrored, 0)


def _across(source: Protocol, target: Protocol) -> NDArray[np.bool_]:
    """Where one region is left and the other right."""
    other = [OTHER_SIDE.get(region.hemisphere, "") for region in source.regions]
    sides = [region.hemisphere for region in target.regions]
    return np.asarray(np.array(other)[:, None] == np.array(sides)[None, :])
