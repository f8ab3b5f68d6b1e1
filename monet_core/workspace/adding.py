"""Putting what was found into the index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monet_core.datasets import names
from monet_core.datasets.collecting import Failure, failure_of
from monet_core.errors import DatasetError, MonetError
from monet_core.jobs.events import Cancel, Message, Phase, Progress, Reporter
from monet_core.scans.opening import existing_file
from monet_core.workspace.database import Database, Transaction
from monet_core.workspace.finding import ScanFound, find
from monet_core.workspace.labels import described
from monet_core.workspace.naming import Namer
from monet_core.workspace.places import Places, absolute, readable
from monet_core.workspace.scanrows import Inspection
from monet_core.workspace.segmentationrows import SegmentationRows


@dataclass(frozen=True)
class Adding:
    """Adds to one study."""

    database: Database
    places: Places
    segmentations: SegmentationRows
    atlases: Path
    imported: Path

    def add(self, paths: Sequence[Path], report: Reporter, cancel: Cancel) -> list[int]:
        """Ids of all scans at `paths`, new or known; DatasetError where there is none at all."""
        found, failures = self._find(paths, report, cancel)
        for failure in failures:
            report(Message(str(failure), "error"))
        if not found:
            raise _nothing(paths, failures)
        cancel.check()
        with self.database.writing() as write:
            return self._store(write, found, {absolute(path) for path in paths})

    def _find(
        self, paths: Sequence[Path], report: Reporter, cancel: Cancel
    ) -> tuple[list[ScanFound], list[Failure]]:
        report(Phase("Looking for scans"))
        found: list[ScanFound] = []
        failures = []
        # Label maps last, since their scans may be among the other paths.
        for number, path in enumerate(sorted(paths, key=_is_labels), start=1):
            cancel.check()
            try:
                found += self._of_labels(path, found) if _is_labels(path) else self._of(path)
            except (MonetError, OSError) as error:
                failures.append(failure_of(path, error))
            report(Progress(number, len(paths)))
        return found, failures

    def _of(self, path: Path) -> list[ScanFound]:
        return find(path, self.atlases, self.imported)

    def _of_labels(self, labels: Path, found: Sequence[ScanFound]) -> list[ScanFound]:
        """A label map with the one scan of its name: in the study, just found, or beside it."""
        existing_file(labels)
        identity = names.identity(names.labels_stem(labels) or "")
        known = [*self._paths(), *(each.scan for each in found), *_scans_beside(labels)]
        scans = dict.fromkeys(
            absolute(scan) for scan in known if names.identity(names.stem_of(scan)) == identity
        )
        near = [scan for scan in scans if scan.parent == absolute(labels).parent]
        chosen = near if near else list(scans)
        if len(chosen) != 1:
            raise _no_scan(labels, len(chosen))
        described_labels = described(labels, self.atlases, beside=bool(near))
        return [ScanFound(chosen[0], names.stem_of(chosen[0]), labels=(described_labels,))]

    def _paths(self) -> list[Path]:
        with self.database.reading() as connection:
            rows = connection.execute("SELECT path FROM scans WHERE removed = 0").fetchall()
        return [self.places.path(stored) for (stored,) in rows]

    def _store(self, write: Transaction, found: Sequence[ScanFound], asked: set[Path]) -> list[int]:
        rows = write.execute("SELECT path, id, name, split, removed FROM scans").fetchall()
        known = {row[0]: row[1:] for row in rows}
        namer = Namer(row[2] for row in rows)
        namer.prepare(_name_of(each) for each in found if self.places.store(each.scan) not in known)
        ids: dict[int, None] = {}
        for each in found:
            stored = self.places.store(each.scan)
            if stored in known:
                scan_id = self._again(write, known[stored], each)
            else:
                scan_id = self._new(write, stored, each, namer)
                known[stored] = (scan_id, each.name, each.split, 0)
            for labels in each.labels:
                # A label map that was removed comes back only where it is asked for itself.
                wanted = absolute(labels.path) in asked
                put = self.segmentations.put if wanted else self.segmentations.add_found
                put(write, scan_id, labels)
            ids[scan_id] = None
        return list(ids)

    def _new(self, write: Transaction, stored: Any, found: ScanFound, namer: Namer) -> int:
        name = namer.name(*_name_of(found))
        values: dict[str, Any] = {"name": name, "path": stored, "subject": names.person(name)}
        if found.split:
            values["split"] = found.split
        if found.question:
            values["inspection"] = Inspection(question=found.question).to_text()
        return write.insert("scans", revision=write.revision, **values)

    def _again(self, write: Transaction, row: tuple[Any, ...], found: ScanFound) -> int:
        scan_id, _, split, removed = row
        if removed or (found.split and found.split != split):
            write.update(
                "scans", scan_id, removed=0, split=found.split or split, revision=write.revision
            )
        return int(scan_id)


def _name_of(found: ScanFound) -> tuple[str, Path]:
    return readable(found.name), Path(readable(str(absolute(found.scan))))


def _is_labels(path: Path) -> bool:
    return names.labels_stem(path) is not None


def _scans_beside(labels: Path) -> list[Path]:
    return [file for file in labels.parent.iterdir() if names.scan_stem(file)]


def _no_scan(labels: Path, found: int) -> DatasetError:
    problem = "no scan" if not found else f"{found} scans"
    return DatasetError(
        "labels-without-scan",
        f"this is a label map, and the study has {problem} of its name",
        remedy="Add its scan first, or open the scan and import the label map there.",
        file=labels,
    )


def _nothing(paths: Sequence[Path], failures: Sequence[Failure]) -> DatasetError:
    if len(failures) == 1:
        note = failures[0].note
        return DatasetError(note.code, note.message, file=note.file)
    shown = "; ".join(str(failure) for failure in failures[:3])
    more = f" and {len(failures) - 3} more" if len(failures) > 3 else ""
    return DatasetError(
        "no-scans",
        f"none of {len(paths)} paths holds a scan: {shown}{more}" if paths else "nothing was given",
        remedy="Give .nii, .nii.gz or .mgz files, folders that hold some, or a table of scans.",
    )
