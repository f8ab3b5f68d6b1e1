"""Whether a segmentation can be a brain at all: volume, sides, missing and scattered regions.

The checks find what went wrong altogether (a scan registered upside down, sides exchanged, a model
that does not fit the scan), not small errors. Every finding is a warning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from monet_core.errors import Note, Verdict
from monet_core.protocols import Protocol, Region
from monet_core.scans.geometry import Geometry

BRAIN_ML = (600.0, 2200.0)
"""Small children's to the largest adults' brains, with and without ventricles."""
MOST_UNEQUAL = 4.0  # times the volume of the other side; healthy regions stay below 3
LEAST_COMPACT = 0.5  # share of the largest piece
LEAST_VOXELS = 20  # of a region whose pieces and sides are looked at
MAY_BE_ABSENT = ("vessel", "lesion")
NAMED = 5


@dataclass(frozen=True)
class _Found:
    """One region as found: voxels, centroid's x in world mm, share of the largest piece."""

    region: Region
    voxels: int
    x_mm: float
    compact: float


def check_anatomy(labels: NDArray, geometry: Geometry, protocol: Protocol) -> list[Note]:
    """Warnings about `labels`, integers (X, Y, Z) of `protocol`'s indices on `geometry`.

    Whole-brain volume only where the protocol covers cortex and white matter; sides only for
    regions with a `pair`; a missing region only among those the protocol evaluates. Pieces are
    26-connected. Raises ProtocolError where a label is not in the protocol.
    """
    found = _measure(labels, geometry, protocol)
    if not found:
        return [_warn("no-regions", f"no region of {protocol.name} was found")]
    checks = (
        _brain_volume(found, geometry, protocol),
        _missing(found, protocol),
        _sides(found),
        _unequal(found),
        _pieces(found),
    )
    return [note for note in checks if note is not None]


def _measure(labels: NDArray, geometry: Geometry, protocol: Protocol) -> dict[int, _Found]:
    classes = protocol.encode(labels, "refuse")
    found = {}
    boxes = ndimage.find_objects(classes, max_label=len(protocol.regions))
    for number, (region, box) in enumerate(zip(protocol.regions, boxes, strict=True), start=1):
        if box is not None:
            mask = classes[box] == number
            corner = np.array([part.start for part in box])
            found[region.index] = _one(region, mask, corner, geometry)
    return found


def _one(
    region: Region, mask: NDArray[np.bool_], corner: NDArray[np.intp], geometry: Geometry
) -> _Found:
    voxels = int(np.count_nonzero(mask))
    centre = [
        float(np.arange(n) @ mask.sum(axis=tuple(other for other in range(3) if other != axis)))
        for axis, n in enumerate(mask.shape)
    ]
    middle = np.asarray(centre) / voxels + corner
    x = float(geometry.affine[0, :3] @ middle + geometry.affine[0, 3])
    pieces, _ = ndimage.label(mask, np.ones((3, 3, 3)))
    largest = int(np.bincount(pieces.ravel())[1:].max())
    return _Found(region, voxels, x, largest / voxels)


def _brain_volume(found: dict[int, _Found], geometry: Geometry, protocol: Protocol) -> Note | None:
    tissues = {region.tissue for region in protocol.regions}
    if not tissues >= {"cortical_gm", "white_matter"}:
        return None
    ml = sum(one.voxels for one in found.values()) * geometry.voxel_volume_ml
    low, high = BRAIN_ML
    if low <= ml <= high:
        return None
    text = f"{ml:.0f} ml are labelled, where a brain has {low:.0f} to {high:.0f} ml"
    return _warn("brain-volume", text)


def _missing(found: dict[int, _Found], protocol: Protocol) -> Note | None:
    expected = protocol.subsets.get("evaluated", protocol.indices)
    regions = [protocol.region(i) for i in expected if i not in found]
    names = [region.name for region in regions if region.tissue not in MAY_BE_ABSENT]
    if not names:
        return None
    what = f"{len(names)} of {len(expected)} regions are missing: {_list(names)}"
    return _warn("missing-regions", f"{what}; not found, or outside the field of view")


def _pairs(found: dict[int, _Found]) -> list[tuple[_Found, _Found]]:
    """Left and right of every pair of which both sides are large enough to judge."""
    return [
        (one, found[one.region.pair])
        for one in found.values()
        if one.region.hemisphere == "L"
        and one.region.pair in found
        and min(one.voxels, found[one.region.pair].voxels) >= LEAST_VOXELS
    ]


def _sides(found: dict[int, _Found]) -> Note | None:
    pairs = _pairs(found)
    wrong = [left.region.name for left, right in pairs if left.x_mm >= right.x_mm]
    if not wrong:
        return None
    what = f"{len(wrong)} of {len(pairs)} left regions lie right of their partner: {_list(wrong)}"
    return _warn("sides", f"{what}; left and right may be exchanged")


def _unequal(found: dict[int, _Found]) -> Note | None:
    names = [
        left.region.name
        for left, right in _pairs(found)
        if left.region.tissue != "csf"  # ventricles differ widely in healthy people
        and max(left.voxels / right.voxels, right.voxels / left.voxels) > MOST_UNEQUAL
    ]
    if not names:
        return None
    text = f"sides differ more than {MOST_UNEQUAL:.0f}-fold in volume: {_list(names)}"
    return _warn("unequal-sides", text)


def _pieces(found: dict[int, _Found]) -> Note | None:
    names = [
        one.region.name
        for one in found.values()
        if one.voxels >= LEAST_VOXELS and one.compact < LEAST_COMPACT
    ]
    if not names:
        return None
    return _warn("pieces", f"{len(names)} regions are scattered in pieces: {_list(names)}")


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _warn(code: str, text: str) -> Note:
    return Note(Verdict.WARNING, code, text)
