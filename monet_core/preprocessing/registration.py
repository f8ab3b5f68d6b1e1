"""Rigid registration of a scan to MNI space, coarse to fine, from several starts.

The last stages are affine (12 degrees of freedom), for brains differ in size and shape from the
template; the rigid transform kept is the affine one's rotation (polar decomposition) about the
middle of the template's brain. The affine one also brings the template's brain mask to the scan.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.linalg import polar
from scipy.optimize import linear_sum_assignment

from monet_core.preprocessing.fitting import Samples, fit, take_samples
from monet_core.preprocessing.heads import Head, HeadKind, aligned_box
from monet_core.preprocessing.likeness import correlation, information
from monet_core.preprocessing.resampling import inverse, resample
from monet_core.preprocessing.starts import find_starts
from monet_core.preprocessing.template import Reference
from monet_core.scans.geometry import Affine, Geometry

_STARTS = 6
# How much better (squared correlation) another orientation must fit than the header's.
_HEADER_ADVANTAGE = 0.03
# The brain is compared within a rim this wide, which holds the contrast at its surface.
_RIM_VOXELS = 2
# Below this the scan and the template do not show the same thing: measured are 0.59 to 0.85 in
# 29 scans that were registered well, heads and brains, bias fields included.
_LOWEST_CORRELATION = 0.4
_SCALES = (0.6, 1.7)
# Axes whose dot products stay below this are at right angles, for headers are rounded.
_RIGHT_ANGLED = 1e-4
# Voxels looked at, by spacing in mm.
_SAMPLES = {8.0: 4_000, 4.0: 8_000, 2.0: 32_000}
# How starts are refined: spacing in mm, steps, how many are kept.
_SEARCH = ((8.0, 60, 3), (4.0, 30, 1))
# How the brain is fitted: spacing in mm, whether affine (else rotation, shift and scale), steps.
_STAGES = ((4.0, False, 20), (4.0, True, 30), (2.0, True, 20))

# An image at several spacings (mm), each on its grid.
Pyramid = dict[float, tuple[NDArray[np.float32], Geometry]]


@dataclass(frozen=True, eq=False)
class Registration:
    """`rigid` and `affine` 4x4, scan world mm -> reference world mm.

    `correlation` with the reference inside its brain, after `affine`. Where `good` is False both
    transforms only shift the scan: its header's orientation is kept.
    """

    rigid: Affine
    affine: Affine
    correlation: float
    good: bool

    @property
    def turned_deg(self) -> float:
        """Angle of `rigid` in degrees: how far the head lay from the template's pose."""
        return _angle_deg(self.rigid)


def register(head: Head, reference: Reference) -> Registration:
    """Register a scan's working copy to `reference`; the same input gives the same bits.

    Any pose is found, also one that the header tells wrongly; sides are never exchanged, since
    only proper rotations are tried.
    """
    image = head.image if head.kind == "whole" else head.image * head.foreground
    moving = _pyramid(image / max(float(image.max()), 1e-6), head.geometry)
    coarse_fixed = (
        (reference.head, reference.head_grid)
        if head.kind == "whole"
        else (reference.brain, reference.grid)
    )
    starts = find_starts(coarse_fixed, moving[8.0], _STARTS)
    start = _best_start(starts, head.kind, moving, reference)
    affine = inverse(_to_brain(start, moving, reference))
    alike = _correlation(moving[2.0], affine, reference)
    if not _plausible(affine, alike):
        shift = inverse(starts[0])
        return Registration(shift, shift, alike, good=False)
    return Registration(_rigid_part(affine, reference.middle), affine, alike, good=True)


def coverage(registration: Registration, scan: Geometry, reference: Reference) -> float:
    """Share (0 to 1) of the reference's brain that lies in the scan's field of view."""
    index = np.argwhere(reference.mask[::4, ::4, ::4]) * 4
    to_scan = inverse(registration.affine @ scan.affine) @ reference.grid.affine
    points = index @ to_scan[:3, :3].T + to_scan[:3, 3]
    inside = (points > -0.5) & (points < np.asarray(scan.shape) - 0.5)
    return float(inside.all(axis=1).mean())


def along_voxels(
    rigid: Affine, scan: Geometry, middle: NDArray[np.float64], most_deg: float
) -> Affine:
    """`rigid` turned about `middle` (mm) so that the scan's voxel axes become the model's.

    Unchanged where that is more than `most_deg`, or where the scan's axes are not at right angles.
    """
    axes = rigid[:3, :3] @ scan.affine[:3, :3] / scan.spacing
    nearest = np.zeros((3, 3))
    rows, columns = linear_sum_assignment(-np.abs(axes))
    nearest[rows, columns] = np.sign(axes[rows, columns])
    turn = np.eye(4)
    turn[:3, :3] = nearest @ axes.T
    turn[:3, 3] = middle - turn[:3, :3] @ middle
    right_angled = np.allclose(axes.T @ axes, np.eye(3), atol=_RIGHT_ANGLED)
    return turn @ rigid if right_angled and _angle_deg(turn) <= most_deg else rigid


