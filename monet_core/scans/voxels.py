"""Voxel values, decoded slab by slab so that no second copy of a large scan is ever held."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from monet_core.scans.header import FileHeader
from monet_core.scans.opening import reading

SLAB_BYTES = 16 << 20
# Small enough to stay in the cache from unpacking to conversion.
CACHED_BYTES = 1 << 20


def slabs(header: FileHeader, n_bytes: int = SLAB_BYTES) -> Iterator[tuple[slice, NDArray]]:
    """Pairs of a slice along the third axis and its voxels (X, Y, n), scaled, stored type kept.

    A slab has at most some `n_bytes` as stored. Values are float64 where the file scales them.
    Reads the file to its end, so that a gzip checksum is verified; ScanError where it is cut off
    or damaged.
    """
    nx, ny, nz = header.shape
    plane = nx * ny * header.dtype.itemsize
    step = max(1, n_bytes // plane)
    with reading(header.data_path, header.n_bytes) as reader:
        reader.skip(header.offset)
        for start in range(0, nz, step):
            stop = min(nz, start + step)
            block = np.frombuffer(reader.take(plane * (stop - start)), header.dtype)
            values = block.reshape((nx, ny, stop - start), order="F")
            yield slice(start, stop), _scaled(values, header.slope, header.inter)
        reader.finish()


def _scaled(values: NDArray, slope: float, inter: float) -> NDArray:
    if slope == 1 and inter == 0:
        return values
    return values.astype(np.float64) * slope + inter


def as_float32(header: FileHeader) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """All voxels as float32 (X, Y, Z), and the lowest and highest of them, as float32 holds them.

    What does not fit float32 becomes infinite; with NaN among the voxels the extremes are NaN.
    """
    out = np.empty(header.shape, np.float32, order="F")
    lows, highs = [], []
    with np.errstate(over="ignore", invalid="ignore"):
        for where, values in slabs(header, CACHED_BYTES):
            out[:, :, where] = values
            # While they are in the cache, and in the stored type, which is the smaller one.
            lows.append(values.min())
            highs.append(values.max())
        low, high = np.float32(np.min(lows)), np.float32(np.max(highs))
    return out, (float(low), float(high))
