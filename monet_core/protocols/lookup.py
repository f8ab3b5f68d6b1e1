"""Replacing the values of a label array through a table, in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from monet_core.errors import ProtocolError

_CHUNK = 1 << 20  # voxels; keeps the temporary int64 copies at some 10 MB whatever the scan
_LARGEST_TABLE = 1 << 22
_UNKNOWN = -1


class Lookup:
    """Maps known values to codes; counts values it does not know and gives them code 0."""

    def __init__(self, codes: Mapping[int, int]) -> None:
        self._keys = np.array(sorted(codes), np.int64)
        self._codes = np.array([codes[key] for key in sorted(codes)], np.int32)
        self._table: NDArray[np.int32] | None = None
        if self._keys[0] >= 0 and self._keys[-1] < _LARGEST_TABLE:
            self._table = np.full(int(self._keys[-1]) + 2, _UNKNOWN, np.int32)
            self._table[self._keys] = self._codes

    def __call__(
        self, values: NDArray[Any], dtype: DTypeLike
    ) -> tuple[NDArray[Any], dict[int, int]]:
        """Codes (same shape, `dtype`) and the voxel count of every unknown value.

        Raises ProtocolError where `values` are not whole numbers.
        """
        values = np.asarray(values)
        result = np.empty_like(values, dtype=dtype, subok=False)
        # Memory order, so that neither side is copied for Fortran-ordered scans.
        source, target = values.ravel(order="K"), result.ravel(order="K")
        unknown: Counter[int] = Counter()
        for start in range(0, source.size, _CHUNK):
            chunk = _whole(source[start : start + _CHUNK])
            codes = self._codes_of(chunk)
            if codes.min() < 0:
                found, counts = np.unique(chunk[codes < 0], return_counts=True)
                unknown.update(dict(zip(found.tolist(), counts.tolist(), strict=True)))
                codes = np.maximum(codes, 0)
            target[start : start + _CHUNK] = codes
        return result, dict(sorted(unknown.items()))

    def _codes_of(self, chunk: NDArray[Any]) -> NDArray[np.int32]:
        if self._table is not None:
            # Negative and huge values all go to the table's last entry, which is unknown.
            last = len(self._table) - 1
            inside = (chunk >= 0) & (chunk < last)
            return np.take(self._table, np.where(inside, chunk, last).astype(np.intp))
        if chunk.dtype.kind == "u" and chunk.dtype.itemsize == 8:
            chunk = np.minimum(chunk, np.iinfo(np.int64).max)
        chunk = chunk.astype(np.int64, copy=False)
        where = np.minimum(np.searchsorted(self._keys, chunk), len(self._keys) - 1)
        codes = np.take(self._codes, where)
        codes[np.take(self._keys, where) != chunk] = _UNKNOWN
        return codes


def _whole(chunk: NDArray[Any]) -> NDArray[Any]:
    if chunk.dtype.kind in "iu":
        return chunk
    if chunk.dtype.kind == "b":
        return chunk.astype(np.uint8)
    if chunk.dtype.kind == "f" and np.isfinite(chunk).all() and np.abs(chunk).max() < 2**53:
        rounded = chunk.astype(np.int64)
        if (rounded == chunk).all():
            return rounded
    raise ProtocolError("not-whole", "labels must be whole numbers, these are not")
