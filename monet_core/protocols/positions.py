"""Sides and pairs of regions from where they lie in label maps, where names do not tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from monet_core.errors import Note, Verdict
from monet_core.protocols.protocol import Protocol
from monet_core.protocols.region import Region
from monet_core.scans import LabelMap

_ONE_SIDE = 0.9  # share of its voxels that a region of one side has there
_PAIRED_SIDE = 0.7  # the same where it has a mirror image: heads are tilted
_APART_MM = 12.0  # how far a region may lie from its partner's mirror image
_SIZES = 2.0
_MOSTLY = 0.5


@dataclass(frozen=True)
class _Places:
    """Per region: voxels, the share of them left of the middle, and the centre (3,) in mm, x from
    the middle, the others from the centre of all regions. nan for regions without a voxel."""

    voxels: NDArray[np.float64]
    left: NDArray[np.float64]
    centre: NDArray[np.float64]


def sides_by_position(protocol: Protocol, maps: Sequence[LabelMap]) -> Protocol:
    """`protocol` with sides and pairs for regions whose name tells no side.

    Two regions on either side of the middle of what is labelled are a pair where one is about the
    mirror image of the other; one without a partner has a side where nine tenths of it lie there.
    Nothing is guessed where only a few have a partner (one half of the brain is labelled,
    perhaps). `notes` tell, and warn where left regions lie on the right.
    """
    places = _pooled([_places(protocol, labels) for labels in maps])
    notes = [*protocol.notes, *_contradiction(protocol, places, maps)]
    unknown = [k for k, region in enumerate(protocol.regions) if region.hemisphere == "M"]
    pairs = _pairs([k for k in unknown if _on_a_side(places, k, _PAIRED_SIDE)], places)
    paired = {k for pair in pairs for k in pair}
    sided = [k for k in unknown if k in paired or _on_a_side(places, k, _ONE_SIDE)]
    if not sided:
        return replace(protocol, notes=tuple(notes))
    named = any(region.hemisphere != "M" for region in protocol.regions)
    if not named and len(paired) < _MOSTLY * len(sided):
        notes.append(_note("one-half", "no sides were guessed: few regions have a mirror image"))
        return replace(protocol, notes=tuple(notes))
    message = (
        f"the sides of {len(sided)} regions were read off their places: {len(pairs)} pairs of "
        f"mirror images, {len(sided) - len(paired)} alone; check them"
    )
    notes.append(_note("sides-from-places", message))
    regions = _with_sides(protocol.regions, sided, pairs, places)
    return replace(protocol, regions=regions, notes=tuple(notes))


def _places(protocol: Protocol, labels: LabelMap) -> _Places:
    classes = protocol.encode(labels.data, "background")
    where = np.nonzero(classes)
    found = classes[where].astype(np.intp)
    affine = labels.geometry.affine
    world = affine[:3, :3] @ np.array(where, float) + affine[:3, 3:]
    voxels = np.bincount(found, minlength=protocol.n_classes)[1:].astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        sums = [np.bincount(found, axis, protocol.n_classes)[1:] for axis in world]
        centre = np.stack(sums, axis=1) / voxels[:, None]
        middle = _middle(protocol, centre, world[0])
        left = np.bincount(found, world[0] < middle, protocol.n_classes)[1:] / voxels
    origin = np.array([middle, *world[1:].mean(axis=1)]) if found.size else np.zeros(3)
    return _Places(voxels, left, centre - origin)


def _middle(protocol: Protocol, centre: NDArray[np.float64], x: NDArray[np.float64]) -> float:
    """World x of the plane between the sides: of known pairs, else the labelled voxels' median."""
    class_of = {index: k for k, index in enumerate(protocol.indices)}
    halves = [
        (centre[k, 0] + centre[class_of[region.pair], 0]) / 2
        for k, region in enumerate(protocol.regions)
        if region.pair is not None
    ]
    known = [half for half in halves if np.isfinite(half)]
    if known:
        return float(np.median(known))
    return float(np.median(x)) if x.size else 0.0


def _pooled(places: Sequence[_Places]) -> _Places:
    """All label maps together, each region's voxels with equal weight."""
    voxels = np.array([each.voxels for each in places])
    total = voxels.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        left = np.nansum([e.left * e.voxels for e in places], axis=0) / total
        centre = np.nansum([e.centre * e.voxels[:, None] for e in places], axis=0) / total[:, None]
    return _Places(total, left, centre)


def _on_a_side(places: _Places, k: int, share: float) -> bool:
    return bool(max(places.left[k], 1 - places.left[k]) >= share)


def _pairs(sided: Sequence[int], places: _Places) -> list[tuple[int, int]]:
    """(left, right) of regions that are each other's nearest mirror image, and near enough."""
    left = [k for k in sided if places.left[k] > 0.5]
    right = [k for k in sided if places.left[k] <= 0.5]
    if not left or not right:
        return []
    mirrored = places.centre[left] * np.array([-1.0, 1.0, 1.0])
    apart = np.linalg.norm(mirrored[:, None] - places.centre[right][None], axis=-1)
    ratio = places.voxels[left][:, None] / places.voxels[right][None]
    apart[(ratio > _SIZES) | (ratio < 1 / _SIZES) | (apart > _APART_MM)] = np.inf
    return [
        (left[row], right[column])
        for row, column in enumerate(apart.argmin(axis=1).tolist())
        if np.isfinite(apart[row, column]) and apart[:, column].argmin() == row
    ]


def _with_sides(
    regions: Sequence[Region],
    sided: Sequence[int],
    pairs: Sequence[tuple[int, int]],
    places: _Places,
) -> tuple[Region, ...]:
    changed = list(regions)
    for k in sided:
        changed[k] = replace(regions[k], hemisphere="L" if places.left[k] > 0.5 else "R")
    for one, other in pairs:
        changed[one] = replace(changed[one], pair=regions[other].index)
        changed[other] = replace(changed[other], pair=regions[one].index)
    return tuple(changed)


def _contradiction(protocol: Protocol, places: _Places, maps: Sequence[LabelMap]) -> list[Note]:
    """A warning where most regions that are called left lie to the right of their partners."""
    class_of = {index: k for k, index in enumerate(protocol.indices)}
    apart = [
        places.centre[class_of[region.pair], 0] - places.centre[k, 0]
        for k, region in enumerate(protocol.regions)
        if region.hemisphere == "L" and region.pair is not None
    ]
    known = np.array([value for value in apart if np.isfinite(value)])
    if not known.size or np.mean(known < 0) <= 0.5:
        return []
    message = (
        "regions that are called left lie on the right in the label map: its sides are swapped, "
        "or the names are"
    )
    file = str(maps[0].path or "")
    return [Note(Verdict.WARNING, "sides-contradict", message, file)]


def _note(code: str, message: str) -> Note:
    return Note(Verdict.WARNING, code, message)
