"""The two optimisations of the registration, as SimpleITK sets them up.

Transforms go from fixed to moving world (4x4, mm), as SimpleITK's do.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import SimpleITK as sitk  # noqa: N813 - its customary name
from numpy.typing import NDArray

from monet_core.preprocessing.heads import aligned_box
from monet_core.preprocessing.resampling import resample
from monet_core.scans.geometry import Affine, Geometry

_logger = logging.getLogger(__name__)
_HISTOGRAM_BINS = 32
_global_setting = threading.Lock()


@contextmanager
def one_thread() -> Iterator[None]:
    """Let SimpleITK work in one thread meanwhile, so that sums come out the same to the last bit.

    Mutual information and N4 add up what their threads found in the order in which these end;
    the setting of a single filter does not reach into its metric, only the global one does.
    """
    with _global_setting:
        before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
        try:
            yield
        finally:
            sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


def as_image(array: NDArray, grid: Geometry, spacing: float | None = None) -> sitk.Image:
    """An axis-aligned volume as SimpleITK image, first brought to `spacing` mm where given."""
    if spacing is not None and abs(spacing - grid.spacing[0]) > 1e-6:
        coarse = aligned_box(grid, spacing)
        array, grid = resample(array, grid, coarse), coarse
    image = sitk.GetImageFromArray(np.asarray(array).transpose(2, 1, 0))
    image.SetSpacing(grid.spacing)
    image.SetOrigin(grid.affine[:3, 3].tolist())
    return image


def refine_similarity(
    fixed: sitk.Image,
    moving: sitk.Image,
    start: Affine,
    middle: NDArray[np.float64],
    *,
    mask: sitk.Image | None = None,
    information: bool = False,
) -> tuple[Affine, float]:
    """Rotation, shift and one scale; the metric is the squared correlation, or information.

    Returns the transform and the metric's value, the lower the better; `start` itself and
    infinity where it leads out of the image. `start` may hold a scale.
    """
    transform = sitk.Similarity3DTransform()
    transform.SetCenter(middle.tolist())
    transform.SetMatrix(_proper(start).ravel().tolist(), 1e-5)
    transform.SetTranslation(_offset(start, middle))
    method = _method(mask)
    if information:
        method.SetMetricAsMattesMutualInformation(_HISTOGRAM_BINS)
    else:
        method.SetMetricAsCorrelation()
    step = fixed.GetSpacing()[0] / (2 if information else 1)
    method.SetOptimizerAsRegularStepGradientDescent(
        step, step / 100, 50, relaxationFactor=0.5, gradientMagnitudeTolerance=1e-8
    )
    method.SetOptimizerScalesFromPhysicalShift()
    value = _execute(method, fixed, moving, transform)
    return (start, value) if value == math.inf else (_matrix(transform), value)


def refine_affine(
    fixed: sitk.Image,
    moving: sitk.Image,
    start: Affine,
    middle: NDArray[np.float64],
    mask: sitk.Image,
    *,
    steps: int,
    sampled: float | None = None,
) -> Affine:
    """Twelve degrees of freedom, by Mattes mutual information.

    Conjugate gradients with a line search, as steps of fixed length run away in some scans.
    `sampled`: share of the voxels, evenly spread, that are looked at; all if None. Returns
    `start` itself where it leads out of the image.
    """
    transform = sitk.AffineTransform(3)
    transform.SetCenter(middle.tolist())
    transform.SetMatrix(start[:3, :3].ravel().tolist())
    transform.SetTranslation(_offset(start, middle))
    method = _method(mask)
    method.SetMetricAsMattesMutualInformation(_HISTOGRAM_BINS)
    if sampled is not None:
        method.SetMetricSamplingStrategy(method.REGULAR)
        method.SetMetricSamplingPercentage(sampled, 1)
    step = fixed.GetSpacing()[0] / 2
    method.SetOptimizerAsConjugateGradientLineSearch(
        learningRate=step,
        numberOfIterations=steps,
        convergenceMinimumValue=1e-5,
        convergenceWindowSize=4,
        lineSearchLowerLimit=0,
        lineSearchUpperLimit=3,
        lineSearchEpsilon=0.05,
        lineSearchMaximumIterations=8,
        estimateLearningRate=method.EachIteration,
        maximumStepSizeInPhysicalUnits=step,
    )
    method.SetOptimizerScalesFromPhysicalShift()
    value = _execute(method, fixed, moving, transform)
    return start if value == math.inf else _matrix(transform)


def _execute(
    method: sitk.ImageRegistrationMethod,
    fixed: sitk.Image,
    moving: sitk.Image,
    transform: sitk.Transform,
) -> float:
    """Optimise `transform` in place; the metric's value, infinite where the images part."""
    method.SetInitialTransform(transform, inPlace=True)
    try:
        method.Execute(fixed, moving)
    except RuntimeError as error:
        # SimpleITK's only error type; what it says of itself is that the overlap was lost.
        _logger.info("a start was given up: %s", error)
        return math.inf
    return float(method.GetMetricValue())


def _method(mask: sitk.Image | None) -> sitk.ImageRegistrationMethod:
    method = sitk.ImageRegistrationMethod()
    method.SetInterpolator(sitk.sitkLinear)
    method.SetMetricSamplingStrategy(method.NONE)
    if mask is not None:
        method.SetMetricFixedMask(mask)
    return method


def _proper(matrix: Affine) -> NDArray:
    """The 3x3 part as exact rotation times scale, as SimpleITK's similarity demands."""
    left, sizes, right = np.linalg.svd(matrix[:3, :3])
    return left @ right * np.cbrt(sizes.prod())


def _offset(matrix: Affine, middle: NDArray[np.float64]) -> list[float]:
    """SimpleITK's translation, which it adds after turning about the centre."""
    offset: list[float] = (matrix[:3, 3] - middle + matrix[:3, :3] @ middle).tolist()
    return offset


def _matrix(transform: sitk.Similarity3DTransform | sitk.AffineTransform) -> Affine:
    linear = np.array(transform.GetMatrix()).reshape(3, 3)
    middle = np.array(transform.GetCenter())
    matrix = np.eye(4)
    matrix[:3, :3] = linear
    matrix[:3, 3] = np.array(transform.GetTranslation()) + middle - linear @ middle
    return matrix
