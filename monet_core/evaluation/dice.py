"""The Dice overlap of every region, from one pass over the two label maps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from monet_core.evaluation.counts import joint_counts


def dice_per_region(pred: NDArray, truth: NDArray, indices: Sequence[int]) -> dict[int, float]:
    """Dice 2|P & T| / (|P| + |T|) per index of two integer arrays of one shape.

    nan where the region is absent in both (it is left out of means, not counted as 1), 0 where
    it is in one only. Values outside `indices` count as background. Raises ValueError where
    the shapes differ.
    """
    return dice_from_counts(joint_counts(pred, truth, indices), indices)


def dice_from_counts(counts: NDArray[np.int64], indices: Sequence[int]) -> dict[int, float]:
    """The same from a joint histogram (n + 1, n + 1) of `joint_counts`."""
    both = np.diagonal(counts)[1:]
    total = counts.sum(axis=1)[1:] + counts.sum(axis=0)[1:]
    dice = np.full(len(both), np.nan)
    np.divide(2.0 * both, total, out=dice, where=total > 0)
    return {int(index): float(value) for index, value in zip(indices, dice, strict=True)}
