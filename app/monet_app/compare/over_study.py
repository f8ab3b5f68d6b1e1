"""The same comparison in every scan of the study that has the segmentations. No Qt."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from psygnal import Signal

from monet_app.origins import Origin, by_origin
from monet_app.session import Session
from monet_core.errors import DatasetError, MonetError
from monet_core.evaluation import box_plot, compare, groups_of, read_tsv, write_tsv
from monet_core.protocols import Protocol, load_protocol
from monet_core.scans import read_labels
from monet_core.workspace import ScanEntry, SegmentationEntry

MEASURES = {
    "dice": "Dice",
    "hd95_mm": "HD95 (mm)",
    "assd_mm": "ASSD (mm)",
    "volume_difference_percent": "Volume difference (%)",
}
# More regions than this are pooled into groups of the hierarchy, so that the boxes are legible.
MOST_BOXES = 40
VERSION = 1


@dataclass(frozen=True)
class Wanted:
    """What is compared: kinds of segmentations by the names shown, protocol, reference's name."""

    origins: Mapping[str, Origin]
    target: Protocol
    reference: str | None = None


@dataclass(frozen=True)
class _Task:
    scan: ScanEntry
    entries: Mapping[str, SegmentationEntry]


class OverStudy:
    """Compares scan by scan in the background; what was computed once is read from the study.

    `table` has the rows of `Comparison.table` of all scans done so far, with the columns scan and
    scan_id; `figure` is the box plot's PNG.
    """

    changed = Signal()

    def __init__(self, session: Session) -> None:
        self.session = session
        self.running = False
        self.done = self.total = 0
        self.failures: list[str] = []
        self.table: pd.DataFrame | None = None
        self.figure: Path | None = None
        self.measure = "dice"
        self._wanted: Wanted | None = None
        self._tables: list[pd.DataFrame] = []
        self._round = 0
        session.study_changed.connect(lambda _: self.forget())

    def scans(self, wanted: Wanted) -> int:
        """How many scans of the study can be compared so."""
        return len(self._tasks(wanted))

    def start(self, wanted: Wanted) -> None:
        """Compare all scans that have two of the segmentations or more."""
        self.forget()
        self._wanted = wanted
        tasks = self._tasks(wanted)
        self.total, self.running = len(tasks), bool(tasks)
        self.changed.emit()
        self._next(tasks, self._round)

    def cancel(self) -> None:
        """Stop after the scan at hand; what is there is kept, shown, and not computed again."""
        self._round += 1
        if self.running:
            self._finish()

    def forget(self) -> None:
        """Back to nothing."""
        self._round += 1
        self.running, self.done, self.total = False, 0, 0
        self.failures, self._tables = [], []
        self.table, self.figure = None, None
        self.changed.emit()

    def set_measure(self, measure: str) -> None:
        """Draw another measure."""
        self.measure = measure
        self._draw()

    def worst_scans(self) -> pd.DataFrame:
        """A row per scan (scan_id, scan, dice: the mean over pairs and regions), worst first."""
        if self.table is None or self.table.empty:
            return pd.DataFrame(columns=["scan_id", "scan", "dice"])
        means = self.table.groupby(["scan_id", "scan"], as_index=False)["dice"].mean()
        return means.sort_values("dice", ignore_index=True)

    def save_table(self, path: Path) -> None:
        """Write the table as TSV; raises OutputError where that cannot be done."""
        if self.table is not None:
            write_tsv(self.table, path)

    # -- inside -----------------------------------------------------------------------------

    def _tasks(self, wanted: Wanted) -> list[_Task]:
        study = self.session.study
        if study is None:
            return []
        found = by_origin(study.all_segmentations())
        tasks = []
        for scan in study.scans():
            entries = {
                name: found[origin][scan.id]
                for name, origin in wanted.origins.items()
                if scan.id in found.get(origin, {})
            }
            if len(entries) > 1 and (wanted.reference is None or wanted.reference in entries):
                tasks.append(_Task(scan, entries))
        return tasks

    def _next(self, tasks: Sequence[_Task], number: int) -> None:
        if number != self._round:
            return
        if not tasks:
            self._finish()
            return
        assert self._wanted is not None
        assert self.session.study is not None
        task, *others = tasks

        def done(table: pd.DataFrame | None, error: Exception | None = None) -> None:
            if number != self._round:
                return
            self.done += 1
            if table is not None:
                self._tables.append(table)
            elif error is not None:
                self.failures.append(f"{task.scan.name}: {_words(error)}")
            self.changed.emit()
            self._next(others, number)

        self.session.run(
            compared_scan, task, self._wanted, _cache_of(self.session.study.folder),
            done=done, failed=lambda error: done(None, error),
        )  # fmt: skip

    def _finish(self) -> None:
        self.running = False
        if self._tables:
            self.table = pd.concat(self._tables, ignore_index=True)
        self.changed.emit()
        self._draw()

    def _draw(self) -> None:
        study = self.session.study
        if self.table is None or self._wanted is None or study is None:
            return
        path = _cache_of(study.folder) / f"boxes-{self.measure}.png"

        def drawn(_: None) -> None:
            self.figure = path
            self.changed.emit()

        self.session.run(
            draw_boxes, self.table, self._wanted.target, self.measure, path,
            done=drawn, doing="Drawing the box plots", key="boxes",
        )  # fmt: skip


