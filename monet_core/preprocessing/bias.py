"""N4 bias field correction (Tustison et al. 2010), estimated at 4 mm."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import SimpleITK as sitk  # noqa: N813 - its customary name
from numpy.typing import NDArray

from monet_core.preprocessing.heads import Head, aligned_box
from monet_core.preprocessing.resampling import resample
from monet_core.scans.geometry import Affine, Geometry

_SPACING_MM = 4.0
_ITERATIONS = [50, 50, 30]
_global_setting = threading.Lock()


def estimate_bias(head: Head) -> tuple[NDArray[np.float32], Geometry]:
    """Logarithm of the bias field, float32, and its grid (4 mm, axis-aligned, scan world)."""
    grid = aligned_box(head.geometry, _SPACING_MM)
    mask = resample(head.foreground.astype(np.uint8), head.geometry, grid, mode="nearest")
    bright = np.maximum(head.image, np.float32(1e-3))
    image = _as_image(resample(bright, head.geometry, grid), grid)
    with _one_thread():
        n4 = sitk.N4BiasFieldCorrectionImageFilter()
        n4.SetMaximumNumberOfIterations(_ITERATIONS)
        n4.Execute(image, _as_image(mask, grid))
    field = sitk.GetArrayFromImage(n4.GetLogBiasFieldAsImage(image)).transpose(2, 1, 0)
    return np.ascontiguousarray(field, dtype=np.float32), grid


def divide(
    image: NDArray[np.float32],
    grid: Geometry,
    field: tuple[NDArray[np.float32], Geometry],
    transform: Affine | None = None,
) -> NDArray[np.float32]:
    """`image` on `grid` without the bias; `transform`: scan world -> world of `grid`."""
    return np.asarray(image / np.exp(resample(*field, grid, transform)), np.float32)


def without_bias(head: Head, field: tuple[NDArray[np.float32], Geometry]) -> Head:
    """The same working copy, corrected."""
    return replace(head, image=divide(head.image, head.geometry, field))


def _as_image(array: NDArray, grid: Geometry) -> sitk.Image:
    """An axis-aligned volume as SimpleITK image; its physical space is simply taken to be RAS."""
    image = sitk.GetImageFromArray(np.asarray(array).transpose(2, 1, 0))
    image.SetSpacing(grid.spacing)
    image.SetOrigin(grid.affine[:3, 3].tolist())
    return image


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let SimpleITK work in one thread meanwhile, so that sums come out the same to the last bit.

    N4 adds up what its threads found in the order in which these end, and only the global setting
    reaches into all its parts.
    """
    with _global_setting:
        before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
        try:
            yield
        finally:
            sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
