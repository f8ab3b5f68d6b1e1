"""The group level of a BIDS-App: tables and a report of what the participant level left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from monet_core.bids.dataset import require_own, title_of
from monet_core.bids.layout import find_scans
from monet_core.bids.notices import notices_about
from monet_core.bids.pictures import picture_of
from monet_core.bids.quality import (
    FAILED,
    MISSING,
    check,
    is_notable,
    quality_sidecar,
    quality_table,
)
from monet_core.bids.report import Card, Report, write_report
from monet_core.bids.results import Group, Result, by_atlas, last_outcomes, read_results
from monet_core.bids.volumes import volumes_sidecar, volumes_table
from monet_core.errors import DatasetError, MonetError
from monet_core.evaluation import write_tsv
from monet_core.files import require_writable, write_json
from monet_core.jobs.events import Cancel, Phase, Progress, Reporter, silent
from monet_core.reports import methods_paragraph
from monet_core.scans import Decisions
from monet_core.workspace.labels import record_of

NO_DECISIONS = Decisions()
MOST_PICTURES = 60
FEWEST_PICTURES = 12
"""So many are shown, where there are scans, even if nothing is unusual."""


@dataclass(frozen=True)
class GroupSummary:
    """What was written, and how many scans there are, have failed or have no result so far."""

    report: Path
    tables: tuple[Path, ...]
    scans: int
    failed: int
    missing: int
    notable: int


def summarise_group(
    dataset: Path,
    out: Path,
    *,
    participants: Sequence[str] = (),
    sessions: Sequence[str] = (),
    decisions: Decisions = NO_DECISIONS,
    most_pictures: int = MOST_PICTURES,
    report: Reporter = silent,
    cancel: Cancel | None = None,
) -> GroupSummary:
    """Write tables of volumes and quality, and a report, about the derivatives in `out`.

    Written are `group_seg-ATLAS_volumes.tsv` per atlas, `group_quality.tsv` and
    `group_report.html`, the tables with a JSON sidecar. Scans are read for pictures only, of the
    `most_pictures` that most want a look. Raises DatasetError as `find_scans`, and where there is
    no result; OutputError where `out` is another program's or cannot be written to;
    CancelledError.
    """
    cancel, dataset, out = cancel or Cancel(), Path(dataset), Path(out)
    scans = find_scans(dataset, participants, sessions)
    require_own(out, dataset)
    results = read_results(out, participants, sessions, report, cancel)
    groups = by_atlas(results, report)
    if not groups:
        raise _no_results(dataset, out)
    require_writable(out)
    report(Phase("Comparing volumes"))
    checked = [check(group) for group in groups]
    cancel.check()
    table = quality_table(scans, checked, last_outcomes(out))
    volumes = {group.atlas: volumes_table(group) for group in groups}
    tables = _write_tables(out, groups, volumes, table)
    cards = _cards(table, groups[0], dataset, decisions, most_pictures, report, cancel)
    methods = _methods(results[0])
    page = Report(
        title_of(dataset),
        table,
        checked,
        volumes,
        cards,
        notices_about(results, checked, scans),
        methods,
    )
    path = out / "group_report.html"
    write_report(page, path)
    count = table["outcome"].value_counts()
    failed, missing = int(count.get(FAILED, 0)), int(count.get(MISSING, 0))
    return GroupSummary(path, tables, len(table), failed, missing, int(is_notable(table).sum()))


def _no_results(dataset: Path, out: Path) -> DatasetError:
    return DatasetError(
        "no-results",
        "there is no result of the participant level"
        if out.is_dir()
        else "there is no such folder",
        remedy=f"Run it first: monet bids {dataset} {out} participant.",
        file=out,
    )


def _write_tables(
    out: Path, groups: Sequence[Group], volumes: dict[str, pd.DataFrame], quality: pd.DataFrame
) -> tuple[Path, ...]:
    paths = []
    for group in groups:
        path = out / f"group_seg-{group.atlas}_volumes.tsv"
        write_tsv(volumes[group.atlas], path)
        write_json(path.with_suffix(".json"), volumes_sidecar(group))
        paths.append(path)
    path = out / "group_quality.tsv"
    write_tsv(quality, path)
    write_json(path.with_suffix(".json"), quality_sidecar())
    return (*paths, path)


def _cards(
    table: pd.DataFrame,
    group: Group,
    dataset: Path,
    decisions: Decisions,
    most: int,
    report: Reporter,
    cancel: Cancel,
) -> list[Card]:
    """The scans that most want a look, with pictures."""
    results = {result.stem: result for result in group.results}
    rows = table[table["scan"].isin(list(results))]
    count = min(most, max(int(is_notable(rows).sum()), FEWEST_PICTURES))
    chosen = rows.head(count).astype(object).where(rows.notna(), None).to_dict("records")
    report(Phase("Drawing"))
    cards = []
    for number, row in enumerate(chosen, start=1):
        cancel.check()
        picture, why = picture_of(results[row["scan"]], group.protocol, dataset, decisions)
        cards.append(Card({str(key): value for key, value in row.items()}, picture, why))
        report(Progress(number, len(chosen)))
    return cards


def _methods(result: Result) -> str:
    try:
        return methods_paragraph(record_of(result.labels))
    except (MonetError, KeyError, TypeError, AttributeError):
        return ""  # a record of an older version: the report does without
