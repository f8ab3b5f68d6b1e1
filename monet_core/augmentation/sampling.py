"""Cutting a patch out of a scan, deformed, mirrored and changed in one go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray

from monet_core.augmentation.intensity import change_intensities
from monet_core.augmentation.settings import AugmentationSettings
from monet_core.augmentation.spatial import (
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
    with one_thread():
        pictures, classes = _cut([image], labels, centre, patch, settings, rng, swaps, background)
        return change_intensities(pictures[0], settings, rng), classes


def sample_labels(
    labels: Mapping[str, Labels],
    centre: tuple[int, int, int],
    patch: int | Shape,
    settings: AugmentationSettings,
    rng: np.random.Generator,
    swaps: Mapping[str, NDArray[np.integer]],
) -> dict[str, Labels]:
    """The label maps of `sample_patch` where there is no image yet: deformed and mirrored."""
    with one_thread():
        return _cut([], labels, centre, patch, settings, rng, swaps, None)[1]


def _cut(
    images: Sequence[NDArray[np.floating]],
    labels: Mapping[str, Labels],
    centre: tuple[int, int, int],
    patch: int | Shape,
    settings: AugmentationSettings,
    rng: np.random.Generator,
    swaps: Mapping[str, NDArray[np.integer]],
    background: float | None,
) -> tuple[list[NDArray[np.float32]], dict[str, Labels]]:
    """One deformation, and one mirror, of all images and label maps."""
    shape: Shape = (patch, patch, patch) if isinstance(patch, int) else patch
    start = np.asarray(centre) - np.asarray(shape) // 2
    affine, shifts = _draw(shape, settings, rng)
    if affine is None and shifts is None:
        pictures, classes = _crop(images, labels, start, shape, background)
    else:
        deformation = Deformation(shape, affine, shifts)
        pictures, classes = _deform(images, labels, start, shape, deformation, background)
    if rng.random() < settings.mirror_probability:
        return mirror(pictures, classes, swaps)
    return pictures, classes


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch computes with one thread, as in a data worker: the parts are so small that threads
    would mostly wait for each other, for seconds where another program has taken a core."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def mirror(
    pictures: Sequence[NDArray[np.float32]],
    labels: Mapping[str, Labels],
    swaps: Mapping[str, NDArray[np.integer]],
) -> tuple[list[NDArray[np.float32]], dict[str, Labels]]:
    """Left and right exchanged: axis 0 (x in model space) reversed, classes of sides swapped."""
    flipped = {
        name: swaps[name].astype(values.dtype)[values[::-1]] for name, values in labels.items()
    }
    return [np.ascontiguousarray(picture[::-1]) for picture in pictures], flipped


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
    images: Sequence[NDArray[np.floating]],
    labels: Mapping[str, Labels],
    start: NDArray[np.integer],
    shape: Shape,
    background: float | None,
) -> tuple[list[NDArray[np.float32]], dict[str, Labels]]:
    stop = start + shape
    pictures = [_image_block(image, start, stop, background) for image in images]
    return pictures, {name: read_block(values, start, stop, 0) for name, values in labels.items()}


def _deform(
    images: Sequence[NDArray[np.floating]],
    labels: Mapping[str, Labels],
    start: NDArray[np.integer],
    shape: Shape,
    deformation: Deformation,
    background: float | None,
) -> tuple[list[NDArray[np.float32]], dict[str, Labels]]:
    first, stop = start + deformation.low, start + deformation.high
    blocks = [torch.from_numpy(_image_block(each, first, stop, background)) for each in images]
    maps = {name: read_block(values, first, stop, 0) for name, values in labels.items()}
    pictures = [np.empty(shape, np.float32) for _ in images]
    classes = {name: np.empty(shape, values.dtype) for name, values in maps.items()}
    box = tuple(int(side) for side in stop - first)
    step = max(1, _CHUNK // (shape[1] * shape[2]))
    for plane in range(0, shape[0], step):
        points = deformation.points(plane, min(plane + step, shape[0]))
        part = slice(plane, plane + step)
        for picture, block in zip(pictures, blocks, strict=True):
            picture[part] = look_up(block, points)
        where = nearest(points, box).numpy()
        for name, values in maps.items():
            classes[name][part] = values.take(where).reshape(points.shape[1:])
    return pictures, classes


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
