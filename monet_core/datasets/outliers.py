"""Failed automatic annotations, found as outliers of the group (bad input 30).

Each region's volume, relative to the subject's own size, and its place, after the subject's
centroids are laid over the group's by rotation, shift and scale (Procrustes; Gower 1975), are
compared with the group by robust z-scores (median and MAD).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from monet_core.datasets.annotations import exchanged_pairs
from monet_core.datasets.findings import Finding
from monet_core.datasets.outcome import Outcome, named
from monet_core.datasets.survey import Annotated
from monet_core.errors import Verdict
from monet_core.protocols import Protocol

_FEWEST_SCANS = 5
_MAD_TO_SIGMA = 1.4826
_Z = 6.0
# Spread below which regions are not told apart: 10 % of volume, 1 mm of place.
_LEAST_LOG_SIGMA = 0.10
_LEAST_MM = 1.0
_FEWEST_POINTS = 4
# Heads are seen with more or less neck, so a scan's middle is known to a few mm only.
_LEAST_WHOLE_MM = 4.0
# A scan of which more than this share of regions is off is off as a whole.
_WHOLE_SHARE = 0.25


def find_outliers(group: Sequence[Annotated], protocol: Protocol, automatic: bool) -> Outcome:
    """Regions whose volume or place is far off the group's, in groups of 5 scans and more.

    With `automatic` such a region counts as not annotated in that scan, and a scan with many of
    them is left out; otherwise both are only warned of.
    """
    outcome = Outcome()
    group = [member for member in group if member.present(protocol)]
    if len(group) < _FEWEST_SCANS:
        return outcome
    indices = sorted(set().union(*(member.present(protocol) for member in group)))
    shares, sizes = _log_volumes(group, indices)
    off = _far(shares, _LEAST_LOG_SIGMA) | _off_in_place(group, indices, protocol)
    whole = _off_as_a_whole(group, sizes)
    for member, row, problem in zip(group, off, whole, strict=True):
        regions = [index for index, flag in zip(indices, row, strict=True) if flag]
        share = len(regions) / len(member.present(protocol))
        if not problem and share > _WHOLE_SHARE:
            problem = f"{len(regions)} regions differ far from the other scans in volume or place"
        if problem:
            _tell_scan(outcome, member, problem, automatic)
        elif regions:
            _tell_regions(outcome, member, protocol, regions, automatic)
    return outcome


def _off_as_a_whole(group: Sequence[Annotated], sizes: NDArray[np.float64]) -> list[str]:
    """What is wrong with each label map as a whole, "" where nothing is."""
    sizes = sizes - np.median(sizes)
    off_in_size = _far(sizes, _LEAST_LOG_SIGMA)[:, 0]
    offsets = np.array([member.offset for member in group])
    moved = np.linalg.norm(offsets - _median(offsets, axis=0), axis=1)
    off_in_place = _far(moved[:, None], _LEAST_WHOLE_MM)[:, 0]
    problems = []
    for row in range(len(group)):
        ratio = float(np.exp(sizes[row, 0]))
        size = f"its volumes are {ratio:.2g} times the other scans'" if off_in_size[row] else ""
        place = f"it lies {moved[row]:.0f} mm off in the head" if off_in_place[row] else ""
        problems.append(" and ".join(filter(None, (size, place))))
    return problems


def _median(
    values: NDArray[np.float64], axis: int | None = None, keepdims: bool = False
) -> NDArray[np.float64]:
    """Median of what is finite; 0 where nothing is."""
    some = np.isfinite(values).any(axis=axis, keepdims=True)
    return np.nanmedian(np.where(some, values, 0.0), axis=axis, keepdims=keepdims)


_REMEDY = "Look at it over its scan before you train."


def _tell_scan(outcome: Outcome, member: Annotated, problem: str, automatic: bool) -> None:
    end = "; the scan is left out" if automatic else ""
    message = f"the annotation looks failed: {problem}{end}"
    outcome.findings.append(_finding(member, "failed-annotation", message))
    if automatic:
        outcome.left_out.add(member.subject.name)


def _tell_regions(
    outcome: Outcome, member: Annotated, protocol: Protocol, regions: list[int], automatic: bool
) -> None:
    end = "; counts as not annotated" if automatic else ""
    message = f"volume or place far off the other scans: {named(protocol, regions)}{end}"
    region = regions[0] if len(regions) == 1 else None
    outcome.findings.append(_finding(member, "outlying-region", message, region))
    if automatic:
        outcome.excluded[member.subject.name] = set(regions)


def _finding(member: Annotated, code: str, message: str, region: int | None = None) -> Finding:
    name, file = member.subject.name, str(member.subject.labels)
    return Finding(Verdict.WARNING, code, name, message, _REMEDY, region, file)


def _log_volumes(
    group: Sequence[Annotated], indices: Sequence[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Log of each region's volume against the group's median (subjects, regions; nan where absent)
    without the subject's size, and that size (subjects, 1): the log of its median region."""
    volumes = np.array([[m.regions.volume.get(i, np.nan) for i in indices] for m in group])
    logs = np.log(volumes)
    ratio = logs - _median(logs, axis=0)
    # The median region stands for the subject's size: a failed region moves a total, not it.
    size = _median(ratio, axis=1, keepdims=True)
    return ratio - size, size


