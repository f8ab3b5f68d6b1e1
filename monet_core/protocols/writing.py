"""Writing protocols as BIDS tables and for FreeSurfer, ITK-SNAP and 3D Slicer."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from monet_core.errors import ProtocolError
from monet_core.files import write_text
from monet_core.protocols.dseg import BIDS_TISSUES, LINK_COLUMNS
from monet_core.protocols.protocol import Protocol
from monet_core.protocols.region import Region

_COLUMNS = (
    "index",
    "name",
    "abbreviation",
    "color",
    "mapping",
    "hemisphere",
    "tissue",
    "pair",
    "group",
    "path",
)
_ITKSNAP_HEADER = """\
################################################
# ITK-SnAP Label Description File
# File format:
# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL
################################################"""
_MAPPING = {tissue: number for number, tissue in BIDS_TISSUES.items()} | {
    "cerebellum_gm": "11",
    "cerebellum_wm": "11",
}


def write_tsv(protocol: Protocol, path: Path) -> None:
    """Write a BIDS `dseg` table with all that `load_protocol` reads, but `extra` values."""
    links = [name for name in protocol.links if name in LINK_COLUMNS]
    subsets = {name: set(indices) for name, indices in protocol.subsets.items()}
    own = {name: f"in_{name}" for name in subsets if name not in links}
    relations = {f"{name}_relation": protocol.relations.get(name, {}) for name in links}
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow([*_COLUMNS, *own.values(), *links, *relations])
    for region in protocol.regions:
        chosen = [str(int(region.index in subsets[name])) for name in own]
        linked = [protocol.links[name].get(region.index, ()) for name in links]
        joined = [",".join(map(str, indices)) or "n/a" for indices in linked]
        words = [table.get(region.index) or "n/a" for table in relations.values()]
        writer.writerow([*_cells(region), *chosen, *joined, *words])
    write_text(path, text.getvalue())


def _cells(region: Region) -> list[str]:
    cells = (
        str(region.index),
        region.name,
        region.abbreviation,
        region.color,
        _MAPPING.get(region.tissue, ""),
        region.hemisphere,
        region.tissue,
        str(region.pair or ""),
        region.group,
        "/".join(level.replace("/", "|") for level in region.path),
    )
    return [cell or "n/a" for cell in cells]


def write_freesurfer_lut(protocol: Protocol, path: Path) -> None:
    """Write a FreeSurfer colour table; spaces in names become hyphens, alpha is 0 as usual.

    Raises ProtocolError where two names are then the same.
    """
    names = _joined_names(protocol, "-", path)
    lines = ["#No. Label Name:                                      R   G   B   A"]
    lines.append("0    Unknown                                            0   0   0   0")
    for name, region in zip(names, protocol.regions, strict=True):
        red, green, blue = _rgb(region)
        lines.append(f"{region.index:<4} {name:<49} {red:>3} {green:>3} {blue:>3} 0")
    write_text(path, "\n".join(lines) + "\n")


def write_itksnap(protocol: Protocol, path: Path) -> None:
    """Write an ITK-SNAP label description file; quotes in names become apostrophes."""
    lines = [_ITKSNAP_HEADER, '    0     0    0    0        0  0  0    "Clear Label"']
    for region in protocol.regions:
        red, green, blue = _rgb(region)
        name = region.name.replace('"', "'")
        lines.append(
            f'{region.index:>5}   {red:>3}  {green:>3}  {blue:>3}        1  1  1    "{name}"'
        )
    write_text(path, "\n".join(lines) + "\n")


def write_slicer(protocol: Protocol, path: Path) -> None:
    """Write a 3D Slicer colour table (.ctbl); spaces in names become underscores.

    Raises ProtocolError where two names are then the same.
    """
    names = _joined_names(protocol, "_", path)
    lines = [f"# Color table file {path.name}", f"# {len(names) + 1} values"]
    lines.append("0 Background 0 0 0 0")
    for name, region in zip(names, protocol.regions, strict=True):
        red, green, blue = _rgb(region)
        lines.append(f"{region.index} {name} {red} {green} {blue} 255")
    write_text(path, "\n".join(lines) + "\n")


def _joined_names(protocol: Protocol, mark: str, path: Path) -> list[str]:
    """Names without spaces, which some formats do not have."""
    names = [mark.join(region.name.split()) for region in protocol.regions]
    if len(set(names)) < len(names):
        problem = "two region names differ only in spaces, which this format does not have"
        raise ProtocolError("duplicate-name", problem, file=path)
    return names


def _rgb(region: Region) -> tuple[int, int, int]:
    red, green, blue = (int(region.color[i : i + 2], 16) for i in (1, 3, 5))
    return red, green, blue
