"""Protocols from BIDS `dseg` tables."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from monet_core.errors import ProtocolError
from monet_core.protocols.assemble import Draft, assemble
from monet_core.protocols.colors import parse_color, rgb_color
from monet_core.protocols.protocol import Protocol
from monet_core.protocols.region import Hemisphere
from monet_core.protocols.tables import Row, Table, parse_table

BIDS_TISSUES = {
    "2": "white_matter",
    "3": "csf",
    "7": "lesion",
    "8": "cortical_gm",
    "9": "subcortical_gm",
    "10": "brainstem",
    "11": "cerebellum",
}
LINK_COLUMNS: dict[str, tuple[str, ...]] = {
    "malc": ("malc",),
    "malc_core": ("malc_core",),
    "first": ("first",),
    "first_core": ("first_core",),
    "freesurfer": ("freesurfer",),
    "hammers": ("hammers67", "hammers83"),  # 1 to 67 mean the same in both
    "hammers67": ("hammers67",),
    "hammers83": ("hammers83",),
    "quicknat27": ("quicknat27",),
}
"""Columns that name indices of a shipped protocol, and the protocols they are links to."""

_ALIASES = {
    "index": ("index", "id", "label", "value"),
    "name": ("name", "region", "structure"),
    "abbreviation": ("abbreviation", "abbr", "acronym"),
    "hemisphere": ("hemisphere", "hemi", "side"),
    "color": ("color_distinct", "color", "colour", "hex"),
}
_SIDES: dict[str, Hemisphere] = {
    **{"l": "L", "left": "L", "lh": "L"},
    **{"r": "R", "right": "R", "rh": "R"},
    **{"m": "M", "b": "M", "midline": "M", "both": "M", "bilateral": "M"},
}
_INTEGER = re.compile(r"([0-9]{1,10})(?:[.,]0+)?")
_Rows = Sequence[tuple[int, Row]]


def protocol_from_dseg(data: bytes, file: str, name: str) -> Protocol:
    """The protocol of a table with the columns index and name, and optionally others.

    Odd colours, encodings and separators are fixed and noted; sides and pairs that the table
    lacks are read off the names. Raises ProtocolError naming the lines that cannot be used.
    """
    table = parse_table(data, file)
    columns = _columns(table)
    rows = [(parse_index(row.get(columns["index"]), row.line, file), row) for row in table.rows]
    rows = [(index, row) for index, row in rows if index != 0]
    drafts = [_draft(table, index, row, columns) for index, row in rows]
    links = _links(table, rows)
    return assemble(
        name,
        drafts,
        file,
        notes=table.notes,
        pairs_stated="pair" in table.columns,
        subsets=linked_subsets(links) | _subsets(table, rows),
        links=links,
        relations=_relations(table, rows),
    )


def _columns(table: Table) -> dict[str, str]:
    """The table's own header for each column that we know."""
    columns = {
        key: next((alias for alias in aliases if alias in table.columns), key)
        for key, aliases in _ALIASES.items()
    }
    missing = [key for key in ("index", "name") if columns[key] not in table.columns]
    if missing:
        problem = f"the table has no column {' and no column '.join(missing)}"
        found = ", ".join(table.columns[:12]) or "none"
        remedy = f"A label table needs the columns index and name; these were found: {found}."
        raise ProtocolError("no-column", problem, remedy=remedy, file=table.file)
    return columns


def parse_index(text: str, line: int, file: str, what: str = "index") -> int:
    """A whole number 0 or more, also as "12.0" or "12,0"; ProtocolError naming the line."""
    match = _INTEGER.fullmatch(text.strip())
    if match is None:
        problem = f"line {line}: {what} {text!r} is not a whole number of 0 or more"
        raise ProtocolError("bad-index", problem, remedy="Mend that line.", file=file)
    return int(match[1])


def parse_indices(text: str, line: int, file: str, what: str) -> tuple[int, ...]:
    """Indices separated by commas; () for an empty cell. ProtocolError naming the line."""
    if not text:
        return ()
    found = (parse_index(part, line, file, what) for part in text.split(","))
    return tuple(dict.fromkeys(index for index in found if index != 0))


def _draft(table: Table, index: int, row: Row, columns: dict[str, str]) -> Draft:
    side = row.get(columns["hemisphere"]).lower()
    if side and side not in _SIDES:
        message = f"line {row.line}: hemisphere {side!r} is not L, R or M; the name decides"
        table.fixed("odd-hemisphere", message)
    pair = row.get("pair")
    lobe = row.get("lobe")
    levels = tuple(part.strip() for part in row.get("path").split("/") if part.strip())
    tissue = row.get("tissue") or BIDS_TISSUES.get(row.get("mapping"), "")
    group = row.get("group") or lobe or tissue
    return Draft(
        line=row.line,
        index=index,
        name=row.cells.get(columns["name"], "").strip(),
        abbreviation=row.get(columns["abbreviation"]),
        color=_color(row, columns["color"]),
        hemisphere=_SIDES.get(side),
        tissue=tissue,
        pair=parse_index(pair, row.line, table.file, "pair") if pair else None,
        group=group,
        path=levels or tuple(dict.fromkeys(level for level in (lobe, group) if level)),
    )


def _color(row: Row, column: str) -> str | None:
    channels = [row.get(channel) for channel in "rgb"]
    if not row.get(column) and all(value.isascii() and value.isdigit() for value in channels):
        red, green, blue = (int(value) for value in channels)
        return rgb_color(red, green, blue)
    return parse_color(row.get(column))


def _subsets(table: Table, rows: _Rows) -> dict[str, tuple[int, ...]]:
    """Subsets from columns of 0 and 1 called `evaluated` or `in_NAME`."""
    subsets = {}
    for column in table.columns:
        named = column == "evaluated" or column.startswith("in_")
        if named and {row.get(column) for _, row in rows} <= {"0", "1"}:
            chosen = sorted(index for index, row in rows if row.get(column) == "1")
            subsets[column.removeprefix("in_")] = tuple(chosen)
    return subsets


def _links(table: Table, rows: _Rows) -> dict[str, dict[int, tuple[int, ...]]]:
    links = {}
    for column, protocols in LINK_COLUMNS.items():
        if column not in table.columns:
            continue
        try:
            cells = {i: parse_indices(r.get(column), r.line, table.file, column) for i, r in rows}
        except ProtocolError as error:
            message = f"the column {column} was ignored, it has no indices: {error.problem}"
            table.fixed("odd-link-column", message)
            continue
        found = {index: others for index, others in cells.items() if others}
        links.update(dict.fromkeys(protocols, found))
    return links


def _relations(table: Table, rows: _Rows) -> dict[str, dict[int, str]]:
    """What columns such as `malc_relation` say about the links, per protocol."""
    return {
        protocol: {index: row.get(f"{column}_relation") for index, row in rows}
        for column, protocols in LINK_COLUMNS.items()
        if f"{column}_relation" in table.columns
        for protocol in protocols
    }


def linked_subsets(
    links: Mapping[str, Mapping[int, tuple[int, ...]]],
) -> dict[str, tuple[int, ...]]:
    """For each protocol that is linked to, the regions that have an equivalent there.

    One region per structure where the table tells: the brain stem for FIRST's 16.
    """
    names = [name for name in links if not name.endswith("_core")]
    return {name: tuple(sorted(links.get(f"{name}_core", links[name]))) for name in names}
