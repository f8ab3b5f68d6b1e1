"""The transform that brings an image to samples of another: scipy's BFGS on exact derivatives.

A few ten thousand samples say as much as all voxels, and a step that knows the curvature is worth
many small ones. Transforms go from fixed to moving world (4x4, mm).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from monet_core.preprocessing.resampling import inverse
from monet_core.scans.geometry import Affine, Geometry

Floats = NDArray[np.float64]
Likeness = Callable[[Floats, Floats], tuple[float, Floats]]
# From parameters in mm: the 3x3 matrix, and the derivatives of its entries by each of them.
_Linear = Callable[[Floats], tuple[Floats, Floats]]

# Parameters are all made to be about mm, at this distance from the middle of a brain.
_RADIUS_MM = 70.0
# Share of the samples that must lie in the image.
_LEAST_INSIDE = 0.25
# Change of the likeness per mm at which no more is to be gained.
_FLAT = 1e-3


@dataclass(frozen=True, eq=False)
class Samples:
    """Where a fixed image is looked at: `points` (3, N) in world mm; `values` (N,), 0 to 1."""

    points: Floats
    values: Floats


def take_samples(
    image: NDArray[np.float32], grid: Geometry, mask: NDArray[np.bool_], most: int
) -> Samples:
    """Some `most` voxels of `image` inside `mask`, evenly spread; all where there are fewer."""
    index = np.flatnonzero(mask)
    index = index[:: max(1, round(len(index) / most))]
    voxels = np.stack(np.unravel_index(index, image.shape)).astype(np.float64)
    points = grid.affine[:3, :3] @ voxels + grid.affine[:3, 3:]
    return Samples(points, image.ravel()[index].astype(np.float64))


def fit(
    fixed: Samples,
    moving: tuple[NDArray[np.float32], Geometry],
    start: Affine,
    middle: Floats,
    likeness: Likeness,
    *,
    affine: bool,
    steps: int,
) -> tuple[Affine, float]:
    """Improve `start` in at most `steps` steps; the transform and its likeness, negative is alike.

    Twelve degrees of freedom if `affine`, else rotation, shift and one scale on top of `start`'s
    own. `moving` has values from 0 to 1 and lies on its grid; samples that come to lie outside
    are left out, and `start` and 0 are returned where these are nearly all.
    """
    offsets = fixed.points - middle[:, None]
    linear = _free if affine else _turned_and_scaled
    to_index = inverse(moving[1].affine)

    def cost(parameters: Floats) -> tuple[float, Floats]:
        matrix, slopes = linear(parameters[3:])
        index_matrix = to_index @ _about(middle, start, matrix, parameters[:3])
        index = index_matrix[:3, :3] @ fixed.points + index_matrix[:3, 3:]
        values, gradient, inside = interpolate(moving[0], index)
        if len(values) < _LEAST_INSIDE * len(inside):
            return 0.0, np.zeros_like(parameters)
        value, slope = likeness(fixed.values[inside], values)
        pull = to_index[:3, :3].T @ (gradient * slope)
        by_matrix = start[:3, :3].T @ (pull @ offsets[:, inside].T)
        return value, np.concatenate([pull.sum(axis=1), np.tensordot(slopes, by_matrix)])

    found = minimize(
        cost,
        np.zeros(12 if affine else 7),
        jac=True,
        method="BFGS",
        options={"maxiter": steps, "gtol": _FLAT},
    )
    matrix, _ = linear(found.x[3:])
    return _about(middle, start, matrix, found.x[:3]), float(found.fun)


def interpolate(
    image: NDArray[np.float32], index: Floats
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """`image` at voxel indices (3, N), trilinear: values (n,), gradient (3, n) by index.

    Only for the points that lie in the image, which the mask (N,) tells.
    """
    last = np.asarray(image.shape, index.dtype)[:, None] - 1
    inside = np.asarray(((index >= 0) & (index <= last)).all(axis=0), bool)
    index = index[:, inside]
    low = np.minimum(np.floor(index), last - 1)
    x, y, z = index - low
    _, rows, columns = image.shape
    at = np.ravel_multi_index(tuple(low.astype(np.intp)), image.shape)
    # Values and differences along z on the four edges of the cell, then along y, then along x.
    flat, edges, along_z = image.ravel(), [], []
    for offset in (0, columns, rows * columns, (rows + 1) * columns):
        near = flat.take(at + offset)
        step = flat.take(at + (offset + 1)) - near
        edges.append(near + z * step)
        along_z.append(step)
    along_y = edges[1] - edges[0], edges[3] - edges[2]
    front, back = edges[0] + y * along_y[0], edges[2] + y * along_y[1]
    gradient_y = along_y[0] + x * (along_y[1] - along_y[0])
    z_front = along_z[0] + y * (along_z[1] - along_z[0])
    z_back = along_z[2] + y * (along_z[3] - along_z[2])
    gradient_z = z_front + x * (z_back - z_front)
    return front + x * (back - front), np.stack([back - front, gradient_y, gradient_z]), inside


def _about(middle: Floats, start: Affine, matrix: Floats, shift: Floats) -> Affine:
    """`start` after `matrix` about `middle`, then `shift` (mm, moving world)."""
    result = start.copy()
    result[:3, :3] = start[:3, :3] @ matrix
    result[:3, 3] += start[:3, :3] @ (middle - matrix @ middle) + shift
    return result


def _free(parameters: Floats) -> tuple[Floats, Floats]:
    """Any matrix near the identity."""
    matrix = np.eye(3) + parameters.reshape(3, 3) / _RADIUS_MM
    return matrix, np.eye(9).reshape(9, 3, 3) / _RADIUS_MM


def _turned_and_scaled(parameters: Floats) -> tuple[Floats, Floats]:
    """Rotation times scale, from a quaternion that is not of unit length."""
    unit = 1 / (2 * _RADIUS_MM)
    quaternion = np.array([1.0, 0, 0, 0]) + parameters * unit
    half = np.tensordot(quaternion, _QUADRATIC, 1)
    return np.tensordot(quaternion, half, 1), half * (2 * unit)


def _quadratic_form() -> Floats:
    """(4, 4, 3, 3): how the entries of a quaternion's matrix depend on products of its parts."""
    units = np.eye(4)
    alone = [_matrix(unit) for unit in units]
    return np.array(
        [
            [(_matrix(a + b) - m - n) / 2 for b, n in zip(units, alone, strict=True)]
            for a, m in zip(units, alone, strict=True)
        ]
    )


def _matrix(quaternion: Floats) -> Floats:
    w, *axis = quaternion
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return (w * w - np.dot(axis, axis)) * np.eye(3) + 2 * (np.outer(axis, axis) + w * cross)


_QUADRATIC = _quadratic_form()
