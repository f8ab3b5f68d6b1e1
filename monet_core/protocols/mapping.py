"""`ProtocolMapping`: which region of one protocol is which of another."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
from monet_core.protocols.tables import Row, Table, parse_table, read_bytes

Variant = Literal["default", "core"]
_COLUMNS = ("source", "source_name", "target", "target_name")


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
        """Write a row per source region with both names; `load_mapping` reads it.

        Source regions that become background have the target n/a.
        """
        text = io.StringIO()
        writer = csv.writer(text, delimiter="\t", lineterminator="\n")
        writer.writerow(_COLUMNS)
        for region in self.source.regions:
            mapped = self.table.get(region.index)
            name = "n/a" if mapped is None else self.target.region(mapped).name
            writer.writerow([region.index, region.name, mapped or "n/a", name])
        write_text(path, text.getvalue())


def with_links(mapping: ProtocolMapping) -> Protocol:
    """The mapping's source with links to the target, so that the mapping goes where it goes."""
    source, name = mapping.source, mapping.target.name
    links = {index: (mapped,) for index, mapped in sorted(mapping.table.items())}
    relations = {other: words for other, words in source.relations.items() if other != name}
    return replace(source, links={**source.links, name: links}, relations=relations)


def load_mapping(path: Path, source: Protocol, target: Protocol) -> ProtocolMapping:
    """A mapping from a table with the columns source (several: 35,11) and target.

    Where the table also gives names, and these are others than the protocols', `notes` tell.
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
    notes = (*table.notes, *_renamed(table, source, target))
    try:
        return ProtocolMapping(source, target, mapping, notes)
    except ProtocolError as error:
        raise ProtocolError(error.code, error.problem, remedy=error.remedy, file=path) from error


def _renamed(table: Table, source: Protocol, target: Protocol) -> list[Note]:
    """A warning where the mapping was made for regions of other names: another atlas, perhaps."""
    sources, targets = _names(source), _names(target)
    odd = [
        str(row.line)
        for row in table.rows
        if _differs(row, "source", sources) or _differs(row, "target", targets)
    ]
    if not odd:
        return []
    lines = ", ".join(odd[:8]) + (", ..." if len(odd) > 8 else "")
    message = f"the mapping names other regions than the atlases do (lines {lines}); check it"
    return [Note(Verdict.WARNING, "mapping-names-differ", message, table.file)]


def _names(protocol: Protocol) -> dict[str, str]:
    return {str(region.index): region.name for region in protocol.regions}


def _differs(row: Row, column: str, known: Mapping[str, str]) -> bool:
    name, index = row.get(f"{column}_name"), row.get(column)
    return bool(name) and known.get(index, name) != name


def _check_known(path: Path, line: int, *pairs: tuple[int, Protocol]) -> None:
    for index, protocol in pairs:
        if index not in protocol.indices:
            problem = f"line {line}: {protocol.name} has no region {index}"
            raise ProtocolError("bad-mapping", problem, remedy="Mend that line.", file=path)
