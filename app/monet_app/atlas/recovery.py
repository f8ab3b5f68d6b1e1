"""What was painted and not saved yet, on the disk: nothing is lost by a crash or by leaving."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monet_core.errors import MonetError
from monet_core.files import read_json, write_json
from monet_core.scans import Decisions, LabelMap, read_labels, write_labels
from monet_core.workspace import SegmentationEntry, Study

log = logging.getLogger(__name__)
FOLDER = "recovery"


@dataclass(frozen=True)
class Recovery:
    """Painting of a segmentation as it was at `time` (ISO, UTC), in `path`."""

    segmentation_id: int
    path: Path
    time: str

    @property
    def described(self) -> Path:
        """Where it is told which segmentation this is of."""
        return self.path.with_name(f"{self.segmentation_id}.json")


def keep(
    study: Study, entry: SegmentationEntry, labels: NDArray[np.int32], like: LabelMap
) -> Recovery:
    """Write what was painted; the description comes last, so that what is found is whole."""
    time = datetime.now(UTC).isoformat(timespec="seconds")
    kept = Recovery(entry.id, _folder(study) / f"{entry.id}.nii.gz", time)
    write_labels(kept.path, labels, like)
    write_json(kept.described, {"segmentation": entry.id, "time": time})
    return kept


def found(study: Study) -> list[Recovery]:
    """What can be restored, the latest first; of segmentations that the study still has."""
    known = {entry.id for entry in study.all_segmentations()}
    folder = _folder(study)
    kept = [_read(path) for path in sorted(folder.glob("*.json"))] if folder.is_dir() else []
    there = [each for each in kept if each is not None and each.segmentation_id in known]
    return sorted(there, key=lambda each: each.time, reverse=True)


def drop(study: Study, segmentation_id: int) -> None:
    """Forget it: it was saved, or is not wanted."""
    for ending in (".json", ".nii.gz"):
        (_folder(study) / f"{segmentation_id}{ending}").unlink(missing_ok=True)


def restored(recovery: Recovery, like: LabelMap, decisions: Decisions) -> LabelMap:
    """What was painted, on the grid and in the file that `like` is of; ScanError if damaged."""
    labels = read_labels(recovery.path, decisions)
    return LabelMap(labels.data, like.geometry, like.forms, like.path, like.notes)


def _folder(study: Study) -> Path:
    return study.jobs.parent / FOLDER


def _read(path: Path) -> Recovery | None:
    labels = path.with_suffix(".nii.gz")
    try:
        told = read_json(path)
        return Recovery(int(told["segmentation"]), labels, str(told["time"]))
    except (OSError, ValueError, KeyError, TypeError, MonetError) as error:
        log.warning("Recovery %s left out: %s", path.name, error)
        return None
