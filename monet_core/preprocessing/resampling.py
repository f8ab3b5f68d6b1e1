"""Moving volumes between grids, in index space, so that any affine is honoured exactly.

SimpleITK images carry no shear, so the images handed to it here have the identity as geometry,
and one affine transform goes from voxel indices of the target to those of the source.
"""

from __future__ import annotations

from itertools import product
from typing import Literal

import numpy as np
import SimpleITK as sitk  # noqa: N813 - its customary name
from numpy.typing import NDArray
from scipy import ndimage

from monet_core.scans.geometry import Affine, Geometry

Mode = Literal["linear", "nearest", "label"]

# Full width at half maximum of a Gaussian in units of its sigma.
_FWHM = 2 * np.sqrt(2 * np.log(2))
# Voxels of a slab in which label votes are counted: bounds the working memory to some 100 MB.
_SLAB_VOXELS = 400_000


def resample(
    array: NDArray,
    source: Geometry,
    target: Geometry,
    transform: Affine | None = None,
    mode: Mode = "linear",
) -> NDArray:
    """`array` (X, Y, Z) on `source`, interpolated on `target`'s grid; 0 outside the field of view.

    `transform` is 4x4, source world mm -> target world mm (identity if None). "linear" takes
    numbers and gives float32; it smooths first where the target is coarser, so that nothing
    aliases. "nearest" and "label" take whole numbers and keep their dtype; "label" gives each
    voxel the label with the largest trilinear weight, with smoother borders than "nearest".
    """
    if tuple(array.shape) != tuple(source.shape):
        raise ValueError(f"array of shape {array.shape} on a grid of {source.shape}")
    matrix = index_matrix(source, target, transform)
    if mode == "linear":
        array, matrix = _without_aliases(np.asarray(array, np.float32), matrix)
        return _interpolate(array, matrix, target.shape, sitk.sitkLinear)
    if mode == "nearest":
        return _interpolate(array, matrix, target.shape, sitk.sitkNearestNeighbor)
    return _vote(array, matrix, target.shape)


def index_matrix(source: Geometry, target: Geometry, transform: Affine | None = None) -> Affine:
    """4x4 matrix from voxel indices of `target` to those of `source`."""
    moved = source.affine if transform is None else transform @ source.affine
    # Rounding off the noise of the inversion keeps whole-voxel shifts free of interpolation.
    return np.round(inverse(moved) @ target.affine, 9) + 0.0


def inverse(matrix: Affine) -> Affine:
    """The inverse of a 4x4 matrix, as float64."""
    return np.asarray(np.linalg.inv(matrix), np.float64)


def _interpolate(
    array: NDArray, matrix: Affine, shape: tuple[int, int, int], interpolator: int
) -> NDArray:
    kind = array.dtype
    if kind == np.bool_:
        array = array.astype(np.uint8)
    image = sitk.GetImageFromArray(np.asarray(array).transpose(2, 1, 0))
    mapping = sitk.AffineTransform(3)
    mapping.SetMatrix(matrix[:3, :3].ravel().tolist())
    mapping.SetTranslation(matrix[:3, 3].tolist())
    resampler = sitk.ResampleImageFilter()
    resampler.SetSize([int(n) for n in shape])
    resampler.SetTransform(mapping)
    resampler.SetInterpolator(interpolator)
    moved = resampler.Execute(image)
    view = sitk.GetArrayViewFromImage(moved).transpose(2, 1, 0)
    return np.array(view, dtype=kind, order="C")


def _without_aliases(array: NDArray, matrix: Affine) -> tuple[NDArray, Affine]:
    """Smooth `array` as far as the sampling that `matrix` describes is coarser than it.

    Whole multiples are averaged in blocks, which also bounds the memory for very fine scans; the
    rest is a Gaussian that brings the resolution from one voxel width to the other (Cardoso et
    al., "Scale factor point spread function matching", MICCAI 2015).
    """
    steps = np.linalg.norm(matrix[:3, :3], axis=1)
    for axis in range(3):
        size = int(min(steps[axis] + 0.01, array.shape[axis]))
        if size >= 2:
            array = _block_means(array, axis, size)
            matrix = matrix.copy()
            matrix[axis, 3] -= (size - 1) / 2
            matrix[axis] /= size
            steps[axis] /= size
    sigmas = np.sqrt(np.maximum(steps**2 - 1, 0)) / _FWHM
    if sigmas.max() > 0.2:
        array = ndimage.gaussian_filter(array, sigmas, mode="nearest", truncate=3)
    return array, matrix


def _block_means(array: NDArray, axis: int, size: int) -> NDArray:
    """Means over blocks of `size` voxels along `axis`; the last block may be smaller."""
    array = np.moveaxis(array, axis, 0)
    # Laid out in memory as the array is, or each sum would walk through one of both crosswise.
    total = array[::size].copy(order="K")
    count = np.ones((len(total), 1, 1), np.float32)
    for offset in range(1, size):
        part = array[offset::size]
        total[: len(part)] += part
        count[: len(part)] += 1
    total /= count
    return np.moveaxis(total, 0, axis)


def _vote(array: NDArray, matrix: Affine, shape: tuple[int, int, int]) -> NDArray:
    """Each target voxel's label with the largest sum of trilinear weights.

    Where the eight source voxels around a point agree, so does the nearest one: votes are
    counted only where they differ, slab by slab.
    """
    result = _interpolate(array, matrix, shape, sitk.sitkNearestNeighbor)
    if _whole_voxel_steps(matrix):
        return result
    mixed = ndimage.maximum_filter(array, 3) != ndimage.minimum_filter(array, 3)
    where = np.argwhere(_interpolate(mixed, matrix, shape, sitk.sitkNearestNeighbor))
    for start in range(0, len(where), _SLAB_VOXELS):
        voxels = where[start : start + _SLAB_VOXELS]
        points = voxels @ matrix[:3, :3].T + matrix[:3, 3]
        result[tuple(voxels.T)] = _winners(array, points)
    return result


def _whole_voxel_steps(matrix: Affine) -> bool:
    """Whether every target voxel lies exactly on a source voxel."""
    return bool(np.array_equal(matrix, np.round(matrix)))


def _winners(array: NDArray, points: NDArray[np.float64]) -> NDArray:
    """The label with most trilinear weight at each of `points` (n, 3) in voxel indices."""
    low = np.floor(points).astype(np.intp)
    rest = points - low
    last = np.asarray(array.shape) - 1
    labels, weights = [], []
    for corner in product((0, 1), repeat=3):
        index = np.clip(low + corner, 0, last)
        labels.append(array[tuple(index.T)])
        weights.append(np.where(corner, rest, 1 - rest).prod(axis=1))
    label, weight = np.stack(labels), np.stack(weights).astype(np.float32)
    votes = weight.copy()
    for i, j in product(range(8), repeat=2):
        if i != j:
            votes[i] += np.where(label[i] == label[j], weight[j], 0)
    return np.take_along_axis(label, votes.argmax(axis=0)[None], axis=0)[0]
