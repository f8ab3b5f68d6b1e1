"""Segmenting a row of scans, as a job: each is told when it is finished."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from monet_core.cohort import segment_cohort
from monet_core.errors import MonetError, Verdict
from monet_core.files import require_writable
from monet_core.jobs.control import Control
from monet_core.jobs.events import Phase, Reporter, Result
from monet_core.models import Model, load_model, resolve_model, shipped_model
from monet_core.scans import Decisions
from monet_core.segmenting import DecoderFiles, Failure, SegmentResult, find_scans
from monet_core.segmenting.finished import finished_files
from monet_core.segmenting.many import Item, distinct, segment_items
from monet_core.segmenting.pictures import draw_result
from monet_core.worker.reporting import PerItem
from monet_core.worker.requests import SegmentRequest
from monet_core.worker.threads import use_threads


def segment_scans(request: SegmentRequest, report: Reporter, control: Control) -> dict[str, Any]:
    """Segment the scans; see `SegmentRequest`."""
    report(Phase("Loading the model"))
    use_threads(request.threads)
    out = require_writable(request.out)
    path = resolve_model(request.model) if request.model else shipped_model()
    model = load_model(path)
    items, failures = _items(request)
    row = _Row(report, model, len(items) + len(failures), request.picture)
    for failure in failures:
        row.failed(failure)
    if request.scheduler is not None:
        segment_cohort(
            items, path, out, request.settings, request.decisions, request.scheduler, report,
            control, finished=row.finished,
        )  # fmt: skip
    else:
        left = [item for item in items if not (request.resume and row.skip(item, out, request))]
        per_item = PerItem(report)
        segment_items(
            left, model, out, request.settings, request.decisions, per_item, control,
            started=_naming(per_item), finished=row.finished,
        )  # fmt: skip
    row.require_one()
    return {"files": row.records, "failed": row.failures, "out": str(out)}


def _items(request: SegmentRequest) -> tuple[list[Item], list[Failure]]:
    """The scans, with those in folders, each once; with the names of their results."""
    answers: dict[Path, Any] = {}
    failures: list[Failure] = []
    stems: dict[Path, str] = {}
    for wanted in request.scans:
        decisions = wanted.decisions or request.decisions
        found, missing = find_scans([wanted.path], request.out, decisions)
        failures += missing
        for scan in found:
            answers.setdefault(scan, decisions)
            if wanted.stem and len(found) == 1:
                stems.setdefault(scan, wanted.stem)
    items = [
        replace(item, decisions=answers[item.scan], stem=stems.get(item.scan, item.stem))
        for item in distinct(list(answers))
    ]
    return items, failures


def _naming(report: PerItem) -> Callable[[Item, int, int], None]:
    def started(item: Item, number: int, total: int) -> None:
        report.item = f"Scan {number} of {total}: {item.stem}" if total > 1 else item.stem

    return started


class _Row:
    """Tells of each scan when it is finished, and remembers all of them."""

    def __init__(self, report: Reporter, model: Model, total: int, picture: bool) -> None:
        self._report, self._model, self._total = report, model, total
        self._picture = picture
        self._number = 0
        self.records: list[str] = []
        self.failures: list[dict[str, str]] = []

    def finished(self, item: Item, outcome: SegmentResult | Failure) -> None:
        """Tell of one that was done, or failed."""
        if isinstance(outcome, Failure):
            self.failed(outcome)
            return
        warnings = [str(note) for note in outcome.warnings]
        if self._picture:
            warnings += self._draw(item, outcome)
        self._done(item, outcome.files, warnings, round(outcome.seconds, 1), outcome.skipped)

    def _draw(self, item: Item, result: SegmentResult) -> list[str]:
        """Draw the picture; what kept it from being drawn."""
        try:
            draw_result(result, self._model, item.decisions or Decisions())
        except MonetError as error:
            return [f"there is no picture: {error}"]
        return []

    def failed(self, failure: Failure) -> None:
        """Tell of one that failed."""
        note = failure.note
        self.failures.append({"scan": str(failure.scan), "error": str(failure)})
        asks = note.verdict is Verdict.ASK
        values = {"error": str(failure), "code": note.code, "asks": asks}
        self._tell(failure.scan, values)

    def require_one(self) -> None:
        """Raise the first failure where every scan failed."""
        if self.records or not self.failures:
            return
        more = len(self.failures) - 1
        others = f" ({more} more scan{'s' * (more > 1)} failed too.)" if more else ""
        raise MonetError("all-failed", self.failures[0]["error"], remedy=others.strip())

    def skip(self, item: Item, out: Path, request: SegmentRequest) -> bool:
        """Whether a scan was finished by an earlier attempt; then that is told."""
        files = finished_files(item.scan, item.stem, self._model, out, request.settings)
        if files is None:
            return False
        self._done(item, files, [], 0.0, skipped=True)
        return True

    def _done(
        self,
        item: Item,
        files: Mapping[str, DecoderFiles],
        warnings: list[str],
        seconds: float,
        skipped: bool = False,
    ) -> None:
        self.records += [str(each.record) for each in files.values()]
        values = {
            "stem": item.stem,
            "files": {decoder: _paths(each) for decoder, each in files.items()},
            "protocols": {name: p.name for name, p in self._model.protocols.items()},
            "warnings": warnings,
            "seconds": seconds,
            "skipped": skipped,
        }
        self._tell(item.scan, values)

    def _tell(self, scan: Path, values: dict[str, Any]) -> None:
        self._number += 1
        place = {"scan": str(scan), "number": self._number, "total": self._total}
        self._report(Result("scan", {**place, **values}))


def _paths(files: DecoderFiles) -> dict[str, str | None]:
    return {name: None if path is None else str(path) for name, path in asdict(files).items()}
