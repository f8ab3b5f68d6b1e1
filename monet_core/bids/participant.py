"""The participant level of a BIDS-App: every T1 scan of a data set segmented."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from monet_core.bids.dataset import prepare_derivatives
from monet_core.bids.layout import find_scans, subject_folders, with_prefix
from monet_core.cohort import Scheduler, segment_cohort
from monet_core.jobs.events import Cancel, Message, Reporter, silent
from monet_core.models import read_manifest
from monet_core.scans import Decisions
from monet_core.segmenting import Failure, SegmentResult, SegmentSettings
from monet_core.segmenting.many import Item
from monet_core.segmenting.outcomes import sum_up

LOCAL = Scheduler()
NO_DECISIONS = Decisions()
DEFAULTS = SegmentSettings()


def segment_participants(
    dataset: Path,
    out: Path,
    model: Path,
    *,
    participants: Sequence[str] = (),
    sessions: Sequence[str] = (),
    settings: SegmentSettings = DEFAULTS,
    decisions: Decisions = NO_DECISIONS,
    scheduler: Scheduler = LOCAL,
    report: Reporter = silent,
    cancel: Cancel | None = None,
) -> list[SegmentResult | Failure]:
    """Segment the T1 scans of a BIDS data set into derivatives in `out`: an outcome per scan.

    Of the chosen `participants` and `sessions` only, if any (labels with or without "sub-" and
    "ses-"). Scans finished before are left as they are, those that fail are told and on record.
    Raises DatasetError as `find_scans`, OutputError as `prepare_derivatives`, ModelError, what
    `segment_cohort` does before any work, CancelledError.
    """
    scans = find_scans(dataset, participants, sessions)
    prepare_derivatives(out, dataset, read_manifest(model), settings)
    _tell_without_scan(dataset, participants, {scan.subject for scan in scans}, report)
    items = [Item(scan.path, scan.stem, folder=scan.folder, source=scan.uri) for scan in scans]
    outcomes = segment_cohort(items, model, out, settings, decisions, scheduler, report, cancel)
    sum_up(outcomes, report)
    return outcomes


def _tell_without_scan(
    dataset: Path, participants: Sequence[str], with_scan: set[str], report: Reporter
) -> None:
    """Tell who has no T1 scan, which would otherwise go unnoticed."""
    chosen = [with_prefix(label, "sub-") for label in participants]
    names = chosen or [folder.name for folder in subject_folders(dataset)]
    without = [name for name in dict.fromkeys(names) if name not in with_scan]
    if without:
        more = f" and {len(without) - 8} more" if len(without) > 8 else ""
        text = f"no T1 scan in the chosen sessions: {', '.join(without[:8])}{more}"
        report(Message(text, "warning"))