def compared_scan(task: _Task, wanted: Wanted, cache: Path) -> pd.DataFrame:
    """The comparison of one scan, from the cache where nothing has changed."""
    path = cache / f"{_fingerprint(task, wanted)}.tsv"
    table = _read(path)
    if table is None:
        segmented = {
            name: (read_labels(entry.path, task.scan.decisions), load_protocol(entry.protocol))
            for name, entry in task.entries.items()
        }
        table = compare(segmented, wanted.target, wanted.reference).table
        write_tsv(table, path)
    table = table.copy()
    table.insert(0, "scan_id", task.scan.id)
    table.insert(0, "scan", task.scan.name)
    return table


def draw_boxes(table: pd.DataFrame, target: Protocol, measure: str, path: Path) -> None:
    """Box plots of a measure, a colour per pair; many regions are pooled by group."""
    pairs = {f"{a} – {b}": rows for (a, b), rows in table.groupby(["a", "b"], sort=False)}
    indices = [int(index) for index in table["index"].unique()]
    ordered = [index for index in target.indices if index in set(indices)]
    groups = _boxes(target, ordered)
    scans = table["scan"].nunique()
    title = f"{MEASURES[measure]} over {scans} scans"
    box_plot(pairs if len(pairs) > 1 else next(iter(pairs.values())), path, groups,
             title if len(pairs) > 1 else f"{next(iter(pairs))}: {title}", measure)  # fmt: skip


def _boxes(target: Protocol, indices: Sequence[int]) -> dict[str, list[int]]:
    """What each box is of, in the order of the protocol."""
    if len(indices) > MOST_BOXES:
        return groups_of(target, indices)
    regions = [target.region(index) for index in indices]
    return {region.abbreviation or region.name: [region.index] for region in regions}


def _cache_of(study: Path) -> Path:
    return study / ".monet" / "compare"


def _read(path: Path) -> pd.DataFrame | None:
    """A table computed before; None where there is none or it is damaged."""
    try:
        table = read_tsv(path)
    except (OSError, ValueError, MonetError):
        return None
    if not {"a", "b", "index", "dice"} <= set(table.columns):
        return None
    return table.astype({"a": str, "b": str})


def _fingerprint(task: _Task, wanted: Wanted) -> str:
    files = []
    for name, entry in task.entries.items():
        try:
            status = entry.path.stat()
        except OSError as error:
            raise DatasetError(
                "not-found", f"the label file of {name} cannot be opened ({error.strerror})",
                remedy="Put it back, or take the segmentation out of the study.", file=entry.path,
            ) from error  # fmt: skip
        atlas = load_protocol(entry.protocol).fingerprint
        files.append([name, str(entry.path), status.st_mtime_ns, status.st_size, atlas])
    known = [VERSION, files, wanted.target.fingerprint, wanted.reference,
             str(task.scan.decisions)]  # fmt: skip
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()[:32]


def _words(error: Exception) -> str:
    if isinstance(error, MonetError):
        return f"{error.problem.rstrip('.')}. {error.remedy}".strip()
    return str(error) or type(error).__name__
