"""Results of `monet segment` in a folder, and which scans of the study they belong to."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from monet_core.datasets import names
from monet_core.files import sha256
from monet_core.workspace.computed import file_stamp, recall, remember
from monet_core.workspace.database import Database
from monet_core.workspace.entries import ScanEntry
from monet_core.workspace.labels import (
    LabelsFound,
    base_of,
    described,
    is_ours,
    record_of,
    source_name,
)


@dataclass(frozen=True)
class Result:
    """A label map with its record: `scan_name` and `scan_sha256` of what was segmented."""

    labels: LabelsFound
    scan_name: str
    scan_sha256: str


def results_in(folder: Path, atlases: Path) -> Iterator[Result]:
    """Every whole result in `folder` and below; hidden folders are left out."""
    for place, inner, files in os.walk(folder):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for name in sorted(files):
            labels = Path(place, name)
            if not names.labels_stem(labels) or not Path(base_of(labels) + ".json").is_file():
                continue
            record = record_of(labels)
            if is_ours(record):
                source = str(record.get("SourceSha256", ""))
                yield Result(described(labels, atlases), source_name(record), source)


class Owners:
    """Finds the scan that was segmented: by its file's name, then by its content."""

    def __init__(self, scans: list[ScanEntry], database: Database) -> None:
        self._database = database
        self._by_name: dict[str, list[ScanEntry]] = {}
        for entry in scans:
            self._by_name.setdefault(entry.path.name.casefold(), []).append(entry)

    def of(self, result: Result) -> ScanEntry | None:
        """The scan of a result.

        The only scan of that name is taken where its content cannot be compared (it is gone, or
        the record is too old to tell).
        """
        candidates = self._by_name.get(result.scan_name.casefold(), [])
        hashes = [self._hash(entry) for entry in candidates]
        for entry, found in zip(candidates, hashes, strict=True):
            if found and found == result.scan_sha256:
                return entry
        unknown = not result.scan_sha256 or hashes == [""]
        return candidates[0] if len(candidates) == 1 and unknown else None

    def _hash(self, entry: ScanEntry) -> str:
        stamp = file_stamp(entry.path)
        if not stamp or entry.path.is_dir():
            return ""
        known = recall(self._database, "sha256", entry.id, stamp)
        if known is not None:
            return str(json.loads(known))
        try:
            found = sha256(entry.path)
        except OSError:
            return ""
        remember(self._database, "sha256", entry.id, stamp, json.dumps(found))
        return found
