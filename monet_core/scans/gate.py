"""The input gate: what is refused, mended or warned about in a scan's grid and values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monet_core.errors import DecisionNeeded, Note, Verdict
from monet_core.files import read_json
from monet_core.scans.geometry import Geometry
from monet_core.scans.opening import refused, split_suffix
from monet_core.scans.scan import Decisions

FEWEST_SLICES = 10
WHOLE_BRAIN_MM = 100.0
POSSIBLE_MM = (5.0, 2000.0)
FINE_MM = 0.5
THICK_MM = 3.0
ANISOTROPIC = 3.0
MOST_NONFINITE = 0.01
LEAST_NONZERO = 0.001
OUTLIER_FACTOR = 20.0
SAMPLE = 500_000
MOST_COUNTED = 1 << 16

Extremes = tuple[float, float]
MANY_VALUES = 64
LONGEST_T1_ECHO_S = 0.05
OTHER_CONTRASTS = frozenset({"t2w", "t2starw", "flair", "pdw", "bold", "epi", "dwi", "swi", "ct"})


def check_grid(geometry: Geometry, path: Path, *, plan: bool) -> tuple[Note, ...]:
    """Refuse grids too small to hold a brain; with `plan`, warn of coverage and resampling."""
    shown = " x ".join(map(str, geometry.shape))
    if min(geometry.shape) < FEWEST_SLICES:
        raise refused(
            "too-few-slices",
            f"only {min(geometry.shape)} slices along one axis ({shown} voxels)",
            path,
            f"A 3-D scan with at least {FEWEST_SLICES} slices along every axis is needed.",
        )
    extent = tuple(n * s for n, s in zip(geometry.shape, geometry.spacing, strict=True))
    if min(extent) < POSSIBLE_MM[0] or max(extent) > POSSIBLE_MM[1]:
        raise refused(
            "bad-spacing",
            f"a field of view of {_times(extent)} mm is not that of a head; the voxel size "
            "may not be in millimetres",
            path,
            "Write the file again with the voxel size in millimetres.",
        )
    return _plan(geometry, extent, path) if plan else ()


def _plan(geometry: Geometry, extent: tuple[float, ...], path: Path) -> tuple[Note, ...]:
    notes = []
    back = "results come back on the scan's own grid"
    if min(extent) < WHOLE_BRAIN_MM:
        text = (
            f"the field of view is only {_times(extent)} mm; regions that are cut off are "
            "reported as missing, not as 0 ml"
        )
        notes.append(Note(Verdict.WARNING, "small-field-of-view", text, str(path)))
    spacing = geometry.spacing
    if max(spacing) > THICK_MM or max(spacing) / min(spacing) >= ANISOTROPIC:
        text = (
            f"thick slices ({_times(spacing)} mm): resampled to the model's grid (1 mm unless it "
            f"says otherwise); {back}, small regions are less certain"
        )
        notes.append(Note(Verdict.WARNING, "anisotropic", text, str(path)))
    if min(spacing) < FINE_MM:
        text = (
            f"fine voxels ({_times(spacing)} mm, {np.prod(geometry.shape) / 1e6:.0f} million): "
            f"resampled to the model's grid (1 mm unless it says otherwise); {back}"
        )
        notes.append(Note(Verdict.FIXED, "fine-voxels", text, str(path)))
    return tuple(notes)


def _times(sizes: tuple[float, ...]) -> str:
    return " x ".join(f"{each:.3g}" for each in sizes)


def extremes_of(data: NDArray) -> Extremes:
    """Lowest and highest value of `data`."""
    return float(data.min()), float(data.max())


def mend_nonfinite(data: NDArray[np.float32], extremes: Extremes, path: Path) -> tuple[Note, ...]:
    """Set NaN and infinite voxels of `data` to 0, in place; ScanError from 1 % on.

    `extremes`: its lowest and highest value, NaN where it holds NaN.
    """
    if np.isfinite(extremes).all():
        return ()
    bad = 0
    for plane in np.moveaxis(data, -1, 0):
        wrong = ~np.isfinite(plane)
        count = int(wrong.sum())
        if count:
            plane[wrong] = 0
            bad += count
    share = bad / data.size
    if share >= MOST_NONFINITE:
        raise refused(
            "not-finite",
            f"{bad} voxels ({share:.1%}) are not numbers (NaN or infinite)",
            path,
            "Write the scan again from its source.",
        )
    text = f"{bad} voxels ({share:.2%}) were not numbers (NaN or infinite) and are set to 0"
    return (Note(Verdict.FIXED, "not-finite", text, str(path)),)


def mend_outliers(data: NDArray[np.float32], extremes: Extremes, path: Path) -> tuple[Note, ...]:
    """Clip, in place, single voxels that are 20 times beyond the 99.9th percentile of |values|.

    `extremes`: its lowest and highest value. Ordinary scans stay as they are: vessels and fat
    reach some 3 times that percentile.
    """
    sample = _sample(data)
    seen = np.abs(sample[sample != 0])
    if not seen.size:
        return ()
    top = float(np.percentile(seen, 99.9))
    limit = OUTLIER_FACTOR * top
    extreme = max(np.abs(extremes))
    if extreme <= limit:
        return ()
    count = 0
    for plane in np.moveaxis(data, -1, 0):
        beyond = np.abs(plane) > limit
        count += int(beyond.sum())
        plane[beyond] = np.sign(plane[beyond]) * top
    text = (
        f"{count} voxels are far beyond all others (up to {extreme:.3g}; 99.9 % are within "
        f"{top:.4g}) and are set to {top:.4g}"
    )
    return (Note(Verdict.FIXED, "outliers", text, str(path)),)


def _sample(data: NDArray) -> NDArray:
    """Up to some half a million voxels of `data`, evenly spread, flat."""
    flat = data.reshape(-1, order="F") if data.flags.f_contiguous else data.reshape(-1)
    step = max(1, flat.size // SAMPLE)
    # A step that shares a factor with a side would see the same rows only.
    while any(math.gcd(step, side) > 1 for side in data.shape):
        step += 1
    return flat[::step]


def check_contrast(data: NDArray[np.float32], extremes: Extremes, path: Path) -> tuple[Note, ...]:
    """Refuse a constant or empty image; warn of negative values, CT, and names that say T2.

    `extremes`: its lowest and highest value.
    """
    low, high = extremes
    if low == high or _nearly_all_zero(data):
        share = np.count_nonzero(data) / data.size
        what = f"all voxels are {low:g}" if low == high else f"only {share:.3%} are not 0"
        raise refused(
            "empty-image",
            f"there is nothing to see ({what})",
            path,
            "Give the scan itself, not a mask or an empty result.",
        )
    return _negative(data, low, path) + _other_contrast(path)


def _nearly_all_zero(data: NDArray) -> bool:
    """Whether too few voxels are not 0; counts no further than to enough."""
    missing = LEAST_NONZERO * data.size
    for plane in np.moveaxis(data, -1, 0):
        missing -= np.count_nonzero(plane)
        if missing <= 0:
            return False
    return True


def _negative(data: NDArray[np.float32], low: float, path: Path) -> tuple[Note, ...]:
    if low >= 0:
        return ()
    sample = _sample(data)
    if low <= -500 and np.mean(sample < -500) > 0.05:
        text = f"values down to {low:g} look like Hounsfield units of a CT; a T1 MRI is expected"
        return (Note(Verdict.WARNING, "looks-like-ct", text, str(path)),)
    text = f"there are negative values (down to {low:.4g}), which a T1 scan does not have"
    return (Note(Verdict.WARNING, "negative-values", text, str(path)),)


def _other_contrast(path: Path) -> tuple[Note, ...]:
    """By name and sidecar only: intensities alone do not tell T2 from T1 without false alarms."""
    stem = split_suffix(path)[0]
    ending = stem.rpartition("_")[2].lower()
    if ending in OTHER_CONTRASTS:
        text = f"the name ends in _{ending}, but a T1 scan is expected"
        return (Note(Verdict.WARNING, "not-t1", text, str(path)),)
    echo_s = _echo_time(path.with_name(stem + ".json"))
    if echo_s is not None and echo_s > LONGEST_T1_ECHO_S:
        text = (
            f"its sidecar tells an echo time of {1000 * echo_s:.0f} ms, as of T2 or FLAIR, but a "
            "T1 scan is expected"
        )
        return (Note(Verdict.WARNING, "not-t1", text, str(path)),)
    return ()


def _echo_time(sidecar: Path) -> float | None:
    """`EchoTime` in seconds from a BIDS sidecar; None where there is none that can be read."""
    try:
        return float(read_json(sidecar)["EchoTime"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


@dataclass(frozen=True)
class Texture:
    """What tells a label map from a scan: `distinct` values, share of equal neighbours, whole."""

    distinct: int
    equal: float
    whole: bool

    @property
    def like_labels(self) -> bool:
        """Few whole numbers in patches."""
        return self.whole and self.distinct <= 3000 and self.equal > 0.6

    @property
    def like_scan(self) -> bool:
        """Many values that change from voxel to voxel."""
        return self.distinct > MANY_VALUES and self.equal < 0.5


def texture(data: NDArray) -> Texture:
    """Texture of `data` (X, Y, Z) from some planes, over neighbours outside the background.

    The background is the most frequent value. Over all scans and label maps at hand, the share
    of equal neighbours was at most 0.17 in scans and at least 0.85 in label maps.
    """
    step = max(1, data.shape[2] // 24)
    planes = data[:, :, step // 2 :: step]
    whole = bool(np.all(planes == np.rint(planes)))
    values, counts = _histogram(planes, whole)
    background = values[np.argmax(counts)]
    here, there = planes[:-1], planes[1:]
    both = (here != background) & (there != background)
    n_both = int(both.sum())
    equal = float((here == there)[both].sum() / n_both) if n_both else 0.0
    return Texture(len(values), equal, whole)


def _histogram(planes: NDArray, whole: bool) -> tuple[NDArray, NDArray]:
    """The values in `planes` and how often each occurs; without sorting where they are counts."""
    low, high = planes.min(), planes.max()
    if not whole or high - low > MOST_COUNTED:
        return np.unique(planes, return_counts=True)
    counts = np.bincount((planes - low).astype(np.int32).ravel("K"))
    found = np.flatnonzero(counts)
    return found + low, counts[found]


def check_not_labels(data: NDArray[np.float32], path: Path, decisions: Decisions) -> None:
    """DecisionNeeded where a scan looks like a label map and the user has not accepted that."""
    if decisions.labels_as_scan:
        return
    found = texture(data)
    if found.like_labels:
        raise DecisionNeeded(
            "labels-as-scan",
            f"this looks like a label map, not a scan ({found.distinct} whole numbers in patches)",
            option="--accept-labels-as-scan",
            remedy="Give the scan, or use it all the same with --accept-labels-as-scan",
            file=path,
        )
