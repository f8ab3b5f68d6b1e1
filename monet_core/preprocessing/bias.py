"""N4 bias field correction (Tustison et al. 2010), estimated at 4 mm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import SimpleITK as sitk  # noqa: N813 - its customary name
from numpy.typing import NDArray

from monet_core.preprocessing.heads import Head, aligned_box
from monet_core.preprocessing.optimising import as_image, one_thread
from monet_core.preprocessing.resampling import resample
from monet_core.scans.geometry import Affine, Geometry

_SPACING_MM = 4.0
_ITERATIONS = [50, 50, 30]


def estimate_bias(head: Head) -> tuple[NDArray[np.float32], Geometry]:
    """Logarithm of the bias field, float32, and its grid (4 mm, axis-aligned, scan world)."""
    grid = aligned_box(head.geometry, _SPACING_MM)
    mask = resample(head.foreground.astype(np.uint8), head.geometry, grid, mode="nearest")
    image = as_image(np.maximum(head.image, 1e-3), head.geometry, _SPACING_MM)
    with one_thread():
        n4 = sitk.N4BiasFieldCorrectionImageFilter()
        n4.SetMaximumNumberOfIterations(_ITERATIONS)
        n4.Execute(image, as_image(mask, grid))
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
