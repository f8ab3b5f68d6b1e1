"""Label maps for many scans: what fails is told, what is done is kept."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monet_core.errors import MonetError, Note, OutputError, ScanError, Verdict
from monet_core.files import read_json, sha256, write_json
from monet_core.jobs import Cancel, Message, Progress, Reporter, locked, silent
from monet_core.protocols import Protocol
from monet_core.scans import (
    Decisions,
    LabelMap,
    Scan,
    grid_difference,
    onto_grid,
    read_scan,
    write_labels,
    write_volume,
)
from monet_core.segmenting import Failure, find_scans
from monet_core.segmenting.many import Item, distinct

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Annotator:
    """Something that labels a scan in `protocol`; `name` says what, for the records.

    `label` is given the scan (its path and voxels), where events go, and the cancel token; it
    returns labels on the scan's own grid, or raises MonetError.
    """

    name: str
    protocol: Protocol
    label: Callable[[Scan, Reporter, Cancel], LabelMap]


@dataclass(frozen=True)
class Annotation:
    """A scan and the label map made for it, now or (`kept`) by an earlier call."""

    scan: Path
    labels: Path
    kept: bool


Outcome = Annotation | Failure


def annotate_scans(
    scans: Path,
    out: Path,
    annotator: Annotator,
    decisions: Decisions | None = None,
    report: Reporter = silent,
    cancel: Cancel | None = None,
) -> list[Outcome]:
    """Label the scan `scans`, or those in the folder `scans` and below, into `out`.

    `NAME_dseg.nii.gz` lies on the grid of `NAME_T1w.*`, so that `out` can be given as the labels
    folder of a training. One outcome per scan, as `annotate_items` has it.
    """
    decisions = decisions or Decisions()
    found, failures = find_scans([Path(scans)], Path(out), decisions)
    for each in failures:
        report(Message(str(each), "error"))
    made = annotate_items(distinct(found), out, annotator, decisions, report, cancel)
    return [*failures, *made]


def annotate_items(
    items: Sequence[Item],
    out: Path,
    annotator: Annotator,
    decisions: Decisions | None = None,
    report: Reporter = silent,
    cancel: Cancel | None = None,
    keep_scan: bool = False,
) -> list[Outcome]:
    """Write `<stem>_dseg.nii.gz` and a record per item, and with `keep_scan` the scan itself.

    A scan that fails is told and is a Failure; the others go on. What an earlier call made is
    kept. Raises OutputError where `out` cannot be written to, CancelledError.
    """
    cancel = cancel or Cancel()
    outcomes: list[Outcome] = []
    with locked(Path(out)):
        for done, item in enumerate(items):
            cancel.check()
            report(Progress(done, len(items), text=item.stem))
            try:
                outcomes.append(
                    _one(item, Path(out), annotator, decisions, report, cancel, keep_scan)
                )
            except (MonetError, OSError) as error:
                outcomes.append(failure(item.scan, error))
                report(Message(str(outcomes[-1]), "error"))
        report(Progress(len(items), len(items)))
    return outcomes


def on_scan_grid(labels: LabelMap, scan: Scan) -> LabelMap:
    """`labels` with the axes of `scan`, nothing interpolated; ScanError where grids differ."""
    data = onto_grid(labels.data, labels.geometry, scan.geometry)
    if data is None:
        difference = grid_difference(labels.geometry, scan.geometry)
        problem = f"the labels are not on the scan's grid: {difference}"
        raise ScanError("grids-differ", problem, remedy="Make them again.", file=labels.path)
    return LabelMap(data, scan.geometry, scan.forms, labels.path, labels.notes)


def failure(scan: Path, error: MonetError | OSError) -> Failure:
    """What went wrong with a scan, as an outcome."""
    log.info("%s: %s", scan, error)
    if isinstance(error, MonetError):
        note = error.note()
        return Failure(scan, Note(note.verdict, note.code, note.message, note.file or str(scan)))
    text = f"cannot be read or written ({error.strerror or error}). Check file and drive."
    return Failure(scan, Note(Verdict.REFUSED, "unreadable", text, str(scan)))


def _one(
    item: Item,
    out: Path,
    annotator: Annotator,
    decisions: Decisions | None,
    report: Reporter,
    cancel: Cancel,
    keep_scan: bool,
) -> Annotation:
    """The record comes first and the labels last: what has no record was made by others."""
    target = out / f"{item.stem}_dseg.nii.gz"
    copy = out / f"{item.stem}_T1w.nii.gz" if keep_scan else None
    record = {
        "scan": {"name": item.scan.name, "sha256": sha256(item.scan)},
        "annotator": annotator.name,
        "protocol": annotator.protocol.name,
    }
    record_path = out / f"{item.stem}_dseg.json"
    _refuse_others(record_path, record, target, copy)
    if record_path.exists() and target.exists():
        return Annotation(item.scan, target, kept=True)
    scan = read_scan(item.scan, decisions or Decisions())
    labels = annotator.label(scan, report, cancel)
    if not labels.data.any():
        problem = f"no region of {annotator.protocol.name} was found in it"
        raise ScanError("no-labels", problem, remedy="Look at the scan.", file=item.scan)
    write_json(record_path, record)
    if copy is not None:
        write_volume(copy, scan.data, scan)
    write_labels(target, labels.data, scan)
    return Annotation(item.scan, target, kept=False)


def _refuse_others(path: Path, record: dict[str, Any], *outputs: Path | None) -> None:
    """OutputError where labels of other making, a rater's say, would be overwritten."""
    try:
        before = read_json(path) if path.exists() else None
    except ValueError:
        before = {}
    there = [file.name for file in outputs if file is not None and file.exists()]
    if before == record or (before is None and not there):
        return
    raise OutputError(
        "other-annotation",
        f"{there[0] if there else path.name} is there already, of another scan or made otherwise",
        remedy="Choose another folder, or delete it first.",
        file=path,
    )
