"""A study as a dataset to train on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from monet_core.datasets import names
from monet_core.errors import DatasetError, ProtocolError
from monet_core.evaluation import write_tsv
from monet_core.protocols import load_protocol
from monet_core.workspace.entries import Rating, ScanEntry, SegmentationEntry
from monet_core.workspace.labels import atlas_title

BY_PEOPLE = ("manual", "edited", "import")


def write_dataset(
    path: Path,
    protocol: str,
    scans: Sequence[ScanEntry],
    segmentations: Sequence[SegmentationEntry],
    rated: dict[int, Rating],
) -> None:
    """Write the table; see `Study.to_table`."""
    chosen = chosen_labels(segmentations, rated, protocol)
    rows = [
        {
            "scan": str(scan.path),
            "labels": str(chosen[scan.id].path),
            "protocol": protocol,
            "split": scan.split,
            "name": scan.name,
        }
        for scan in scans
        if scan.id in chosen
    ]
    if not rows:
        raise DatasetError(
            "no-labels",
            f"no scan of the study has a usable segmentation of the atlas {atlas_title(protocol)}",
            remedy="Import or draw one, or pass a model's in Review.",
            file=path,
        )
    write_tsv(pd.DataFrame(rows), path)


def chosen_labels(
    segmentations: Sequence[SegmentationEntry], rated: dict[int, Rating], protocol: str
) -> dict[int, SegmentationEntry]:
    """Per scan id the segmentation to train on; `rated` holds segmentations' last ratings.

    The newest that people made or edited and nobody failed; else the newest that a model made and
    somebody passed.
    """
    chosen: dict[int, tuple[int, int, SegmentationEntry]] = {}
    wanted = _same_as(protocol)
    for entry in segmentations:
        rank = _rank(entry, rated.get(entry.id))
        if rank and wanted(entry.protocol):
            best = chosen.get(entry.scan_id)
            if best is None or (rank, entry.id) > best[:2]:
                chosen[entry.scan_id] = (rank, entry.id, entry)
    return {scan_id: entry for scan_id, (_, _, entry) in chosen.items()}


def _rank(entry: SegmentationEntry, rating: Rating | None) -> int:
    """0 for what is not to be trained on."""
    grade = rating.grade if rating else None
    if entry.source in BY_PEOPLE:
        return 0 if grade == "fail" else 2
    return 1 if entry.source == "model" and grade == "pass" else 0


class _same_as:  # noqa: N801 - reads as a function
    """Whether a segmentation's protocol is a given one: by name, or by what the tables hold."""

    def __init__(self, protocol: str) -> None:
        self._wanted = protocol
        self._known: dict[str, bool] = {"": False, protocol: True}

    def __call__(self, protocol: str) -> bool:
        if protocol not in self._known:
            self._known[protocol] = self._compare(protocol)
        return self._known[protocol]

    def _compare(self, protocol: str) -> bool:
        try:
            wanted = load_protocol(self._wanted).fingerprint
            return load_protocol(protocol).fingerprint == wanted
        except ProtocolError:
            return names.same_protocol(protocol, self._wanted)
