"""Changes to a lab's own label table: each gives a sound new atlas, or says why it cannot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from monet_core.errors import ProtocolError
from monet_core.protocols import Protocol, Region
from monet_core.protocols.region import OTHER_SIDE, Hemisphere

SIDES: dict[Hemisphere, str] = {"L": "left", "R": "right", "M": "midline or both"}


def renamed(atlas: Protocol, index: int, name: str) -> Protocol:
    """Another name for a region; ProtocolError where it is empty or taken."""
    return _with(atlas, {index: replace(atlas.region(index), name=name.strip())})


def recoloured(atlas: Protocol, index: int, color: str) -> Protocol:
    """Another colour (#rrggbb) for a region."""
    return _with(atlas, {index: replace(atlas.region(index), color=color.lower())})


def sided(atlas: Protocol, index: int, side: Hemisphere) -> Protocol:
    """Another side; its partner takes the other one, and without a side there is no partner."""
    region = atlas.region(index)
    if side == "M":
        region = atlas.region(index)
        changed = {index: replace(region, hemisphere=side, pair=None)}
        return _with(atlas, {**_alone(atlas, index), **changed})
    changed = {index: replace(region, hemisphere=side)}
    if region.pair is not None:
        partner = atlas.region(region.pair)
        changed[partner.index] = replace(partner, hemisphere=OTHER_SIDE[side])
    return _with(atlas, changed)


def paired(atlas: Protocol, index: int, partner: int | None) -> Protocol:
    """The same region on the other side, for both; None: it has none.

    A region whose side is not known takes the side that its partner leaves. Raises ProtocolError
    where both are of one side, or neither has one.
    """
    alone = _alone(atlas, index)
    if partner is None:
        return _with(atlas, alone)
    one, other = atlas.region(index), atlas.region(partner)
    sides = _sides(one, other)
    changed = {
        index: replace(one, hemisphere=sides[0], pair=partner),
        partner: replace(other, hemisphere=sides[1], pair=index),
    }
    return _with(atlas, {**alone, **_alone(atlas, partner), **changed})


def _sides(one: Region, other: Region) -> tuple[Hemisphere, Hemisphere]:
    if one.index == other.index:
        raise _refused(f"{one.name} cannot be its own partner", "Choose the other side's region.")
    if one.hemisphere == other.hemisphere == "M":
        problem = f"neither {one.name} nor {other.name} has a side"
        raise _refused(problem, "Say of one of them first whether it is left or right.")
    if one.hemisphere == other.hemisphere:
        problem = f"{one.name} and {other.name} are both {SIDES[one.hemisphere]}"
        raise _refused(problem, "A pair is one left and one right region.")
    first = one.hemisphere if one.hemisphere != "M" else OTHER_SIDE[other.hemisphere]
    return first, OTHER_SIDE[first]


def _alone(atlas: Protocol, index: int) -> dict[int, Region]:
    """A region and its partner of so far, without each other."""
    region = atlas.region(index)
    changed = {index: replace(region, pair=None)}
    if region.pair is not None:
        changed[region.pair] = replace(atlas.region(region.pair), pair=None)
    return changed


def _with(atlas: Protocol, changed: Mapping[int, Region]) -> Protocol:
    regions = tuple(changed.get(region.index, region) for region in atlas.regions)
    return replace(atlas, regions=regions)


def _refused(problem: str, remedy: str) -> ProtocolError:
    return ProtocolError("bad-pair", problem, remedy=remedy)
