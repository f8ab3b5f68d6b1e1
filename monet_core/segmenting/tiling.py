"""Where tiles lie in an image, and how much each voxel of a tile counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Triple = tuple[int, int, int]
SIGMA = 0.125  # of the tile's side: standard deviation of the weights (nnU-Net, MONAI)
LEAST_WEIGHT = 1e-3  # so that the scan's corners, seen by one tile only, keep their precision


@dataclass(frozen=True)
class Tiling:
    """Tiles of `patch` voxels over a `shape` padded to `size`, `before` voxels at the low sides.

    `starts`: per axis the first voxels of the tiles, ascending, in the padded image.
    """

    shape: Triple
    size: Triple
    before: Triple
    patch: Triple
    starts: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]

    @property
    def axis(self) -> int:
        """The axis along which the slab moves: the one that makes the slab smallest."""
        return min(range(3), key=lambda a: self.patch[a] * prod(self.size) // self.size[a])

    @property
    def slab_shape(self) -> Triple:
        """Planes of the slab, and the two sides of a plane, in voxels."""
        u, v = (a for a in range(3) if a != self.axis)
        return self.patch[self.axis], self.size[u], self.size[v]

    @property
    def count(self) -> int:
        """Number of tiles."""
        return prod(len(starts) for starts in self.starts)

    def layers(self) -> Iterator[tuple[list[Triple], int]]:
        """Per position along the slab's axis: the tiles' corners, and the next position.

        After the last layer the next position is the padded image's end.
        """
        along = self.starts[self.axis]
        for start, following in zip(along, (*along[1:], self.size[self.axis]), strict=True):
            fixed = list(self.starts)
            fixed[self.axis] = (start,)
            yield [(x, y, z) for x, y, z in product(*fixed)], following

    def pad(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """`image` padded to `size` with its minimum (the normalised background)."""
        if self.size == self.shape:
            return image
        width = [
            (low, size - n - low)
            for n, size, low in zip(self.shape, self.size, self.before, strict=True)
        ]
        return np.pad(image, width, constant_values=image.min())

    def crop(self, padded: NDArray) -> NDArray:
        """The inverse of `pad`, contiguous."""
        inner = tuple(slice(low, low + n) for low, n in zip(self.before, self.shape, strict=True))
        return np.ascontiguousarray(padded[inner])

    def weight(self) -> Tensor:
        """Gaussian importance of a tile's voxels, float32 of shape `patch`, 1 in the middle."""
        x, y, z = (_gaussian(side) for side in self.patch)
        weight = x[:, None, None] * y[:, None] * z
        return weight.clamp(min=max(float(weight.min()), LEAST_WEIGHT))


def tiling(
    shape: Sequence[int], patch: int | Sequence[int], overlap: float, divisor: int
) -> Tiling:
    """Lay tiles of `patch` voxels over an image of `shape`, overlapping by a share in [0, 1).

    Tile sides are rounded down to the network's divisor. An image smaller than the patch is padded
    to it, as it is in training: instance normalisation sees how much of a tile is background. Two
    divisors are the least, as it needs more than one voxel at the bottom.
    """
    if not 0 <= overlap < 1:
        raise ValueError(f"overlap is {overlap}, expected a share of the tile in [0, 1)")
    wanted = (patch,) * 3 if isinstance(patch, int) else tuple(patch)
    sides = [max(2, side // divisor) * divisor for side in wanted]
    size = [max(n, side) for n, side in zip(shape, sides, strict=True)]
    before = [(padded - n) // 2 for n, padded in zip(shape, size, strict=True)]
    x, y, z = (_starts(n, side, overlap) for n, side in zip(size, sides, strict=True))
    return Tiling(_triple(shape), _triple(size), _triple(before), _triple(sides), (x, y, z))


def window(corner: Sequence[int], patch: Sequence[int]) -> tuple[slice, ...]:
    """The slices of a tile of `patch` voxels whose first voxel is `corner`."""
    return tuple(slice(c, c + p) for c, p in zip(corner, patch, strict=True))


def _starts(n: int, side: int, overlap: float) -> tuple[int, ...]:
    """First voxels of the tiles along an axis; the last tile is moved back to end with the axis."""
    step = max(int(side * (1 - overlap)), 1)
    count = -(-(n - side) // step) + 1
    return tuple(min(i * step, n - side) for i in range(count))


def _gaussian(side: int) -> Tensor:
    distance = torch.arange(side, dtype=torch.float32) - (side - 1) / 2
    return torch.exp(-0.5 * (distance / (SIGMA * side)) ** 2)


def _triple(values: Sequence[int]) -> Triple:
    x, y, z = (int(v) for v in values)
    return x, y, z
