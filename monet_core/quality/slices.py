"""Slices of a volume as pictures: the person's right on the left, pixels as wide as high."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SAMPLES_PER_AXIS = 64
Size = tuple[int, int]


class Plane(NamedTuple):
    """A plane of a canonical (RAS+) array: the axis it is cut along, those across and up."""

    name: str
    axis: int
    across: int
    up: int


AXIAL = Plane("axial", 2, 0, 1)
CORONAL = Plane("coronal", 1, 0, 2)
SAGITTAL = Plane("sagittal", 0, 1, 2)
PLANES = (AXIAL, CORONAL, SAGITTAL)


def window(volume: NDArray[np.floating]) -> tuple[float, float]:
    """Lowest and highest value to show: 1st and 99.5th percentile of what is not background."""
    steps = [max(1, n // SAMPLES_PER_AXIS) for n in volume.shape]
    sample = volume[:: steps[0], :: steps[1], :: steps[2]]
    seen = sample[sample > sample.min()]
    if not seen.size:
        return 0.0, 1.0
    low, high = np.percentile(seen, (1, 99.5))
    # Darker than the darkest tissue, so that background is black and tissue is not.
    low -= 0.1 * (high - low)
    return float(low), float(high if high > low else low + 1)


def foreground_box(volume: NDArray, above: float) -> tuple[tuple[int, int], ...]:
    """First and last index along each axis of what is above a value; the whole where nothing is."""
    step = tuple(max(1, n // 64) for n in volume.shape)
    coarse = volume[:: step[0], :: step[1], :: step[2]] > above
    box = []
    for axis, n in enumerate(volume.shape):
        others = tuple(other for other in range(3) if other != axis)
        # Single bright voxels in the background are no head.
        where = np.flatnonzero(coarse.mean(axis=others) > 0.01)
        first, last = (where[0], where[-1]) if where.size else (0, (n - 1) // step[axis])
        box.append((int(first) * step[axis], min(n - 1, int(last) * step[axis])))
    return tuple(box)


def cut(volume: NDArray, plane: Plane, index: int) -> NDArray:
    """One slice of a canonical array as rows from the top, right (or front) on the left."""
    # Not np.take, which first copies a volume whose axes are permuted.
    where: list[slice | int] = [slice(None)] * 3
    where[plane.axis] = index
    return volume[tuple(where)].T[::-1, ::-1]


def grey(slice_: NDArray, levels: tuple[float, float]) -> NDArray[np.uint8]:
    """Grey values 0..255 of a slice between two levels."""
    low, high = levels
    return np.clip((slice_ - low) * (255 / (high - low)), 0, 255).astype(np.uint8)


def size_of(slice_: NDArray, plane: Plane, spacing: tuple[float, ...], mm: float) -> Size:
    """Height and width in pixels of a slice whose pixels are `mm` wide and high."""
    rows, columns = slice_.shape[:2]
    height = round(rows * spacing[plane.up] / mm)
    return max(1, height), max(1, round(columns * spacing[plane.across] / mm))


def smooth(slice_: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    """A grey slice resampled to `size`, averaged where it gets smaller."""
    picture = Image.fromarray(np.ascontiguousarray(slice_))
    return np.asarray(picture.resize(size[::-1], Image.Resampling.BILINEAR))


def nearest(slice_: NDArray, size: Size) -> NDArray:
    """A slice of labels resampled to `size`; no value is invented."""
    steps = [
        ((np.arange(n) + 0.5) * old / n).astype(np.intp)
        for n, old in zip(size, slice_.shape, strict=True)
    ]
    return slice_[np.ix_(*steps)]
