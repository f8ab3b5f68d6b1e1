"""What users call an atlas: in a title, and on the small badges of a table. No Qt."""

from __future__ import annotations

from pathlib import Path

from monet_core.errors import MonetError
from monet_core.protocols import Protocol, atlas_tables, load_protocol, shipped_protocols

_TITLES = {
    "malc": "Whole brain",
    "first": "Sub-cortical",
    "hammers67": "Hammers",
    "hammers83": "Hammers",
    "quicknat27": "QuickNAT",
    "freesurfer": "FreeSurfer",
}
_BADGES = {"malc": "138", "first": "15", "hammers67": "H67", "hammers83": "H83",
           "quicknat27": "27", "freesurfer": "FS"}  # fmt: skip
OWN, UNKNOWN = "own", "?"


def atlas_title(protocol: Protocol) -> str:
    """ "Whole brain (138)", "Sub-cortical (15)", or the own atlas's name and regions."""
    return f"{_TITLES.get(protocol.name, protocol.name)} ({len(protocol.regions)})"


def atlas_badge(protocol: str) -> str:
    """The badge of a `SegmentationEntry.protocol`: "138", "15", "own"; "?" where not known."""
    return _BADGES.get(protocol, OWN) if protocol else UNKNOWN


def atlas_words(protocol: str) -> str:
    """The title of a `SegmentationEntry.protocol`; the file's name where it cannot be read."""
    if not protocol:
        return "atlas not known"
    try:
        return atlas_title(load_protocol(protocol))
    except (MonetError, OSError):
        return Path(protocol).stem


def atlas_names(atlases: Path | None) -> list[str]:
    """What a segmentation may be of: the shipped atlases, then the tables in the study."""
    tables = atlas_tables(atlases) if atlases is not None else []
    return [*shipped_protocols(), *map(str, tables)]