def brain_on(head: Head, registration: Registration, reference: Reference) -> NDArray[np.bool_]:
    """The reference's brain mask brought to the scan's working copy, bool on `head.geometry`."""
    back = inverse(registration.affine)
    mask = resample(reference.mask.astype(np.float32), reference.grid, head.geometry, back)
    return (mask > 0.5) & head.foreground


def _angle_deg(rigid: Affine) -> float:
    cosine = (np.trace(rigid[:3, :3]) - 1) / 2
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def _pyramid(image: NDArray[np.float32], grid: Geometry) -> Pyramid:
    """The image at 2, 4 and 8 mm."""
    levels = {2.0: (image, grid)}
    for spacing in (4.0, 8.0):
        coarse = aligned_box(grid, spacing)
        levels[spacing] = (resample(image, grid, coarse), coarse)
    return levels


def _best_start(
    starts: list[Affine], kind: HeadKind, moving: Pyramid, reference: Reference
) -> Affine:
    """Refine all starts at 8 mm and the best of them at 4 mm; fixed -> moving, with scale."""
    samples = _head_samples if kind == "whole" else _brain_samples
    found = [(start, 0.0, i) for i, start in enumerate(starts)]
    for spacing, steps, kept in _SEARCH:
        fixed, image = samples(reference, spacing), moving[spacing]
        refined = []
        for start, _, i in found:
            matrix, value = fit(
                fixed, image, start, reference.middle, correlation, affine=False, steps=steps
            )
            refined.append((matrix, value - (_HEADER_ADVANTAGE if i == 0 else 0.0), i))
        found = sorted(refined, key=lambda each: each[1])[:kept]
    return found[0][0]


def _to_brain(start: Affine, moving: Pyramid, reference: Reference) -> Affine:
    """Fit the brain, and nothing but it, from 4 to 2 mm; fixed -> moving, affine."""
    matrix = start
    for spacing, affine, steps in _STAGES:
        fixed = _brain_samples(reference, spacing)
        matrix, _ = fit(
            fixed,
            moving[spacing],
            matrix,
            reference.middle,
            information,
            affine=affine,
            steps=steps,
        )
    return matrix


@lru_cache(maxsize=8)
def _head_samples(reference: Reference, spacing: float) -> Samples:
    """The reference's whole head at `spacing` mm, and what is around it."""
    grid = aligned_box(reference.head_grid, spacing)
    head = resample(reference.head, reference.head_grid, grid)
    return take_samples(head, grid, np.ones(head.shape, bool), _SAMPLES[spacing])


@lru_cache(maxsize=8)
def _brain_samples(reference: Reference, spacing: float) -> Samples:
    """The reference's brain at `spacing` mm within the rim that holds its surface."""
    brain, mask, grid = _brain_at(reference, spacing)
    brain, mask = np.pad(brain, _RIM_VOXELS), np.pad(mask, _RIM_VOXELS)
    affine = grid.affine.copy()
    affine[:3, 3] -= _RIM_VOXELS * spacing
    near = ndimage.distance_transform_edt(~mask) <= _RIM_VOXELS
    padded = Geometry((brain.shape[0], brain.shape[1], brain.shape[2]), affine)
    return take_samples(brain, padded, near, _SAMPLES[spacing])


@lru_cache(maxsize=8)
def _brain_at(
    reference: Reference, spacing: float
) -> tuple[NDArray[np.float32], NDArray[np.bool_], Geometry]:
    """The reference's brain and its mask at `spacing` mm, and their grid."""
    grid = aligned_box(reference.grid, spacing)
    brain = resample(reference.brain, reference.grid, grid)
    mask = resample(reference.mask.astype(np.float32), reference.grid, grid) > 0.5
    return brain, mask, grid


def _correlation(
    moving: tuple[NDArray[np.float32], Geometry], affine: Affine, reference: Reference
) -> float:
    """Of `moving`, moved, with the reference's brain, at 4 mm."""
    brain, mask, grid = _brain_at(reference, 4.0)
    values = resample(*moving, grid, affine)[mask]
    if not values.std() > 0:
        return 0.0
    return float(np.corrcoef(values, brain[mask])[0, 1])


def _plausible(affine: Affine, correlation: float) -> bool:
    """Whether images agree (bright in one may be dark in the other) at a human brain's size."""
    scales = np.linalg.svd(affine[:3, :3], compute_uv=False)
    sized = _SCALES[0] < scales.min() and scales.max() < _SCALES[1]
    return bool(sized and abs(correlation) > _LOWEST_CORRELATION)


def _rigid_part(affine: Affine, middle: NDArray[np.float64]) -> Affine:
    """The affine transform's rotation about the point that it brings to `middle`."""
    rotation, _ = polar(affine[:3, :3])
    point = inverse(affine) @ np.append(middle, 1)
    rigid = np.eye(4)
    rigid[:3, :3] = rotation
    rigid[:3, 3] = middle - rotation @ point[:3]
    return rigid
