"""Cutting a patch out of a scan, deformed, mirrored and changed in one go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray

from monet_core.training.augmentation.intensity import change_intensities
from monet_core.training.augmentation.settings import AugmentationSettings
from monet_core.training.augmentation.spatial import (
    Affine,
    Deformation,
    Shape,
    draw_affine,
    draw_shifts,
    look_up,
    nearest,
)

# Voxels looked up at a time: what is computed on the way stays in the processor's cache.
_CHUNK = 65536

Labels = NDArray[np.unsignedinteger]


def sample_patch(
    image: NDArray[np.floating],
    labels: Mapping[str, Labels],
    centre: tuple[int, int, int],
    patch: int | Shape,
    settings: AugmentationSettings,
    rng: np.random.Generator,
    swaps: Mapping[str, NDArray[np.integer]],
    background: float | None = None,
) -> tuple[NDArray[np.float32], dict[str, Labels]]:
    """A patch of `image` (X, Y, Z), memory-mapped or not, and of its label maps, changed at random.

    Voxel p // 2 of each axis of the patch is the voxel `centre`. A deformed patch is looked up in
    the scan, so that it shows what is really there beyond its own edge; only that region is read.
    Beyond the scan lies `background` (the region's minimum if None), labelled 0. `swaps` gives
    per label map the class that each class becomes in a left-right mirror. Uses one thread.
    Returns float32 (*patch) and label maps of the same shape in their own dtype.
    """
    shape: Shape = (patch, patch, patch) if isinstance(patch, int) else patch
    start = np.asarray(centre) - np.asarray(shape) // 2
    affine, shifts = _draw(shape, settings, rng)
    with _one_thread():
        if affine is None and shifts is None:
            picture, classes = _crop(image, labels, start, shape, background)
        else:
            picture, classes = _deform(image, labels, start, shape, affine, shifts, background)
        if rng.random() < settings.mirror_probability:
            picture, classes = mirror(picture, classes, swaps)
        return change_intensities(picture, settings, rng), classes


@contextmanager
def _one_thread() -> Iterator[None]:
    """Torch computes with one thread, as in a data worker: the parts are so small that threads
    would mostly wait for each other, for seconds where another program has taken a core."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def mirror(
    image: NDArray[np.float32],
    labels: Mapping[str, Labels],
    swaps: Mapping[str, NDArray[np.integer]],
) -> tuple[NDArray[np.float32], dict[str, Labels]]:
    """Left and right exchanged: axis 0 (x in model space) reversed, classes of sides swapped."""
    flipped = {
        name: swaps[name].astype(values.dtype)[values[::-1]] for name, values in labels.items()
    }
    return np.ascontiguousarray(image[::-1]), flipped


def _draw(
    shape: Shape, settings: AugmentationSettings, rng: np.random.Generator
) -> tuple[Affine | None, NDArray[np.float64] | None]:
    affine = shifts = None
    if rng.random() < settings.affine_probability:
        affine = draw_affine(settings, rng)
    if rng.random() < settings.elastic_probability and settings.elastic_sd > 0:
        shifts = draw_shifts(shape, settings.elastic_spacing, settings.elastic_sd, rng)
    return affine, shifts


def _crop(
    image: NDArray[np.floating],
    labels: Mapping[str, Labels],
    start: NDArray[np.integer],
    shape: Shape,
    background: float | None,
) -> tuple[NDArray[np.float32], dict[str, Labels]]:
    stop = start + shape
    picture = _image_block(image, start, stop, background)
    return picture, {name: read_block(values, start, stop, 0) for name, values in labels.items()}


def _deform(
    image: NDArray[np.floating],
    labels: Mapping[str, Labels],
    start: NDArray[np.integer],
    shape: Shape,
    affine: Affine | None,
    shifts: NDArray[np.float64] | None,
    background: float | None,
) -> tuple[NDArray[np.float32], dict[str, Labels]]:
    deformation = Deformation(shape, affine, shifts)
    first, stop = start + deformation.low, start + deformation.high
    block = torch.from_numpy(_image_block(image, first, stop, background))
    maps = {name: read_block(values, first, stop, 0) for name, values in labels.items()}
    picture = np.empty(shape, np.float32)
    classes = {name: np.empty(shape, values.dtype) for name, values in maps.items()}
    step = max(1, _CHUNK // (shape[1] * shape[2]))
    for plane in range(0, shape[0], step):
        points = deformation.points(plane, min(plane + step, shape[0]))
        part = slice(plane, plane + step)
        picture[part] = look_up(block, points)
        where = nearest(points, block.shape).numpy()
        for name, values in maps.items():
            classes[name][part] = values.take(where).reshape(points.shape[1:])
    return picture, classes


def _image_block(
    image: NDArray[np.floating],
    start: NDArray[np.integer],
    stop: NDArray[np.integer],
    background: float | None,
) -> NDArray[np.float32]:
    return read_block(image, start, stop, background).astype(np.float32, copy=False)


def read_block(
    array: NDArray, start: NDArray[np.integer], stop: NDArray[np.integer], fill: float | None
) -> NDArray:
    """A copy of `array[start:stop]` (per axis), which may reach beyond the array on any side.

    What lies beyond is `fill`, or the smallest value inside if None. In C order.
    """
    size = np.asarray(array.shape)
    inner_start, inner_stop = np.clip(start, 0, size), np.clip(stop, 0, size)
    inside = array[_slices(inner_start, inner_stop)]
    if np.array_equal(inner_start, start) and np.array_equal(inner_stop, stop):
        return np.array(inside, order="C")
    if fill is None:
        fill = inside.min() if inside.size else array.min()
    block = np.full(stop - start, fill, array.dtype)
    block[_slices(inner_start - start, inner_stop - start)] = inside
    return block


def _slices(start: NDArray[np.integer], stop: NDArray[np.integer]) -> tuple[slice, ...]:
    return tuple(slice(int(a), int(b)) for a, b in zip(start, stop, strict=True))
