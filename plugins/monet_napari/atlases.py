"""Which atlas a label map is of, as far as its name and neighbours tell."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from monet_core.datasets.names import labels_stem, same_protocol, segmentation
from monet_core.errors import MonetError
from monet_core.protocols import Protocol, load_protocol, shipped_protocols
from monet_core.scans import LabelMap

_NAMED = {"aseg": "freesurfer", "aparc": "freesurfer"}


def atlas_of(path: Path, labels: LabelMap) -> Protocol | None:
    """The table beside the file, else the atlas in its name; None where values contradict."""
    protocol = _table_beside(path) or _named(path)
    if protocol is None or protocol.unknown_values(_values(labels)):
        return None
    return protocol


def _table_beside(path: Path) -> Protocol | None:
    stem = labels_stem(path)
    folder = path.parent
    for table in (folder / f"{stem}_dseg.tsv", folder / "dseg.tsv"):
        try:
            if table.is_file():
                return load_protocol(table)
        except MonetError:
            continue
    return None


def _named(path: Path) -> Protocol | None:
    stem = labels_stem(path) or ""
    named = segmentation(stem) or ""
    for name in shipped_protocols():
        if named and same_protocol(name, named):
            return load_protocol(name)
    for word, name in _NAMED.items():
        if word in path.name.lower():
            return load_protocol(name)
    return None


def _values(labels: LabelMap) -> np.ndarray:
    return np.unique(labels.data)
