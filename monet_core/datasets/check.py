"""The integrity report before every training: what is wrong with which scan, and what is left."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from monet_core.datasets.annotations import (
    Missing,
    check_missing,
    check_sides,
    check_unknown,
)
from monet_core.datasets.dataset import Dataset
from monet_core.datasets.duplicates import find_duplicates
from monet_core.datasets.extent import check_extent
from monet_core.datasets.findings import CheckReport, Finding
from monet_core.datasets.outcome import Outcome
from monet_core.datasets.outliers import find_outliers
from monet_core.datasets.survey import Annotated, Surveyed, survey
from monet_core.jobs.events import Cancel, Progress, Reporter, silent
from monet_core.jobs.sharing import Each, one_by_one
from monet_core.protocols import Protocol, Unknown
from monet_core.scans import Decisions

_log = logging.getLogger(__name__)


def check_dataset(
    dataset: Dataset,
    protocol: Protocol,
    *,
    unknown: Unknown = "ask",
    missing: Missing = "ask",
    automatic: bool = True,
    decisions: Decisions | None = None,
    report: Reporter = silent,
    cancel: Cancel | None = None,
    deep: bool = True,
    each: Each = one_by_one,
) -> CheckReport:
    """Check every scan and label map of `dataset` for a training with `protocol`.

    `unknown`: values outside the protocol are asked about, read as background, or refused.
    `missing`: regions that other scans have are asked about, trained as absent, or counted as not
    annotated (`excluded_regions`). `automatic`: the labels may be a program's, so what lies far
    off the group is left out; else it is only warned of. `deep`: read the scans' voxels, not only
    their headers. `each` reads them, and may share that among processes. One bad scan never stops
    the others; CancelledError is the only error raised.
    """
    surveyed = _survey_all(dataset, decisions or Decisions(), deep, report, cancel, each)
    outcome = Outcome(findings=[Finding.of_note(note, "") for note in protocol.notes])
    outcome.findings.extend(finding for one in surveyed for finding in one.findings)
    group = [one.annotated for one in surveyed if one.annotated is not None]
    checks: tuple[Callable[[list[Annotated]], Outcome], ...] = (
        lambda rest: check_unknown(rest, protocol, unknown),
        lambda rest: check_missing(rest, protocol, missing),
        lambda rest: check_sides(rest, protocol),
        lambda rest: find_outliers(rest, protocol, automatic),
    )
    for check in checks:
        outcome.add(check(group))
        group = [member for member in group if member.subject.name not in outcome.left_out]
    outcome.findings.extend(find_duplicates(surveyed))
    outcome.findings.extend(check_extent(dataset, protocol, group))
    result = _report(dataset, protocol, outcome, group)
    _log.info("checked %s: %s", dataset.root.name, result.summary())
    return result


def _survey_all(
    dataset: Dataset,
    decisions: Decisions,
    deep: bool,
    report: Reporter,
    cancel: Cancel | None,
    each: Each,
) -> list[Surveyed]:
    def read(number: int) -> Surveyed:
        if cancel is not None:
            cancel.check()
        subject = dataset.subjects[number]
        report(Progress(number, len(dataset.subjects), text=subject.name))
        return survey(subject, decisions, deep)

    surveyed = each(read, range(len(dataset.subjects)))
    report(Progress(len(dataset.subjects), len(dataset.subjects)))
    return surveyed


def _report(
    dataset: Dataset, protocol: Protocol, outcome: Outcome, group: Sequence[Annotated]
) -> CheckReport:
    usable = {member.subject.name for member in group}
    return CheckReport(
        dataset,
        protocol.name,
        tuple(outcome.findings),
        frozenset(s.name for s in dataset.subjects if s.name not in usable),
        {n: tuple(sorted(r)) for n, r in outcome.excluded.items() if n in usable and r},
    )
