"""`find_mapping`: what the user said, else what the label tables say about two protocols."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from monet_core.errors import Note, ProtocolError, Verdict
from monet_core.protocols.mapping import ProtocolMapping, Variant
from monet_core.protocols.own_mappings import own_mapping
from monet_core.protocols.protocol import Protocol
from monet_core.protocols.shipped import load_protocol, shipped_protocols

NO_MAPPING_REMEDY = (
    "Say which region is which in the Atlas panel (or let `monet map` suggest it), or give "
    "--mapping FILE: a table with the columns source and target."
)
_HUB = "malc"  # the table that every other one has links to or from


def find_mapping(
    source: Protocol | str | Path, target: Protocol | str | Path, variant: Variant = "default"
) -> ProtocolMapping:
    """A mapping made by the user, else the one that the label tables state.

    See `own_mapping` for where the user's lie; one from target to source counts backwards. The
    tables state identity, direct links, or two steps via MALC. FIRST's 16 is brain stem and 4th
    ventricle in one: both map to it with "default", only the brain stem with "core". What
    cannot be said (a source region that is several target regions in one) is left out; `notes`
    tell. Raises ProtocolError where nothing is known.
    """
    source = source if isinstance(source, Protocol) else load_protocol(source)
    target = target if isinstance(target, Protocol) else load_protocol(target)
    if source.fingerprint == target.fingerprint:
        return ProtocolMapping(source, target, {index: index for index in source.indices})
    own = own_mapping(source, target)
    if own is not None:
        return replace(own, notes=(*own.notes, *_coverage_notes(source, target, own.table, [])))
    found = _step(source, target, variant)
    hub = load_protocol(_HUB)
    if _HUB not in (source.name, target.name):
        for index, targets in _two_steps(source, hub, target, variant).items():
            found.setdefault(index, targets)
    table = {index: next(iter(targets)) for index, targets in found.items() if len(targets) == 1}
    if not table:
        raise _no_mapping(source, target, variant)
    split = [index for index, targets in found.items() if len(targets) > 1]
    notes = [
        *_relation_notes(source, target, table),
        *_coverage_notes(source, target, table, split),
    ]
    return ProtocolMapping(source, target, dict(sorted(table.items())), tuple(notes))


def _step(source: Protocol, target: Protocol, variant: Variant) -> dict[int, set[int]]:
    """Target indices of each source index: by the user's mappings, else by either table's links."""
    own = own_mapping(source, target)
    if own is not None:
        return {index: {mapped} for index, mapped in own.table.items()}
    found: dict[int, set[int]] = defaultdict(set)
    back = own_mapping(target, source)
    if back is not None:
        for mapped, index in back.table.items():
            found[index].add(mapped)
        return dict(found)
    known = set(target.indices)
    for index, targets in _links(source, target, variant).items():
        found[index].update(known & set(targets))
    for index, sources in _links(target, source, variant).items():
        for origin in sources:
            if origin in source.indices:
                found[origin].add(index)
    return {index: targets for index, targets in found.items() if targets}


def _links(owner: Protocol, other: Protocol, variant: Variant) -> Mapping[int, tuple[int, ...]]:
    if variant == "core" and f"{other.name}_core" in owner.links:
        return owner.links[f"{other.name}_core"]
    return owner.links.get(other.name, {})


def _two_steps(
    source: Protocol, hub: Protocol, target: Protocol, variant: Variant
) -> dict[int, set[int]]:
    """Through MALC; a region that lies in the target only in part is left out."""
    second = _step(hub, target, variant)
    found = {}
    for index, middles in _step(source, hub, variant).items():
        targets = [second.get(middle, set()) for middle in middles]
        if all(targets):
            found[index] = set().union(*targets)
    return found


def _relation_notes(source: Protocol, target: Protocol, table: Mapping[int, int]) -> Iterable[Note]:
    """One warning for each way in which the tables restrict a link."""
    regions: dict[str, list[int]] = defaultdict(list)
    if target.name in source.relations:
        for index in table:
            regions[source.relations[target.name].get(index, "")].append(index)
    elif source.name in target.relations:
        for mapped in sorted(set(table.values())):
            regions[target.relations[source.name].get(mapped, "")].append(mapped)
    owner = source.name if target.name in source.relations else target.name
    for words, indices in regions.items():
        if words in ("", "same"):
            continue
        shown = ", ".join(map(str, indices[:8])) + (", ..." if len(indices) > 8 else "")
        message = f"{source.name} to {target.name}: {words} (regions {shown} of {owner})"
        yield Note(Verdict.WARNING, "mapping-not-exact", message)


def _coverage_notes(
    source: Protocol, target: Protocol, table: Mapping[int, int], split: list[int]
) -> Iterable[Note]:
    where = f"{source.name} to {target.name}"
    if split:
        message = (
            f"{where}: regions {', '.join(map(str, split))} of {source.name} are several regions "
            "in one and become background"
        )
        yield Note(Verdict.WARNING, "mapping-ambiguous", message)
    covered = len(set(table.values()))
    if covered < len(target.indices):
        message = f"{where}: {covered} of {len(target.indices)} regions can be filled"
        yield Note(Verdict.WARNING, "mapping-partial", message)


def _no_mapping(source: Protocol, target: Protocol, variant: Variant) -> ProtocolError:
    hub = load_protocol(_HUB)
    possible = []
    for name in shipped_protocols():
        other = load_protocol(name)
        same = other.fingerprint == source.fingerprint
        if same or _step(source, other, variant) or _two_steps(source, hub, other, variant):
            possible.append(name)
    known = (
        f"{source.name} can be mapped to {', '.join(possible)}"
        if possible
        else f"{source.name} has no links to a shipped protocol"
    )
    problem = f"no mapping from {source.name} to {target.name} is known ({known})"
    return ProtocolError("no-mapping", problem, remedy=NO_MAPPING_REMEDY)
