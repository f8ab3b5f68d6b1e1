"""What file names say: BIDS-like entities, which scan a label map belongs to, which person."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

_SCAN = re.compile(r"^(?P<stem>.+)_T1w\.(nii|nii\.gz|mgz|mgh|hdr)$", re.IGNORECASE)
_LABELS = re.compile(r"^(?P<stem>.+)_dseg\.(nii|nii\.gz|mgz|mgh|hdr)$", re.IGNORECASE)

# Entities that say how a map was made, not which scan it belongs to.
_OF_LABELS = ("seg-", "atlas-", "desc-", "label-", "res-")
_ENDINGS = (".nii.gz", ".nii", ".mgz", ".mgh", ".hdr.gz", ".img.gz", ".hdr", ".img")
_NATIVE_SPACES = frozenset({"space-orig", "space-t1w", "space-native", "space-individual"})


def scan_stem(path: Path) -> str | None:
    """The subject name in a scan's file name ("sub-01_ses-2"), None for any other file."""
    return _stem(_SCAN, path)


def labels_stem(path: Path) -> str | None:
    """The stem of a label map's file name ("sub-01_seg-malc"), None for any other file."""
    return _stem(_LABELS, path)


def stem_of(scan: Path) -> str:
    """The scan's name without "_T1w" and ending: "sub-01_ses-2_T1w.nii.gz" -> "sub-01_ses-2"."""
    name = scan.name
    for ending in _ENDINGS:
        if name.lower().endswith(ending):
            name = name[: -len(ending)]
            break
    return re.sub(r"_T1w$", "", name, flags=re.IGNORECASE) or name


def identity(stem: str) -> frozenset[str]:
    """The parts of a stem that scan and label map must share, in any order."""
    parts = unicodedata.normalize("NFC", stem).lower().split("_")
    return frozenset(
        part for part in parts if not part.startswith(_OF_LABELS) and part not in _NATIVE_SPACES
    )


def segmentation(stem: str) -> str | None:
    """The value of the `seg` (or older `atlas`) entity of a stem, None where it has none."""
    for part in stem.split("_"):
        key, dash, value = part.partition("-")
        if dash and key.lower() in ("seg", "atlas"):
            return value
    return None


def same_protocol(one: str, other: str) -> bool:
    """Whether two spellings name one protocol: case and punctuation do not count."""
    return _plain(one) == _plain(other)


def person(name: str) -> str:
    """Who a subject name stands for: its `sub-` entity, else all that is no entity."""
    parts = unicodedata.normalize("NFC", name).split("_")
    for part in parts:
        if part.lower().startswith("sub-"):
            return part
    bare = [part for part in parts if "-" not in part]
    return "_".join(bare) or name


def _stem(pattern: re.Pattern[str], path: Path) -> str | None:
    match = pattern.match(path.name)
    # Names with a leading dot are the system's, such as macOS' "._sub-01_T1w.nii".
    return match["stem"] if match and not path.name.startswith(".") else None


def _plain(name: str) -> str:
    # A protocol may be named by the file of its table.
    stem = Path(name).name.removesuffix(".tsv").removesuffix("_dseg").removesuffix(".txt")
    return re.sub(r"[^a-z0-9]", "", stem.lower())
