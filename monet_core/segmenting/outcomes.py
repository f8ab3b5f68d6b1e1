"""What is said and kept of many scans' outcomes."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from monet_core.datasets.collecting import Failure
from monet_core.errors import Verdict
from monet_core.files import append_line
from monet_core.jobs.events import Message, Reporter
from monet_core.segmenting.record import shared_note
from monet_core.segmenting.single import SegmentResult

log = logging.getLogger(__name__)
OUTCOMES = "outcomes.jsonl"
"""In the output folder: one line of JSON per scan and run, so that failures are on record too.
Lines are only ever added, so that jobs of a cluster may share a folder."""
_NAMED = 20


def tell_failure(failure: Failure, report: Reporter) -> None:
    """Say why a scan failed; the log keeps it too."""
    log.info("%s: %s", failure.note.verdict.value, failure)
    report(Message(str(failure), "error"))


def keep_outcome(outcome: SegmentResult | Failure, out: Path, folder: str = "") -> None:
    """Add one line to `outcomes.jsonl` in `out`; `folder` is the item's. Raises OutputError."""
    failed = isinstance(outcome, Failure)
    notes = (outcome.note,) if isinstance(outcome, Failure) else outcome.notes
    doubtful = any(note.verdict is Verdict.WARNING for note in notes)
    record = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "scan": outcome.scan.name,
        **({"folder": folder} if folder else {}),
        "outcome": "failed" if failed else "warnings" if doubtful else "done",
        "notes": [shared_note(note, outcome.scan) for note in notes],
    }
    append_line(out / OUTCOMES, json.dumps(record))


def sum_up(outcomes: Sequence[SegmentResult | Failure], report: Reporter) -> None:
    """Say how many were segmented, and which to look at."""
    failed = [one.scan.name for one in outcomes if isinstance(one, Failure)]
    done = [one for one in outcomes if isinstance(one, SegmentResult)]
    doubtful = [one.stem for one in done if one.warnings]
    before = sum(one.skipped for one in done)
    parts = [f"{len(done)} of {len(outcomes)} scans segmented"]
    if before:
        parts[0] += f", {before} of them before"
    if doubtful:
        parts.append(f"with warnings: {_list(doubtful)}")
    if failed:
        parts.append(f"failed: {_list(failed)}")
    report(Message("; ".join(parts), "error" if failed else "info"))


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
