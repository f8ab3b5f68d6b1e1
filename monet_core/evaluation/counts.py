"""Counting labels: the joint histogram of two label maps, from which Dice and volumes follow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Chunks keep the temporaries in the processor's cache, and memory flat whatever the scan: where
# every voxel has a label, four times this size takes three times as long.
CHUNK = 1 << 16
# Above this spread of indices (Allen's atlases use hundreds of millions) a table is too large.
LARGEST_TABLE = 1 << 22


class Positions:
    """Maps label values to 1..len(indices) in the order given, and every other value to 0."""

    def __init__(self, indices: Sequence[int]) -> None:
        self.indices = tuple(int(i) for i in indices)
        if len(set(self.indices)) != len(self.indices):
            raise ValueError(f"indices are not unique: {self.indices}")
        self._order = np.argsort(np.array(self.indices, dtype=np.int64), kind="stable")
        self._sorted = np.array(self.indices, dtype=np.int64)[self._order]
        self._table = self._make_table()

    def _make_table(self) -> NDArray[np.intp] | None:
        if not self.indices or self._sorted[-1] - self._sorted[0] > LARGEST_TABLE:
            return None
        # One slot of "other" at both ends, where values out of range are clipped to.
        table = np.zeros(int(self._sorted[-1] - self._sorted[0]) + 3, dtype=np.intp)
        table[self._sorted - self._sorted[0] + 1] = self._order + 1
        return table

    def __call__(self, values: NDArray) -> NDArray[np.intp]:
        """Positions, same shape as `values` (any integer or bool dtype)."""
        if not self.indices:
            return np.zeros(values.shape, dtype=np.intp)
        wide = values.astype(np.int64)
        if self._table is not None:
            return np.take(self._table, wide - (self._sorted[0] - 1), mode="clip")
        found = np.searchsorted(self._sorted, wide).clip(max=len(self._sorted) - 1)
        return np.where(self._sorted[found] == wide, self._order[found] + 1, 0)

    def compact(self, values: NDArray) -> NDArray[np.int32]:
        """The same as int32, plane by plane along the slowest axis, so that memory stays flat."""
        if values.flags.f_contiguous and values.ndim > 1:
            return self.compact(values.T).T
        out = np.empty(values.shape, dtype=np.int32)
        for plane, target in zip(values, out, strict=True):
            target[...] = self(plane)
        return out


def joint_counts(first: NDArray, second: NDArray, indices: Sequence[int]) -> NDArray[np.int64]:
    """Joint histogram (n + 1, n + 1) of two integer arrays of one shape, n = len(indices).

    Element (i, j) counts the voxels with `indices[i - 1]` in `first` and `indices[j - 1]` in
    `second`; row and column 0 stand for every other value. Raises ValueError for other shapes.
    """
    if first.shape != second.shape:
        raise ValueError(f"shapes differ: {first.shape} and {second.shape}")
    positions, n = Positions(indices), len(indices) + 1
    counts = np.zeros(n * n, dtype=np.int64)
    if first.flags.f_contiguous:  # as nibabel loads; flattening is then free
        first, second = first.T, second.T
    flat_first, flat_second = first.reshape(-1), second.reshape(-1)
    for start in range(0, flat_first.size, CHUNK):
        part = slice(start, start + CHUNK)
        a, b = flat_first[part], flat_second[part]
        labelled = (a != 0) | (b != 0)
        pairs = positions(a[labelled]) * n + positions(b[labelled])
        counts += np.bincount(pairs, minlength=n * n)
    # Most of a scan is 0 in both, which needs no looking up: it is what was not counted above.
    zero = positions(np.zeros(1, dtype=first.dtype))[0]
    counts[zero * (n + 1)] += first.size - counts.sum()
    return counts.reshape(n, n)
