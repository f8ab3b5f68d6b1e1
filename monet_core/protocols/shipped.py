"""The protocols that ship with the program, and `load_protocol` for these and for files."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from monet_resources import LABELS

from monet_core.errors import ProtocolError
from monet_core.protocols.dseg import linked_subsets, protocol_from_dseg
from monet_core.protocols.freesurfer_lut import looks_like_lut, protocol_from_lut
from monet_core.protocols.protocol import Protocol
from monet_core.protocols.tables import decode_text, read_bytes

_FILES = {
    "malc": "malc.tsv",
    "first": "first.tsv",
    "hammers67": "hammers.tsv",
    "hammers83": "hammers83.tsv",
    "quicknat27": "quicknat25.tsv",
    "freesurfer": "freesurfer.tsv",
}
_ALIASES = {"hammers": "hammers67", "quicknat": "quicknat27"}
_SUBSETS = {"challenge_134": "challenge", "25": "quicknat25"}
_REDUNDANT_SUBSETS = ("138", "27")  # every region: "all"

# The 83-region set divides regions of the 67-region set (notes of hammers.tsv); 74 to 81 have
# no stated place in the 67.
_HAMMERS_PARTS = {68: 54, 70: 54, 72: 54, 69: 55, 71: 55, 73: 55, 82: 12, 83: 11}


def shipped_protocols() -> tuple[str, ...]:
    """The names that `load_protocol` knows without a file."""
    return tuple(_FILES)


def is_shipped(name: str) -> bool:
    """Whether a shipped protocol is called `name`, in any case."""
    return name.strip().lower() in {*_FILES, *_ALIASES}


def load_protocol(name_or_path: str | Path) -> Protocol:
    """A shipped protocol by name, or one from a BIDS `dseg` TSV or a FreeSurfer LUT.

    Raises ProtocolError where there is no such name or file, or the table cannot be used.
    """
    known = str(name_or_path).strip().lower()
    known = _ALIASES.get(known, known)
    if known in _FILES:
        return _shipped(known)
    path = Path(name_or_path)
    if not path.exists():
        problem = f"there is no protocol {known!r} and no such file"
        remedy = (
            f"Use {', '.join(_FILES)}, or the path of a label table "
            "(a TSV with the columns index and name, or a FreeSurfer LUT)."
        )
        raise ProtocolError("no-such-protocol", problem, remedy=remedy, file=path)
    return replace(_from_file(path), file=path)


def _from_file(path: Path) -> Protocol:
    data = read_bytes(path)
    name = path.stem.removesuffix("_dseg") or path.stem
    header = next((h for h in decode_text(data, str(path))[0].splitlines() if h.strip()), "")
    tabular = any(mark in header for mark in "\t;,") and not header.lstrip().startswith("#")
    if path.suffix.lower() in (".tsv", ".csv") or (tabular and not header.lstrip()[0].isdigit()):
        return protocol_from_dseg(data, str(path), name)
    if not looks_like_lut(decode_text(data, str(path))[0]):
        remedy = "Give a TSV with the columns index and name, or a FreeSurfer LUT."
        raise ProtocolError("not-a-table", "this is no label table", remedy=remedy, file=path)
    return protocol_from_lut(data, str(path), name)


@cache
def _shipped(name: str) -> Protocol:
    path = LABELS / _FILES[name]
    protocol = protocol_from_dseg(read_bytes(path), str(path), name)
    subsets = {
        _SUBSETS.get(subset, subset): indices
        for subset, indices in protocol.subsets.items()
        if subset not in _REDUNDANT_SUBSETS
    }
    links = dict(protocol.links)
    if name == "freesurfer":
        links["quicknat27"] = {
            **links["quicknat27"],
            **_dkt_cortex(protocol, links["quicknat27"]),
        }
    if name == "hammers83":
        links["hammers67"] = {i: (i,) for i in range(1, 68)} | {
            part: (whole,) for part, whole in _HAMMERS_PARTS.items()
        }
    protocol = replace(protocol, subsets=subsets | linked_subsets(links), links=links)
    return _with_malc_tables(protocol) if name == "malc" else protocol


def _dkt_cortex(
    protocol: Protocol, links: Mapping[int, tuple[int, ...]]
) -> dict[int, tuple[int, ...]]:
    """The cortical parcels (1000 left, 2000 right) as parts of what 3 and 42 are links to."""
    whole = {1: links[3], 2: links[42]}
    return {index: whole[index // 1000] for index in protocol.indices if index >= 1000}


def _with_malc_tables(protocol: Protocol) -> Protocol:
    """MALC's further values, challenge subset and hierarchy, from their own tables."""
    extra = frozenset(int(row["index"]) for row in _rows("malc_extra.tsv"))
    nodes = {row["id"]: row for row in _rows("malc_hierarchy.tsv")}
    paths = {int(n["malc"]): _path(nodes, n) for n in nodes.values() if n["leaf"] == "1"}
    regions = tuple(replace(region, path=paths[region.index]) for region in protocol.regions)
    challenge = tuple(int(r["index"]) for r in _rows("malc.tsv") if r["challenge_134"] == "1")
    subsets = {**protocol.subsets, "challenge": tuple(sorted(challenge))}
    return replace(protocol, regions=regions, extra=extra, subsets=subsets)


def _path(nodes: Mapping[str, Mapping[str, str]], node: Mapping[str, str]) -> tuple[str, ...]:
    """Names from the top group to the node's parent; the root says nothing."""
    names: list[str] = []
    parent = nodes[node["parent"]]
    while parent["level"] != "0":
        names.insert(0, parent["name"])
        parent = nodes[parent["parent"]]
    return tuple(names)


def _rows(table: str) -> list[dict[str, str]]:
    with (LABELS / table).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))
