"""From a scan to model space: conform, N4, register, crop, normalise; all recorded."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from monet_core.jobs.events import Phase, Reporter, silent
from monet_core.preprocessing.heads import Head, above, box, box_of, depth_mm, look
from monet_core.preprocessing.prepared import Prepared
from monet_core.preprocessing.resampling import resample
from monet_core.preprocessing.settings import PreprocessingSettings
from monet_core.scans.geometry import Geometry, to_canonical
from monet_core.scans.scan import Scan

# Intensities are clipped at these percentiles of the brain, so that single voxels do not count.
_CLIP_PERCENT = (0.5, 99.5)
# Without a template the brain of a whole head is taken to begin this deep.
_SCALP_MM = 12.0
# Share of the bright level below which a voxel of a stripped scan is background.
_EMPTY = 0.05


def prepare(scan: Scan, settings: PreprocessingSettings, report: Reporter = silent) -> Prepared:
    """Bring `scan` to model space; see `Prepared`. The same scan gives the same bits.

    `Prepared.record` tells the settings, kind of head, transform, grid and intensities. Any
    orientation of the same data gives the same result.
    """
    data = np.asarray(to_canonical(scan.data, scan.geometry), np.float32)
    geometry = scan.geometry.canonical()
    report(Phase("Conforming"))
    head = look(data, geometry)
    transform = np.eye(4)
    low, high = box_of(head.foreground, head.geometry)
    margin = settings.margin_mm
    grid = box(low - margin, high + margin, settings.spacing_mm, geometry.affine[:3, 3])
    image = resample(above(data, head.background), geometry, grid)
    brain = _brain_without_template(head, image, grid)
    image, intensity = normalise(image, brain)
    record: dict[str, Any] = {
        "settings": settings.model_dump(),
        "head": head.kind,
        "transform": transform.tolist(),
        "grid": {"shape": list(grid.shape), "affine": grid.affine.tolist()},
        "intensity": intensity,
    }
    return Prepared(image, grid, transform, brain, record)


def normalise(
    image: NDArray[np.float32], brain: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], dict[str, float]]:
    """Zero mean and unit SD over `brain`, after clipping at its 0.5 and 99.5 percentiles.

    Outside the brain nothing is clipped below but wild values. Returns the image and the four
    figures used.
    """
    values = image[brain] if brain.any() else image.ravel()
    low, high = (float(v) for v in np.percentile(values, _CLIP_PERCENT))
    values = np.clip(values, low, high)
    mean, sd = float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64))
    sd = sd if sd > 0 else 1.0
    floor = min(low, float(np.percentile(image, _CLIP_PERCENT[0])))
    normal = (np.clip(image, floor, high) - mean) / sd
    figures = {"mean": mean, "sd": sd, "clip_low": low, "clip_high": high}
    return normal.astype(np.float32), figures


def _brain_without_template(
    head: Head, image: NDArray[np.float32], grid: Geometry
) -> NDArray[np.bool_]:
    mask = head.foreground
    if head.kind == "whole":
        deep = depth_mm(mask, head.geometry.spacing[0]) > _SCALP_MM
        mask = deep if deep.any() else mask
    near = resample(mask.astype(np.float32), head.geometry, grid) > 0.25
    # The coarse foreground is 2 mm too wide here and there; what is empty is no brain.
    inside = near & (image > _EMPTY * np.percentile(image[near], 99)) if near.any() else near
    return np.asarray(ndimage.binary_fill_holes(inside), bool)
