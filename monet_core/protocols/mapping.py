"""`ProtocolMapping`: which region of one protocol is which of another."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from monet_core.errors import Note, ProtocolError, Verdict
from monet_core.files import write_text
from monet_core.protocols.dseg import parse_indices
from monet_core.protocols.protocol import Protocol, Unknown
from monet_core.protocols.region import OTHER_SIDE
from monet_core.protocols.shipped import load_protocol, shipped_protocols
from monet_core.protocols.tables import parse_table, read_bytes

Variant = Literal["default", "core"]
_HUB = "malc"  # the table that every other one has links to or from


@dataclass(frozen=True)
class ProtocolMapping:
    """`table`: source index -> target index; a source region that is missing becomes background.

    Raises ProtocolError where an index is in neither protocol, or left becomes right.
    """

    source: Protocol
    target: Protocol
    table: Mapping[int, int] = field(hash=False)
    notes: tuple[Note, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        for index, mapped in self.table.items():
            sides = self.source.region(index).hemisphere, self.target.region(mapped).hemisphere
            if OTHER_SIDE.get(sides[0]) == sides[1]:
                problem = (
                    f"region {index} of {self.source.name} is {sides[0]}, "
                    f"but {mapped} of {self.target.name} is {sides[1]}"
                )
                remedy = "A mapping must not exchange the sides."
                raise ProtocolError("mapping-swaps-sides", problem, remedy=remedy)

    @property
    def covered(self) -> tuple[int, ...]:
        """Target indices that some source region maps to, ascending."""
        return tuple(sorted(set(self.table.values())))

    def class_table(self) -> NDArray[Any]:
        """Target class of every source class: (source.n_classes,), the target's class type."""
        targets = np.array([0, *(self.table.get(i, 0) for i in self.source.indices)])
        return self.target.encode(targets, "refuse")

    @cached_property
    def _index_table(self) -> NDArray[np.int32]:
        return self.target.decode(self.class_table())

    def apply(
        self,
        labels: NDArray[Any],
        unknown: Unknown = "ask",
        *,
        file: Path | str | None = None,
    ) -> NDArray[np.int32]:
        """Target indices (int32, same shape) of source indices; `unknown` as in `encode`."""
        return self._index_table[self.source.encode(labels, unknown, file=file)]

    def to_tsv(self, path: Path) -> None:
        """Write the columns source and target, a row per target; `load_mapping` reads it."""
        sources: dict[int, list[str]] = defaultdict(list)
        for index, mapped in sorted(self.table.items()):
            sources[mapped].append(str(index))
        text = io.StringIO()
        writer = csv.writer(text, delimiter="\t", lineterminator="\n")
        writer.writerow(["source", "target"])
        writer.writerows([",".join(sources[mapped]), mapped] for mapped in sorted(sources))
        write_text(path, text.getvalue())


def load_mapping(path: Path, source: Protocol, target: Protocol) -> ProtocolMapping:
    """A mapping from a table with the columns source (several: 35,11) and target.

    Raises ProtocolError naming the line where an index is unknown or maps to two targets.
    """
    table = parse_table(read_bytes(path), str(path))
    if not {"source", "target"} <= set(table.columns):
        remedy = f"The columns are: {', '.join(table.columns[:12]) or 'none'}."
        problem = "a mapping needs the columns source and target"
        raise ProtocolError("no-column", problem, remedy=remedy, file=path)
    mapping: dict[int, int] = {}
    for row in table.rows:
        sources = parse_indices(row.get("source"), row.line, table.file, "source")
        targets = parse_indices(row.get("target"), row.line, table.file, "target")
        if len(targets) > 1:
            problem = f"line {row.line}: a source region can have only one target"
            raise ProtocolError("bad-mapping", problem, file=path)
        for index in sources:
            if not targets:  # stated as background
                continue
            _check_known(path, row.line, (index, source), (targets[0], target))
            if mapping.setdefault(index, targets[0]) != targets[0]:
                problem = f"line {row.line}: source {index} already maps to {mapping[index]}"
                raise ProtocolError("bad-mapping", problem, remedy="Mend that line.", file=path)
    if not mapping:
        raise ProtocolError("bad-mapping", "the mapping maps nothing", file=path)
    try:
        return ProtocolMapping(source, target, mapping, tuple(table.notes))
    except ProtocolError as error:
        raise ProtocolError(error.code, error.problem, remedy=error.remedy, file=path) from error


def _check_known(path: Path, line: int, *pairs: tuple[int, Protocol]) -> None:
    for index, protocol in pairs:
        if index not in protocol.indices:
            problem = f"line {line}: {protocol.name} has no region {index}"
            raise ProtocolError("bad-mapping", problem, remedy="Mend that line.", file=path)


def find_mapping(
    source: Protocol | str | Path, target: Protocol | str | Path, variant: Variant = "default"
) -> ProtocolMapping:
    """The mapping that the label tables state: identity, direct links, or two steps via MALC.

    FIRST's 16 is brain stem and 4th ventricle in one: both map to it with "default", only the
    brain stem with "core". What cannot be said (a source region that is several target regions
    in one) is left out; `notes` tell. Raises ProtocolError where the tables say nothing.
    """
    source = source if isinstance(source, Protocol) else load_protocol(source)
    target = target if isinstance(target, Protocol) else load_protocol(target)
    if source.fingerprint == target.fingerprint:
        return ProtocolMapping(source, target, {index: index for index in source.indices})
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
    """Target indices of each source index, by the links of either table."""
    known = set(target.indices)
    found: dict[int, set[int]] = defaultdict(set)
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
        else (f"{source.name} has no links to a shipped protocol")
    )
    problem = f"no mapping from {source.name} to {target.name} is known"
    remedy = f"{known}; or give a table with the columns source and target."
    return ProtocolError("no-mapping", problem, remedy=remedy)