def _far(deviation: NDArray[np.float64], least: float) -> NDArray[np.bool_]:
    """Robust z above the limit. A region's spread is at least the group's usual one over regions:
    a MAD of few scans is now and then much too small."""
    size = np.abs(deviation)
    spread = _MAD_TO_SIGMA * _median(size, axis=0)
    sigma = np.maximum(spread, max(least, float(_median(spread))))
    return np.nan_to_num(size / sigma) > _Z


def _off_in_place(
    group: Sequence[Annotated], indices: Sequence[int], protocol: Protocol
) -> NDArray[np.bool_]:
    """Whether a region's centroid is far off the group's, after alignment of all centroids."""
    nowhere = np.full(3, np.nan)
    places = np.array([[m.regions.centroid.get(i, nowhere) for i in indices] for m in group])
    # Exchanged sides cannot be rotated into place; they are told elsewhere.
    for row, member in enumerate(group):
        wrong, pairs = exchanged_pairs(member, protocol)
        if wrong > pairs / 2:
            places[row] = np.nan
    distances = _distances(places)
    typical = _median(distances, axis=0)
    usual = np.maximum(typical, max(_LEAST_MM, float(_median(typical))))
    return np.nan_to_num(distances / usual) > _Z


def _distances(places: NDArray[np.float64], rounds: int = 4) -> NDArray[np.float64]:
    """Distance in mm of each centroid (subjects, regions, 3) from the group's median centroid."""
    aligned = places - _median(places, axis=1, keepdims=True)
    for _ in range(rounds):
        middle = _median(aligned, axis=0)
        for row, points in enumerate(places):
            seen = np.isfinite(points[:, 0]) & np.isfinite(middle[:, 0])
            if seen.sum() >= _FEWEST_POINTS:
                aligned[row, seen] = _laid_over(points[seen], middle[seen])
    return np.linalg.norm(aligned - _median(aligned, axis=0), axis=2)


def _laid_over(
    points: NDArray[np.float64], target: NDArray[np.float64], rounds: int = 5
) -> NDArray[np.float64]:
    """`points` (n, 3) rotated, shifted and scaled onto `target`, led by those that fit well."""
    weights = np.ones(len(points))
    moved = points
    for _ in range(rounds):
        here, there = np.average(points, 0, weights), np.average(target, 0, weights)
        a, b = points - here, target - there
        u, s, vt = np.linalg.svd((a * weights[:, None]).T @ b)
        proper = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
        size = float((weights[:, None] * a**2).sum())
        scale = float((s * proper).sum()) / size if size > 0 else 1.0
        moved = scale * a @ (u * proper) @ vt + there
        weights = 1 / np.maximum(np.linalg.norm(moved - target, axis=1), _LEAST_MM)
    return moved
