"""From a scan to model space: conform, N4, register, crop, normalise; all recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from monet_core.errors import Note, Verdict
from monet_core.jobs.events import Phase, Reporter, silent
from monet_core.preprocessing.bias import divide, estimate_bias, without_bias
from monet_core.preprocessing.heads import Head, above, box, box_of, depth_mm, look
from monet_core.preprocessing.prepared import Prepared
from monet_core.preprocessing.registration import (
    Registration,
    along_voxels,
    brain_on,
    coverage,
    register,
)
from monet_core.preprocessing.resampling import resample
from monet_core.preprocessing.settings import PreprocessingSettings
from monet_core.preprocessing.template import load_reference
from monet_core.scans.geometry import Affine, Geometry, to_canonical
from monet_core.scans.scan import Scan

# Intensities are clipped at these percentiles of the brain, so that single voxels do not count.
_CLIP_PERCENT = (0.5, 99.5)
# Without a template the brain of a whole head is taken to begin this deep.
_SCALP_MM = 12.0
# Share of the bright level below which a voxel of a stripped scan is background.
_EMPTY = 0.05
_EMPTY_IN_NOISE = 0.1
_FULL_COVERAGE = 0.9
# The brain mask may be some mm too tight at the vertex.
_GROWN_MM = 2.0


@dataclass(frozen=True, eq=False)
class _Pose:
    """Where the scan goes: transform, coarse brain mask on the working copy, account, notes."""

    transform: Affine
    brain: NDArray[np.bool_]
    record: dict[str, Any]
    notes: tuple[Note, ...] = ()


def prepare(scan: Scan, settings: PreprocessingSettings, report: Reporter = silent) -> Prepared:
    """Bring `scan` to model space; see `Prepared`. The same scan gives the same bits.

    `Prepared.record` tells the settings, kind of head, transform, grid and intensities. The
    order and direction in which the scan's voxels are stored changes nothing.
    """
    data = np.asarray(to_canonical(scan.data, scan.geometry), np.float32)
    geometry = scan.geometry.canonical()
    report(Phase("Conforming"))
    head = look(data, geometry)
    field = None
    if settings.n4:
        report(Phase("Correcting the bias field"))
        field = estimate_bias(head)
        head = without_bias(head, field)
    if settings.register:
        report(Phase("Registering to MNI space"))
    pose = _registered(head, scan, settings) if settings.register else _as_it_lies(head)
    report(Phase("Resampling and normalising"))
    grid = _model_grid(pose, head, settings, geometry)
    image = resample(above(data, head.background), geometry, grid, pose.transform)
    if field is not None:
        image = divide(image, grid, field, pose.transform)
    brain = _brain(head, pose, image, grid)
    notes = pose.notes
    if settings.brain_only and head.kind == "whole":
        image = np.where(_grown(brain, grid), image, np.float32(0))
        notes += (_cut_out(pose, scan),)
    elif settings.brain_only and head.noise:
        image = np.where(brain, image, np.float32(0))
        notes += (_silenced(scan),)
    image, intensity = normalise(image, brain)
    record = {
        "settings": settings.model_dump(),
        "head": head.kind,
        "transform": pose.transform.tolist(),
        "registration": pose.record,
        "grid": {"shape": list(grid.shape), "affine": grid.affine.tolist()},
        "intensity": {"background": head.background, **intensity},
    }
    return Prepared(image, grid, pose.transform, brain, record, notes)


def is_whole_head(scan: Scan) -> bool:
    """Whether more than the brain is in the picture."""
    data = np.asarray(to_canonical(scan.data, scan.geometry), np.float32)
    return look(data, scan.geometry.canonical()).kind == "whole"


def normalise(
    image: NDArray[np.float32], brain: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], dict[str, float]]:
    """Zero mean and unit SD over `brain`, after clipping at its 0.5 and 99.5 percentiles.

    Outside the brain values may be lower (background), not higher. Returns the image and the
    four figures used.
    """
    values = image[brain] if brain.any() else image.ravel()
    low, high = (float(v) for v in np.percentile(values, _CLIP_PERCENT))
    inside = np.clip(values, low, high)
    mean, sd = float(inside.mean(dtype=np.float64)), float(inside.std(dtype=np.float64))
    sd = sd if sd > 0 else 1.0
    floor = min(low, float(np.percentile(image, _CLIP_PERCENT[0])))
    normal = np.clip(image, floor, high)
    normal[brain] = inside
    figures = {"mean": mean, "sd": sd, "clip_low": low, "clip_high": high}
    return ((normal - mean) / sd).astype(np.float32), figures


def _as_it_lies(head: Head) -> _Pose:
    """No registration: the brain is the foreground, or in whole heads what lies deep in it."""
    mask = head.foreground
    if head.kind == "whole":
        deep = depth_mm(mask, head.geometry.spacing[0]) > _SCALP_MM
        mask = deep if deep.any() else mask
    return _Pose(np.eye(4), mask, {})


def _registered(head: Head, scan: Scan, settings: PreprocessingSettings) -> _Pose:
    reference = load_reference()
    found = register(head, reference)
    record: dict[str, Any] = {
        "good": found.good,
        "correlation": found.correlation,
        "turned_deg": found.turned_deg,
    }
    if not found.good:
        return _Pose(found.rigid, _as_it_lies(head).brain, record, (_failure(found, scan),))
    covered = coverage(found, scan.geometry, reference)
    record |= {"affine": found.affine.tolist(), "coverage": covered}
    brain = brain_on(head, found, reference) if head.kind == "whole" else head.foreground
    notes = (_cut_off(covered, scan),) if covered < _FULL_COVERAGE else ()
    transform = along_voxels(
        found.rigid, scan.geometry.canonical(), reference.middle, settings.turn_from_deg
    )
    return _Pose(transform, brain, record, notes)


def _failure(found: Registration, scan: Scan) -> Note:
    message = (
        f"registration to MNI space failed (correlation {found.correlation:.2f}); the header's"
        " orientation is used as it is, so check the result"
    )
    return Note(Verdict.WARNING, "registration-failed", message, str(scan.path or ""))


def _cut_off(covered: float, scan: Scan) -> Note:
    message = (
        f"field of view covers only {100 * covered:.0f} % of the brain;"
        " regions cut off are reported missing"
    )
    return Note(Verdict.WARNING, "partial-coverage", message, str(scan.path or ""))


def _grown(brain: NDArray[np.bool_], grid: Geometry) -> NDArray[np.bool_]:
    """The brain mask, some mm larger on every side."""
    outside_mm = ndimage.distance_transform_edt(~brain, sampling=grid.spacing)
    return np.asarray(outside_mm <= _GROWN_MM, bool)


def _cut_out(pose: _Pose, scan: Scan) -> Note:
    """What is said of a whole head whose brain was cut out for a model of stripped scans."""
    found = "the model was trained on skull-stripped scans and this is a whole head: "
    if pose.record.get("good"):
        message = "its brain was cut out by registration, so look at the borders of the cortex"
        return Note(Verdict.FIXED, "head-stripped", found + message, str(scan.path or ""))
    message = "its brain could only be guessed, so strip the scan first, or check the result"
    return Note(Verdict.WARNING, "head-not-stripped", found + message, str(scan.path or ""))


def _silenced(scan: Scan) -> Note:
    text = "the brain is stripped but lies in noise, not in nothing; the noise was taken away"
    return Note(Verdict.FIXED, "noise-around-brain", text, str(scan.path or ""))


def _model_grid(
    pose: _Pose, head: Head, settings: PreprocessingSettings, geometry: Geometry
) -> Geometry:
    """The axis-aligned box around the brain, with a voxel on one of the scan's.

    Where the scan's axes are the grid's, and its voxels as large, these are its own voxels.
    """
    moved = Geometry(head.geometry.shape, pose.transform @ head.geometry.affine)
    low, high = box_of(pose.brain, moved)
    anchor = (pose.transform @ geometry.affine)[:3, 3]
    margin = settings.margin_mm
    return box(low - margin, high + margin, settings.spacing_mm, anchor)


def _brain(
    head: Head, pose: _Pose, image: NDArray[np.float32], grid: Geometry
) -> NDArray[np.bool_]:
    """The coarse mask on the model grid; in stripped scans what is empty is taken away."""
    coarse = resample(pose.brain.astype(np.float32), head.geometry, grid, pose.transform)
    if head.kind == "whole":
        return np.asarray(coarse > 0.5, bool)
    near = coarse > 0.25
    empty = _EMPTY_IN_NOISE if head.noise else _EMPTY
    inside = near & (image > empty * np.percentile(image[near], 99)) if near.any() else near
    return np.asarray(ndimage.binary_fill_holes(inside), bool)
