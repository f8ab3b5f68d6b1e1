"""A lab's own atlas out of whatever a lab has: a label table of any tool, or label maps alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from monet_core.errors import Note, ProtocolError, Verdict
from monet_core.protocols.assemble import Draft, assemble
from monet_core.protocols.atlas_xml import protocol_from_xml
from monet_core.protocols.positions import sides_by_position
from monet_core.protocols.protocol import Protocol, describe_values
from monet_core.protocols.shipped import load_protocol
from monet_core.protocols.tables import decode_text, read_bytes
from monet_core.scans import Decisions, LabelMap, read_labels

_MAPS = (".nii", ".nii.gz", ".mgz", ".mgh", ".hdr", ".img")
_LISTED = re.compile(r"\s*([0-9]+)\s*[\s,;:=|]\s*([^\s,;:=|].*?)\s*")
_TRAILING_NUMBER = re.compile(r"(.*\S)\s+[0-9]+")
_NO_DECISIONS = Decisions()
REMEDY = (
    "Give a TSV with the columns index and name, a FreeSurfer colour table, an ITK-SNAP label "
    "file, an atlas' XML file, or a label map."
)


def import_protocol(
    path: Path,
    name: str = "",
    maps: Iterable[Path] = (),
    decisions: Decisions = _NO_DECISIONS,
) -> Protocol:
    """The protocol of a label table, or of the values in a label map ("Region 12").

    Tables may be BIDS dseg TSV, FreeSurfer colour tables, ITK-SNAP label files, Slicer colour
    tables, XML of FSL or SPM, or plain lists of number and name. Sides and pairs are read off
    the names and, where these do not tell, off the places in the label `maps`. `name`: by
    default the file's. `notes` tell what was made up and what should be checked. Raises
    ProtocolError or ScanError where nothing can be made of a file.
    """
    path = Path(path)
    read = [read_labels(file, decisions) for file in maps]
    if is_label_map(path):
        read.insert(0, read_labels(path, decisions))
        protocol = _from_values(_stem(path), read, str(path))
    else:
        protocol = _from_table(path)
        protocol = replace(protocol, notes=(*protocol.notes, *_strange(protocol, read)))
    if read and (is_label_map(path) or any(n.code == "sides-from-names" for n in protocol.notes)):
        protocol = sides_by_position(protocol, read)
    return replace(protocol, name=name.strip() or protocol.name, file=None)


def is_label_map(path: Path) -> bool:
    """Whether a file is, by its name, a label map and no label table."""
    return path.name.lower().endswith(_MAPS)


def _stem(path: Path) -> str:
    stem = path.name[: -len(next(end for end in _MAPS[::-1] if path.name.lower().endswith(end)))]
    return stem.removesuffix("_dseg") or stem


def _from_table(path: Path) -> Protocol:
    if path.suffix.lower() == ".xml":
        return protocol_from_xml(read_bytes(path), str(path), path.stem)
    try:
        return load_protocol(path.resolve())
    except ProtocolError as error:
        if error.code != "not-a-table":
            raise
    return _from_list(path)


def _from_list(path: Path) -> Protocol:
    """Lines such as "12 Caudate_L" or "12: Caudate_L"; a number at the end of each is no name."""
    text, notes = decode_text(read_bytes(path), str(path))
    drafts = [
        Draft(line, int(match[1]), match[2].strip("\"'"))
        for line, content in enumerate(text.splitlines(), start=1)
        if (match := _LISTED.fullmatch(content.split("#", 1)[0]))
    ]
    if not drafts:
        raise ProtocolError("not-a-table", "this is no label table", remedy=REMEDY, file=path)
    numbered = [_TRAILING_NUMBER.fullmatch(draft.name) for draft in drafts]
    if all(numbered):  # AAL's list: 1 Precentral_L 2001
        drafts = [replace(d, name=m[1]) for d, m in zip(drafts, numbered, strict=True) if m]
    return assemble(path.stem, drafts, str(path), notes=notes)


def _from_values(name: str, maps: Sequence[LabelMap], file: str) -> Protocol:
    values = sorted({int(v) for labels in maps for v in np.unique(labels.data)} - {0})
    if not values:
        problem = "the label map holds nothing but background"
        raise ProtocolError("empty-table", problem, remedy="Choose another one.", file=file)
    drafts = [Draft(k, value, f"Region {value}") for k, value in enumerate(values, start=1)]
    message = f"names and colours of {len(values)} regions were made from the values in the map"
    protocol = assemble(name, drafts, file)
    return replace(protocol, notes=(Note(Verdict.WARNING, "names-made", message, file),))


def _strange(protocol: Protocol, maps: Sequence[LabelMap]) -> list[Note]:
    """What the label maps hold that the table does not name."""
    notes = []
    for labels in maps:
        if counts := protocol.unknown_values(labels.data):
            message = f"{describe_values(counts)} not in the label table"
            notes.append(Note(Verdict.WARNING, "unknown-labels", message, str(labels.path or "")))
    return notes
