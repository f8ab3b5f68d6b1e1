"""Affine and elastic deformation as one smooth map, and looking up a scan through it.

The map from patch voxels to scan voxels is a cubic B-spline free-form deformation (Rueckert et
al., IEEE TMI 1999). Cubic B-splines reproduce affine maps exactly, so the affine part is put on
the control points too, and one up-sampling gives all coordinates.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from monet_core.augmentation.settings import AugmentationSettings

Shape = tuple[int, int, int]
Affine = tuple[NDArray[np.float64], NDArray[np.float64]]
"""3x3 matrix about the middle of the patch, and shift (3,) in voxels."""

# Choi and Lee 2000: a cubic B-spline deformation in 3-D is one-to-one while every control point
# moves along each axis by less than the spacing / 2.48.
_NO_FOLDING = 0.4


def draw_affine(settings: AugmentationSettings, rng: np.random.Generator) -> Affine:
    """Rotation about the three axes after scaling along them, and a shift, all uniform."""
    angles = np.deg2rad(rng.uniform(-1, 1, 3) * settings.rotation_degrees)
    scale = np.exp(rng.uniform(-1, 1, 3) * np.log1p(settings.scale))
    matrix = np.diag(scale)
    for axis, angle in enumerate(angles):
        matrix = rotation(axis, angle) @ matrix
    return matrix, rng.uniform(-1, 1, 3) * settings.translation


def rotation(axis: int, angle: float) -> NDArray[np.float64]:
    """3x3 rotation by `angle` (radians) about array axis `axis`."""
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = np.cos(angle)
    matrix[second, first] = np.sin(angle)
    matrix[first, second] = -np.sin(angle)
    return matrix


def draw_shifts(
    patch: Shape, spacing: float, sd: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Normal shifts (3, K, L, M) in voxels of control points about `spacing` voxels apart.

    Clipped where the deformation could fold.
    """
    shape = tuple(control_points(n, spacing) for n in patch)
    shifts = rng.normal(0.0, sd, (3, *shape))
    # The actual spacing is at most `spacing`, and smaller where the patch is.
    limit = _NO_FOLDING * min((n - 1) / (k - 3) for n, k in zip(patch, shape, strict=True))
    return np.clip(shifts, -limit, limit)


class Deformation:
    """The map from the voxels of a patch to those of the scan that it is looked up in.

    `low` and `high` (3,) are a box, in patch voxels, that holds all points and their neighbours.
    `affine` and control point `shifts` (3, K, L, M) may each be None; the shift is added after
    the affine map.
    """

    def __init__(self, patch: Shape, affine: Affine | None, shifts: NDArray | None) -> None:
        controls = _controls(patch, affine, shifts)
        self.low, self.high = _box(controls, patch)
        inside = controls - torch.from_numpy(self.low)[:, None, None, None]
        self._patch, (self._rows, self._last) = patch, _up_to_last(inside, patch)

    def points(self, first: int, stop: int) -> Tensor:
        """Where the voxels of planes `first` to `stop` of the patch are looked up.

        float32 (3, stop - first, Y, Z), in voxels of the box.
        """
        rows = self._rows[:, first:stop].flatten(1, 2)
        return (rows @ self._last).view(3, stop - first, *self._patch[1:])


def upsample(controls: Tensor, patch: Shape) -> Tensor:
    """B-spline field float32 (C, *patch) from its control points (C, K, L, M)."""
    rows, last = _up_to_last(controls, patch)
    return (rows.flatten(0, 2) @ last).view(-1, *patch)


def control_points(size: int, spacing: float) -> int:
    """Number of control points along an axis of `size` voxels: one per `spacing`, and margins."""
    return max(1, int(np.ceil((size - 1) / spacing))) + 3


