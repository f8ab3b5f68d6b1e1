"""Shapes between painted slices, by the distance to their borders."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt


def between_slices(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What fills the gaps of a mask (slices, Y, X): in each, the shape halfway between its ends."""
    added = np.zeros(mask.shape, bool)
    painted = np.flatnonzero(mask.any(axis=(1, 2)))
    for first, last in pairwise(painted):
        if last - first < 2:
            continue
        start, end = _distance(mask[first]), _distance(mask[last])
        for between in range(first + 1, last):
            share = (between - first) / (last - first)
            added[between] = (1 - share) * start + share * end > 0
    return added


def _distance(shape: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How far inside (positive) or outside of a shape each pixel lies."""
    inside = np.asarray(distance_transform_edt(shape))
    return inside - np.asarray(distance_transform_edt(~shape))
