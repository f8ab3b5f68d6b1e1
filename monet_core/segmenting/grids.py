"""Where labels are wanted: at the voxels of the image, or at those of another grid over it.

A head commutes with any weighted mean, so with interpolation too: features interpolated linearly
at a voxel of the scan give the logits interpolated there. Borders then come out between the model's
voxels, where a map of labels brought back would show the model's own grid again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Protocol

import numpy as np
import torch
from numpy.typing import DTypeLike, NDArray
from torch import Tensor

from monet_core.segmenting.tiling import Tiling, Triple

CHUNK = 4096
"""Voxels handled at a time, so that their features and logits stay in the processor's cache."""


@dataclass(frozen=True, eq=False)
class Onto:
    """A grid of `shape` voxels; `matrix`, 4x4 float64, takes its voxel indices to the image's."""

    matrix: NDArray[np.float64]
    shape: Triple


class Grid(Protocol):
    """The voxels that get a class, asked for as the planes of the padded image are finished.

    Planes are (u v, features), their axes in the order of the image's without the slab's axis.
    """

    def empty(self, dtype: DTypeLike) -> NDArray:
        """A flat array, filled with 0, for one value per voxel."""
        ...

    def rows(self, plane: int, below: Tensor | None, features: Tensor, /) -> Iterator[Rows]:
        """What `plane` decides, given its `features` and those of the plane before it."""
        ...

    def volume(self, flat: NDArray) -> NDArray:
        """(X, Y, Z), contiguous, of an array that `empty` made."""
        ...


Rows = tuple[slice | NDArray[np.int64], Tensor]
"""Places in the flat array, and the features (n, features) there."""


class SameGrid:
    """The image's own voxels."""

    def __init__(self, tiles: Tiling) -> None:
        self._tiles = tiles
        self._planes = tiles.size[tiles.axis]
        self._sides = tiles.slab_shape[1:]

    def empty(self, dtype: DTypeLike) -> NDArray:
        """For every voxel of the padded image."""
        return np.zeros(self._planes * self._sides[0] * self._sides[1], dtype)

    def rows(self, plane: int, _: Tensor | None, features: Tensor) -> Iterator[Rows]:
        """The plane as it is."""
        first = plane * len(features)
        for some in features.split(CHUNK):
            yield slice(first, first + len(some)), some
            first += len(some)

    def volume(self, flat: NDArray) -> NDArray:
        """Without the padding."""
        shaped = flat.reshape(self._planes, *self._sides)
        return self._tiles.crop(np.moveaxis(shaped, 0, self._tiles.axis))


class OtherGrid:
    """The voxels of another grid; 0 for those beyond the image (half a voxel past the last)."""

    def __init__(self, onto: Onto, tiles: Tiling) -> None:
        axes = [tiles.axis, *(a for a in range(3) if a != tiles.axis)]
        matrix = onto.matrix[:3].copy()
        matrix[:, 3] += tiles.before
        self._matrix = matrix[axes]
        self._low = np.asarray(tiles.before)[axes]
        self._high = self._low + np.asarray(tiles.shape)[axes] - 1
        self._sides = tiles.slab_shape[1:]
        self._columns = _Columns(self._matrix[0], onto.shape)
        self._shape = onto.shape

    def empty(self, dtype: DTypeLike) -> NDArray:
        """For every voxel of the other grid."""
        return np.zeros(self._shape[0] * self._shape[1] * self._shape[2], dtype)

    def rows(self, plane: int, below: Tensor | None, features: Tensor) -> Iterator[Rows]:
        """The voxels between the plane before and this one, and those past the last one."""
        first, last = int(self._low[0]), int(self._high[0])
        if first <= plane <= last:
            before = features if plane == first or below is None else below
            yield from self._between(plane - 1, before, features)
        if plane == last:
            yield from self._between(plane, features, features)

    def volume(self, flat: NDArray) -> NDArray:
        """As it is."""
        return flat.reshape(self._shape)

    def _between(self, plane: int, below: Tensor, above: Tensor) -> Iterator[Rows]:
        """Voxels from `plane` up to the next one, with their features."""
        voxels = self._columns.at(plane)
        points = voxels @ self._matrix[:, :3].T + self._matrix[:, 3]
        inside = np.all((points >= self._low - 0.5) & (points < self._high + 0.5), axis=1)
        places = np.ravel_multi_index(tuple(voxels[inside].T), self._shape)
        points = np.clip(points[inside], self._low, self._high)
        points[:, 0] -= plane
        for start in range(0, len(places), CHUNK):
            some = slice(start, start + CHUNK)
            yield places[some], self._interpolated(below, above, points[some])

    def _interpolated(self, below: Tensor, above: Tensor, points: NDArray) -> Tensor:
        """Features (n, features) at `points` (n, 3): share of `above`, and place in the plane."""
        low = np.minimum(np.floor(points[:, 1:]).astype(np.int64), self._high[1:])
        rest = np.column_stack([points[:, 0].clip(0, 1), points[:, 1:] - low])
        total = below.new_zeros((len(points), below.shape[1]))
        for corner in product((0, 1), repeat=3):
            weight = np.where(corner, rest, 1 - rest).prod(axis=1).astype(np.float32)
            u, v = np.minimum(low + corner[1:], self._high[1:]).T
            where = torch.from_numpy(u * self._sides[1] + v).to(below.device)
            weights = torch.from_numpy(weight).to(below.device)
            total.addcmul_((above if corner[0] else below)[where], weights[:, None])
        return total


class _Columns:
    """The voxels of a grid of `shape`, found by one linear function of their indices.

    `row` (4,): its three slopes and its value at voxel 0. Along the steepest axis a column of
    voxels crosses a unit interval once, in a run of voxels.
    """

    def __init__(self, row: NDArray[np.float64], shape: Sequence[int]) -> None:
        self._axis = int(np.argmax(np.abs(row[:3])))
        self._others = [a for a in range(3) if a != self._axis]
        self._length = shape[self._axis]
        i, j = (np.arange(shape[a], dtype=np.float64) for a in self._others)
        start = row[3] + row[self._others[0]] * i[:, None] + row[self._others[1]] * j
        self._slope = abs(float(row[self._axis]))
        self._down = row[self._axis] < 0
        # Columns that fall are counted from their other end.
        self._start = start - self._slope * (self._length - 1) if self._down else start

    def at(self, value: int) -> NDArray[np.int64]:
        """Voxels (n, 3) with value <= function < value + 1; each voxel belongs to one value."""
        low = np.ceil((value - self._start) / self._slope).astype(np.int64)
        high = np.ceil((value + 1 - self._start) / self._slope).astype(np.int64)
        found = []
        for step in range(int((high - low).max(initial=0))):
            along = low + step
            where = np.nonzero((along < high) & (along >= 0) & (along < self._length))
            at = along[where]
            voxels = np.empty((len(at), 3), np.int64)
            voxels[:, self._axis] = self._length - 1 - at if self._down else at
            voxels[:, self._others] = np.column_stack(where)
            found.append(voxels)
        return np.concatenate(found) if found else np.empty((0, 3), np.int64)
