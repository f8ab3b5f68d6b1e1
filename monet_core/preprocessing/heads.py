"""What is in the picture: a working copy, the foreground, and whether the skull is still there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from monet_core.preprocessing.resampling import resample
from monet_core.scans.geometry import Geometry

HeadKind = Literal["whole", "stripped"]

WORKING_SPACING_MM = 2.0
# Shares of the bright level: what is above is foreground, what is below may be background.
_FOREGROUND = 0.12
_DARK = 0.25
# Foreground volumes of stripped adult brains reach 2.1 l (scaled to a template), those of whole
# heads start at 3.0 l, measured on 29 scans. Heads that the field of view cuts may be smaller; but
# below their scalp it gets darker, by a tenth and more where a third of the head is missing, and
# in stripped brains, cut or not, by a hundredth at most.
_LARGEST_BRAIN_ML = 2450.0
_SKULL_DARKENS = 0.05
_SKULL_MM = 18.0
_FLAT_BACKGROUND = 0.95
# Voxels by which the range of intensities is told.
_SAMPLE = 1_000_000


@dataclass(frozen=True, eq=False)
class Head:
    """A coarse look at a scan.

    `image` float32 (X, Y, Z) on `geometry` (axis-aligned RAS, 2 mm, scan world), 0 background to
    1 bright; `foreground` bool, its largest connected piece with holes filled; `kind`;
    `background`, the scan's own value that stands for nothing there; `noise`, whether a stripped
    brain lies in noise (or ringing of an interpolation) instead of in nothing.
    """

    image: NDArray[np.float32]
    geometry: Geometry
    foreground: NDArray[np.bool_]
    kind: HeadKind
    background: float
    noise: bool = False


def look(data: NDArray[np.float32], geometry: Geometry) -> Head:
    """Make the coarse working copy of a scan (X, Y, Z) and tell whole heads from stripped ones."""
    grid = aligned_box(geometry, WORKING_SPACING_MM)
    sample = _sample(data)
    low, high = _range(sample)
    flat = _background_is_flat(sample, low, high)
    image = resample(above(data, low), geometry, grid) / np.float32(high - low)
    floor = 0.0 if flat else _floor((sample - low) / (high - low))
    raised = np.clip((image - floor) / (1 - floor), 0, 1).astype(np.float32)
    # Smoothed, so that noise around a stripped brain is no foreground.
    calm = ndimage.gaussian_filter(raised, 1.0)
    outline = _largest_piece(calm > _FOREGROUND)
    skull = _has_skull(calm, outline)
    if flat or skull:
        kind: HeadKind = "whole" if skull else "stripped"
        seen = np.clip(image, 0, 1).astype(np.float32)
        return Head(seen, grid, _largest_piece(seen > _FOREGROUND), kind, low)
    return Head(raised, grid, outline, "stripped", low + floor * (high - low), noise=True)


def above(data: NDArray[np.float32], background: float) -> NDArray[np.float32]:
    """`data` with its background at 0, which is what lies outside any field of view."""
    return data if background == 0 else data - np.float32(background)


def aligned_box(geometry: Geometry, spacing: float) -> Geometry:
    """The axis-aligned RAS grid of `spacing` mm around everything that `geometry` covers."""
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in geometry.shape])).reshape(3, -1)
    world = geometry.affine[:3, :3] @ corners + geometry.affine[:3, 3:]
    return box(world.min(axis=1), world.max(axis=1), spacing, geometry.canonical().affine[:3, 3])


def box(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    spacing: float,
    anchor: NDArray[np.float64] | tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Geometry:
    """The RAS grid of `spacing` mm from `low` to `high` (world mm), with a voxel on `anchor`.

    The rounding keeps noise in the last digits of an affine from moving the grid by a voxel.
    """
    anchor = np.asarray(anchor, float)
    first = np.floor(np.round((low - anchor) / spacing, 4))
    last = np.ceil(np.round((high - anchor) / spacing, 4))
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = np.round(anchor + first * spacing, 6)
    x, y, z = (last - first + 1).astype(int).tolist()
    return Geometry((x, y, z), affine)


def box_of(
    mask: NDArray[np.bool_], geometry: Geometry
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lowest and highest world coordinates (3,) in mm of the voxel centres in `mask`."""
    mask = mask if mask.any() else np.ones_like(mask)
    # Of the voxels in a row, one of the two at its ends lies farthest in any direction.
    x, y = np.nonzero(mask.any(axis=2))
    first = mask.argmax(axis=2)[x, y]
    last = mask.shape[2] - 1 - mask[:, :, ::-1].argmax(axis=2)[x, y]
    index = np.concatenate([np.stack([x, y, end], axis=1) for end in (first, last)])
    world = index @ geometry.affine[:3, :3].T + geometry.affine[:3, 3]
    return world.min(axis=0), world.max(axis=0)


def depth_mm(mask: NDArray[np.bool_], spacing: float) -> NDArray[np.float64]:
    """Distance in mm of every voxel of `mask` from its surface; 0 outside."""
    padded = np.pad(mask, 1)
    return np.asarray(ndimage.distance_transform_edt(padded)[1:-1, 1:-1, 1:-1]) * spacing


def _sample(data: NDArray[np.float32]) -> NDArray[np.float32]:
    """About a million voxels, flat: every n-th along each axis, whatever the order in memory."""
    step = max(1, round((data.size / _SAMPLE) ** (1 / 3)))
    return data[::step, ::step, ::step].ravel()


def _range(sample: NDArray[np.float32]) -> tuple[float, float]:
    """Background and bright level: single wild voxels play no part, nor does the field of view."""
    low = float(np.percentile(sample, 1))
    above = sample[sample > low]
    high = float(np.percentile(above, 99)) if above.size else low + 1.0
    return low, max(high, np.nextafter(low, np.inf))


def _largest_piece(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    pieces, count = ndimage.label(mask)
    if count == 0:
        return np.ones_like(mask)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    return np.asarray(ndimage.binary_fill_holes(pieces == sizes.argmax()), bool)


def _background_is_flat(sample: NDArray[np.float32], low: float, high: float) -> bool:
    """Whether what is dark is all of one value, as skull-stripping leaves it."""
    dark = sample[sample < low + 0.02 * (high - low)]
    if dark.size < 0.1 * sample.size:
        return False
    return float((dark == np.median(dark)).mean()) > _FLAT_BACKGROUND


def _floor(sample: NDArray[np.float32]) -> float:
    """The level of noise that stands for nothing, as a share of the bright level."""
    dark = sample[sample < _DARK]
    return float(np.median(dark)) if dark.size else 0.0


def _has_skull(calm: NDArray[np.float32], outline: NDArray[np.bool_]) -> bool:
    """Whether it is too large for a brain, or darkens below the surface as a skull does."""
    if float(outline.sum()) * WORKING_SPACING_MM**3 / 1000 > _LARGEST_BRAIN_ML:
        return True
    depth = depth_mm(outline, WORKING_SPACING_MM)
    steps = np.arange(0, _SKULL_MM, WORKING_SPACING_MM)
    profile = np.array(
        [
            float(calm[(depth > step) & (depth <= step + WORKING_SPACING_MM)].mean())
            for step in steps[steps < depth.max()]
        ]
    )
    brightest = np.maximum.accumulate(profile)
    return bool((profile < (1 - _SKULL_DARKENS) * brightest).any())