def look_up(block: Tensor, points: Tensor) -> Tensor:
    """Linear interpolation of `block` (X, Y, Z) at voxel coordinates `points` (3, A, B, C).

    0 <= p < side - 1 on each axis. One gather for each of the eight neighbours, all with the same
    index: twice as fast as torch's grid_sample, which handles one point after the other.
    """
    corner = points.floor()
    index = _flat_index(corner, block.shape)
    found = _between(block.view(-1), index, block.stride(), points - corner)
    return found.view(points.shape[1:])


def nearest(points: Tensor, shape: Sequence[int]) -> Tensor:
    """Flat index int32 (A * B * C,) of the voxel of an array of `shape` nearest to each point."""
    return _flat_index(points.round(), shape)


def _flat_index(places: Tensor, shape: Sequence[int]) -> Tensor:
    # 32 bits: half the memory of torch's usual 64, which is what this costs.
    x, y, z = places.to(torch.int32).flatten(1)
    return x.mul_(shape[1]).add_(y).mul_(shape[2]).add_(z)


def _between(values: Tensor, index: Tensor, strides: Sequence[int], shares: Tensor) -> Tensor:
    """Interpolate between the voxels at `index` and one step further, axis by axis."""
    if not strides:
        return values.index_select(0, index)
    here = _between(values, index, strides[1:], shares[1:])
    there = _between(values[strides[0] :], index, strides[1:], shares[1:])
    return here.lerp_(there, shares[0].flatten())


def _controls(patch: Shape, affine: Affine | None, shifts: NDArray | None) -> Tensor:
    """Control points (3, K, L, M) of the map from patch voxels to patch voxels."""
    shape = (4, 4, 4) if shifts is None else shifts.shape[1:]
    middle = (np.asarray(patch) - 1) / 2
    lines = [_positions(n, k) - m for n, k, m in zip(patch, shape, middle, strict=True)]
    controls = np.stack(np.meshgrid(*lines, indexing="ij"))
    if affine is not None:
        matrix, shift = affine
        controls = np.einsum("ij,jklm->iklm", matrix, controls) + shift[:, None, None, None]
    controls += middle[:, None, None, None]
    return torch.from_numpy(controls if shifts is None else controls + shifts)


def _box(controls: Tensor, patch: Shape) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First voxel and end of a box around all points, without computing all points.

    A spline lies between the smallest and the largest of its control points; along the axis
    whose coordinate is bounded, on which they reach far beyond the patch, it is evaluated.
    """
    lines = [
        torch.tensordot(_basis(n, line.shape[axis]), line, ([1], [axis]))
        for axis, (n, line) in enumerate(zip(patch, controls, strict=True))
    ]
    # A voxel of margin for the neighbours, and for rounding to single precision.
    low = [math.floor(line.min()) - 1 for line in lines]
    high = [math.ceil(line.max()) + 2 for line in lines]
    return np.array(low), np.array(high)


def _up_to_last(controls: Tensor, patch: Shape) -> tuple[Tensor, Tensor]:
    """The spline evaluated along its first two axes (C, X, Y, M), and the weights (M, Z) of the
    last: a product that is by far the largest, therefore in single precision."""
    x, y, z = (_basis(n, k) for n, k in zip(patch, controls.shape[1:], strict=True))
    rows = y @ torch.tensordot(x, controls, ([1], [1])).transpose(0, 1)
    return rows.float(), z.T.float()


def _positions(size: int, count: int) -> NDArray[np.float64]:
    """Voxel positions of `count` control points, one before and one behind the `size` voxels."""
    return np.arange(-1.0, count - 1) * ((size - 1) / (count - 3))


@lru_cache(maxsize=64)
def _basis(size: int, count: int) -> Tensor:
    """Weights (size, count) of the uniform cubic B-splines at each voxel of an axis."""
    at = np.arange(size) * (count - 3) / max(size - 1, 1) + 1
    distance = np.abs(at[:, None] - np.arange(count))
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = np.clip(2 - distance, 0, None) ** 3 / 6
    return torch.from_numpy(np.where(distance < 1, near, far))
