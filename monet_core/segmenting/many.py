"""Many scans: those that fail are told and the others go on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from monet_core.datasets.collecting import Failure, failure_of, find_scans
from monet_core.errors import MonetError
from monet_core.files import require_writable
from monet_core.jobs.events import Cancel, Phase, Reporter, silent
from monet_core.models import Model
from monet_core.scans import Decisions
from monet_core.segmenting.devices import resolve_device
from monet_core.segmenting.outcomes import keep_outcome, sum_up, tell_failure
from monet_core.segmenting.outputs import stem_of
from monet_core.segmenting.settings import SegmentSettings
from monet_core.segmenting.single import DEFAULTS, NO_DECISIONS, SegmentResult, segment


@dataclass(frozen=True)
class Item:
    """One scan to segment; `stem` begins its files' names. `decisions` are the user's answers
    about this scan, None: those about all. `folder`, below the output folder, is where its files
    go, such as "sub-01/anat"; `source` is the scan's BIDS URI."""

    scan: Path
    stem: str
    decisions: Decisions | None = None
    folder: str = ""
    source: str = ""


Started = Callable[[Item, int, int], None]
"""Called with an item, its number (from 1) and how many there are."""
Finished = Callable[[Item, SegmentResult | Failure], None]


def segment_many(
    paths: Sequence[Path],
    model: Model,
    out: Path,
    settings: SegmentSettings = DEFAULTS,
    decisions: Decisions = NO_DECISIONS,
    report: Reporter = silent,
    cancel: Cancel | None = None,
) -> list[SegmentResult | Failure]:
    """Segment scans, and the scans in folders, into `out`: one outcome per scan, in order.

    A scan that is refused, needs a decision or does not fit the memory is a Failure; the others
    go on. Every outcome is added to `outcomes.jsonl` in `out`. Raises, before any work, OutputError
    where `out` cannot be written and MonetError where there is no such device; CancelledError.
    """
    out = require_writable(Path(out))
    resolve_device(settings.device)
    items, failures = find_items(paths, out, decisions, report)

    def started(item: Item, number: int, total: int) -> None:
        if total > 1:
            report(Phase(f"Scan {number} of {total}: {item.stem}"))

    done = segment_items(items, model, out, settings, decisions, report, cancel, started=started)
    outcomes = [*failures, *done]
    sum_up(outcomes, report)
    return outcomes


def segment_items(
    items: Sequence[Item],
    model: Model,
    out: Path,
    settings: SegmentSettings = DEFAULTS,
    decisions: Decisions = NO_DECISIONS,
    report: Reporter = silent,
    cancel: Cancel | None = None,
    *,
    started: Started = lambda *_: None,
    finished: Finished = lambda *_: None,
) -> list[SegmentResult | Failure]:
    """Segment `items` as `segment_many`; calls `started` and `finished` for each.

    What cannot be segmented is told through `report` and kept in `outcomes.jsonl` too.
    """
    out = require_writable(Path(out))
    resolve_device(settings.device)
    cancel = cancel or Cancel()
    outcomes = []
    for number, item in enumerate(items, start=1):
        cancel.check()
        started(item, number, len(items))
        decided = decisions if item.decisions is None else item.decisions
        outcome = _one(item, model, out / item.folder, settings, decided, report, cancel)
        outcomes.append(outcome)
        keep_outcome(outcome, out, item.folder)
        finished(item, outcome)
    return outcomes


def find_items(
    paths: Sequence[Path], out: Path, decisions: Decisions, report: Reporter
) -> tuple[list[Item], list[Failure]]:
    """The scans of `paths` and of the folders among them, and what has none, told and kept."""
    scans, failures = find_scans(paths, out, decisions)
    for failure in failures:
        tell_failure(failure, report)
        keep_outcome(failure, out)
    return distinct(scans), failures


def distinct(scans: Sequence[Path]) -> list[Item]:
    """Scans with names for their results: those of equal names get folder names in front.

    As many folders as tell them apart: a/mri/T1.mgz and b/mri/T1.mgz become a_mri_T1, b_mri_T1.
    """
    groups = defaultdict(list)
    for scan in scans:
        # Results of "A" and "a" would be one file on many disks.
        groups[stem_of(scan).casefold()].append(scan)
    stems = {}
    for group in groups.values():
        depth = 0
        while len({_stem(scan, depth).casefold() for scan in group}) < len(group):
            depth += 1
            if depth > max(len(scan.absolute().parts) for scan in group):
                break
        stems.update({scan: _stem(scan, depth) for scan in group})
    return _numbered([Item(scan, stems[scan]) for scan in scans])


def _numbered(items: list[Item]) -> list[Item]:
    taken: set[str] = set()
    numbered = []
    for item in items:
        stem, number = item.stem, 1
        while stem.casefold() in taken:
            number += 1
            stem = f"{item.stem}_copy-{number}"
        taken.add(stem.casefold())
        numbered.append(Item(item.scan, stem))
    return numbered


def _stem(scan: Path, depth: int) -> str:
    folders = scan.absolute().parent.parts[1:]
    return "_".join([*folders[max(0, len(folders) - depth) :], stem_of(scan)])


def _one(
    item: Item,
    model: Model,
    out: Path,
    settings: SegmentSettings,
    decisions: Decisions,
    report: Reporter,
    cancel: Cancel,
) -> SegmentResult | Failure:
    try:
        return segment(
            item.scan,
            model,
            out,
            settings,
            decisions,
            report,
            cancel,
            stem=item.stem,
            source=item.source,
        )
    except (MonetError, OSError, MemoryError) as error:
        failure = failure_of(item.scan, error)
        tell_failure(failure, report)
        return failure
