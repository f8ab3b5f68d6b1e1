"""Affine and elastic deformation as one smooth map, and looking up a scan through it.

The map from patch voxels to scan voxels is a cubic B-spline free-form deformation (Rueckert et
al., IEEE TMI 1999). Cubic B-splines reproduce affine maps exactly, so the affine part is put on
the control points too, and one up-sampling gives all coordinates.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from monet_core.training.augmentation.settings import AugmentationSettings

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


def coordinates(patch: Shape, affine: Affine | None, shifts: NDArray | None) -> Tensor:
    """Where each voxel of a patch is looked up: float32 (3, *patch), in patch voxels.

    `affine` and control point `shifts` (3, K, L, M) may each be None; the shift is added after
    the affine map.
    """
    shape = (4, 4, 4) if shifts is None else shifts.shape[1:]
    middle = (np.asarray(patch) - 1) / 2
    lines = [_positions(n, k) - m for n, k, m in zip(patch, shape, middle, strict=True)]
    controls = np.stack(np.meshgrid(*lines, indexing="ij"))
    if affine is not None:
        matrix, shift = affine
        controls = np.einsum("ij,jklm->iklm", matrix, controls) + shift[:, None, None, None]
    controls += middle[:, None, None, None]
    if shifts is not None:
        controls += shifts
    return upsample(torch.from_numpy(controls), patch).float()


def upsample(controls: Tensor, patch: Shape) -> Tensor:
    """B-spline field (C, *patch) from its control points (C, K, L, M); keeps the dtype."""
    channels, first, second, third = controls.shape
    x, y, z = (
        torch.from_numpy(_basis(n, k)).to(controls.dtype)
        for n, k in zip(patch, (first, second, third), strict=True)
    )
    field = x @ controls.reshape(channels, first, second * third)
    field = y @ field.reshape(channels * patch[0], second, third)
    # The last product is by far the largest: in single precision, as one matrix product.
    field = field.reshape(-1, third).float() @ z.T.float()
    return field.reshape(channels, *patch)


def control_points(size: int, spacing: float) -> int:
    """Number of control points along an axis of `size` voxels: one per `spacing`, and margins."""
    return max(1, int(np.ceil((size - 1) / spacing))) + 3


def look_up(block: NDArray[np.float32], points: Tensor) -> NDArray[np.float32]:
    """Linear interpolation of `block` (X, Y, Z) at voxel coordinates `points` (3, A, B, C).

    `points` are overwritten: at this size every copy costs as much as the arithmetic.
    """
    for line, side in zip(points, block.shape, strict=True):
        # Voxel edges at -1 and 1 (align_corners=False), which also suits a side of one voxel.
        line.mul_(2 / side).add_(1 / side - 1)
    found = torch.nn.functional.grid_sample(
        # grid_sample counts axes from the last one; turning the volume's view saves a copy.
        torch.from_numpy(block).permute(2, 1, 0)[None, None],
        points.permute(1, 2, 3, 0)[None],
        mode="bilinear",
        padding_mode="border",
        align_corners=False,
    )
    return found[0, 0].numpy()


def nearest(points: Tensor, shape: Shape) -> NDArray[np.int32]:
    """Flat index (A, B, C) of the voxel of an array of `shape` nearest to each of `points`."""
    x, y, z = points.round().to(torch.int32)
    return x.mul_(shape[1]).add_(y).mul_(shape[2]).add_(z).numpy()


def _positions(size: int, count: int) -> NDArray[np.float64]:
    """Voxel positions of `count` control points, one before and one behind the `size` voxels."""
    return np.arange(-1.0, count - 1) * ((size - 1) / (count - 3))


@lru_cache(maxsize=64)
def _basis(size: int, count: int) -> NDArray[np.float64]:
    """Weights (size, count) of the uniform cubic B-splines at each voxel of an axis."""
    at = np.arange(size) * (count - 3) / max(size - 1, 1) + 1
    distance = np.abs(at[:, None] - np.arange(count))
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = np.clip(2 - distance, 0, None) ** 3 / 6
    return np.where(distance < 1, near, far)
