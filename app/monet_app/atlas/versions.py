"""Corrected versions of segmentations: files of their own beside results; the parent stays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from monet_app.shown import Shown
from monet_core import __version__
from monet_core.datasets.names import stem_of
from monet_core.files import write_json
from monet_core.models import ModelEntry
from monet_core.protocols import Protocol
from monet_core.scans import LabelMap, Scan, onto_grid, write_labels
from monet_core.workspace import ScanEntry, SegmentationEntry, Study

_ENDINGS = (".nii.gz", ".nii", ".mgz", ".mgh", ".hdr")


def begin_version(study: Study, scan: ScanEntry, parent: Shown) -> SegmentationEntry:
    """A copy of a segmentation to paint in, registered as a preview until it is saved.

    Raises OutputError where the study's folder cannot be written to.
    """
    path = new_path(study, scan, parent.entry)
    write_labels(path, parent.labels.data, parent.labels)
    name = f"{_plain(parent.entry.name)}, corrected"
    return study.add_segmentation(
        scan.id, path, parent.entry.protocol, "preview", name=name,
        model=parent.entry.model, parent_id=parent.entry.id,
    )  # fmt: skip


def save_version(
    study: Study,
    entry: SegmentationEntry,
    labels: NDArray[np.int32],
    like: LabelMap,
    scan: Scan | None,
    protocol: Protocol,
) -> SegmentationEntry:
    """Write what was painted, with its table and record, and register it as edited.

    `labels` lie on `like`'s grid; they are written on the scan's own where the two are the same
    set of voxels. Raises OutputError; a former version of the file is then still whole.
    """
    written: NDArray[Any] | None = None
    if scan is not None:
        written = onto_grid(labels, like.geometry, scan.geometry)
    if scan is not None and written is not None:
        write_labels(entry.path, written, scan)
    else:
        write_labels(entry.path, labels, like)
    parent = _parent(study, entry)
    base = _base(entry.path)
    protocol.to_tsv(base.with_name(f"{base.name}.tsv"))
    write_json(base.with_name(f"{base.name}.json"), _record(study, entry, parent, protocol))
    return study.add_segmentation(
        entry.scan_id, entry.path, entry.protocol, "edited", name=entry.name,
        model=entry.model, parent_id=entry.parent_id,
    )  # fmt: skip


def drop_version(study: Study, entry: SegmentationEntry) -> None:
    """Forget a copy that was never saved, with its file."""
    study.remove_segmentation(entry.id)
    entry.path.unlink(missing_ok=True)


def new_path(study: Study, scan: ScanEntry, parent: SegmentationEntry) -> Path:
    """NAME_desc-edited_dseg.nii.gz of the parent's name, with a number where it is taken.

    In the parent's folder where that is the study's, else among the study's results.
    """
    inside = study.derivatives in parent.path.parents
    folder = parent.path.parent if inside else study.derivatives
    stem = _base(parent.path).name.removesuffix("_dseg")
    stem = "_".join(part for part in stem.split("_") if not part.startswith("desc-"))
    if not stem.startswith(stem_of(scan.path)):
        stem = f"{stem_of(scan.path)}_{stem}"
    for number in count(1):
        path = folder / f"{stem}_desc-edited{number if number > 1 else ''}_dseg.nii.gz"
        if not path.exists():
            return path
    raise AssertionError("unreachable")


def model_behind(
    study: Study, entry: SegmentationEntry, models: Sequence[ModelEntry]
) -> ModelEntry | None:
    """The installed model that made a segmentation, or what it was corrected from."""
    seen: set[int] = set()
    current: SegmentationEntry | None = entry
    while current is not None and current.id not in seen:
        for model in models:
            if current.model and current.model in (model.key, model.manifest.name):
                return model
        seen.add(current.id)
        current = _parent(study, current)
    return None


def _parent(study: Study, entry: SegmentationEntry) -> SegmentationEntry | None:
    known = {each.id: each for each in study.segmentations(entry.scan_id)}
    return known.get(entry.parent_id) if entry.parent_id is not None else None


def _record(
    study: Study,
    entry: SegmentationEntry,
    parent: SegmentationEntry | None,
    protocol: Protocol,
) -> dict[str, Any]:
    """The JSON beside it, in the words of BIDS derivatives; without the user's folders."""
    sources = [study.scan(entry.scan_id).path.name]
    return {
        "Description": f"Regions of the atlas {protocol.name}, corrected by hand",
        "Manual": True,
        "Atlas": protocol.name,
        "AtlasFingerprint": protocol.fingerprint,
        "Sources": [*sources, parent.path.name] if parent is not None else sources,
        "CorrectedFrom": {"Model": entry.model} if entry.model else {},
        "GeneratedBy": [{"Name": "MO-Net Studio", "Version": __version__}],
        "Created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _base(path: Path) -> Path:
    """The path without the ending of a label map."""
    name = path.name
    ending = next((each for each in _ENDINGS if name.lower().endswith(each)), path.suffix)
    return path.with_name(name[: len(name) - len(ending)] if ending else name)


def _plain(name: str) -> str:
    """A name that was corrected before is not called corrected twice."""
    return name.split(", corrected")[0]
