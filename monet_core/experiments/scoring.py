"""Scoring the segmentations of methods and tools in the protocols of an experiment's tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from monet_core.datasets import Subject, find_dataset
from monet_core.errors import MonetError, ProtocolError
from monet_core.evaluation import (
    Evaluation,
    Summary,
    evaluate_pair,
    read_tsv,
    region_set,
    summarise,
    write_tsv,
)
from monet_core.evaluation.folders import summary_record
from monet_core.evaluation.summary import per_scan_table, regions_table
from monet_core.experiments.definitions import ResultTable, Tool
from monet_core.files import write_json
from monet_core.jobs import Cancel, Message, Phase, Progress, Reporter
from monet_core.protocols import Protocol, ProtocolMapping, find_mapping, load_protocol
from monet_core.protocols.mapping import Variant
from monet_core.scans import Decisions, LabelMap, onto_grid, read_labels

PER_REGION, SUMMARY = "per_region.tsv", "summary.json"
LEAST_COVERED = 0.8
"""A tool that knows fewer than this share of a table's regions has no row in it."""


@dataclass(frozen=True)
class Segmentations:
    """What one method or tool made of the evaluation scans.

    `files` gives label maps by protocol name and scan; where a table's protocol is not among
    them, those in `main` are mapped to it. `failed` says why a scan has none. `recipe` is None
    for a tool. Scores go below `folder`.
    """

    name: str
    recipe: str | None
    folder: Path
    main: Protocol
    files: Mapping[str, Mapping[str, Path]]
    failed: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The name with the recipe it was trained by."""
        return f"{self.name}, recipe {self.recipe}" if self.recipe else self.name

    def source(self, target: Protocol) -> Protocol:
        """The protocol whose files serve for a table in `target`."""
        return target if target.name in self.files else self.main

    def labels(
        self, scan: str, target: Protocol, variant: Variant, decisions: Decisions
    ) -> LabelMap:
        """The label map of a scan in `target`; MonetError where it cannot be read."""
        source = self.source(target)
        labels = read_labels(self.files[source.name][scan], decisions)
        return mapped(labels, find_mapping(source, target, variant))


@dataclass(frozen=True)
class Scored:
    """The rows of one table of one method: per scan and region, as `evaluate_pair` makes them.

    `failed` says by scan why it has no score; `covered` of the table's `regions` could be scored.
    """

    by: Segmentations
    rows: pd.DataFrame
    failed: Mapping[str, str]
    covered: int
    regions: int

    @property
    def dice(self) -> Summary:
        """Mean ± std over the scans, as the paper prints it."""
        return summarise(self.rows)


@dataclass(frozen=True)
class Scoring:
    """What is the same for every method: the scans with their manual labels and how to read."""

    subjects: Sequence[Subject]
    full: Protocol
    variant: Variant
    decisions: Decisions
    distances: bool

    def truth(self, subject: Subject, target: Protocol) -> LabelMap:
        """The manual labels of a scan in `target`."""
        if subject.labels is None:
            raise ValueError(f"{subject.name} is not annotated")
        labels = read_labels(subject.labels, self.decisions)
        return mapped(labels, find_mapping(self.full, target, self.variant))


def mapped(labels: LabelMap, mapping: ProtocolMapping) -> LabelMap:
    """The label map in the mapping's target; values of no region become background."""
    return replace(labels, data=mapping.apply(labels.data, unknown="background"))


def tool_segmentations(tool: Tool, evaluation: Path, out: Path) -> Segmentations:
    """The label maps of a tool for the scans in the table `evaluation`, matched by name.

    Raises MonetError where there is none, or several of one scan.
    """
    protocol = load_protocol(tool.protocol)
    subjects = find_dataset(evaluation, protocol.name, tool.folder).subjects
    files = {subject.name: subject.labels for subject in subjects if subject.labels}
    missing = {s.name: "no segmentation of it was found" for s in subjects if not s.labels}
    if not files:
        raise MonetError(
            "nothing-matched",
            f"holds no segmentation by {tool.name} of the {len(subjects)} evaluation scans",
            remedy="Files are matched by name: sub-X_dseg.nii.gz for sub-X_T1w.nii.gz.",
            file=tool.folder,
        )
    return Segmentations(
        tool.name, None, out / "tools" / tool.name, protocol, {protocol.name: files}, missing
    )


def score(
    by: Segmentations, table: ResultTable, scoring: Scoring, report: Reporter, cancel: Cancel
) -> Scored | None:
    """Score one method in one table; None for a tool that knows too few of its regions.

    A trained method's scores are kept and read again where all its scans were scored before.
    A scan that has no segmentation, or an unusable one, is `failed` and told. Raises the
    MonetError of the first scan where none could be scored.
    """
    target = load_protocol(table.protocol)
    wanted = region_set(target, table.regions)
    indices = _covered(by, target, wanted, scoring.variant)
    if len(indices) < LEAST_COVERED * len(wanted):
        text = f"{by.name} knows {len(indices)} of {len(wanted)} regions: not in {table.key}"
        report(Message(text, "warning"))
        return None
    folder = by.folder / table.key
    failed = dict(by.failed)
    names = [s.name for s in scoring.subjects if s.name not in failed]
    kept = _kept(folder, names) if by.recipe else None
    if kept is None:
        report(Phase(f"Scoring {by.title}: {table.title}"))
        rows = _rows(by, target, indices, scoring, failed, report, cancel)
        _write(rows, target, table.regions, folder, failed)
    # Read back, so that a figure does not depend on whether it was measured just now.
    return Scored(by, read_tsv(folder / PER_REGION), failed, len(indices), len(wanted))


def _covered(
    by: Segmentations, target: Protocol, wanted: Sequence[int], variant: Variant
) -> list[int]:
    try:
        covered = set(find_mapping(by.source(target), target, variant).covered)
    except ProtocolError:  # the tables know no way from one to the other
        return []
    return [index for index in wanted if index in covered]


def _kept(folder: Path, names: Sequence[str]) -> pd.DataFrame | None:
    """Scores of an earlier call, where they are complete and of these scans."""
    if not (folder / SUMMARY).exists():
        return None
    rows = read_tsv(folder / PER_REGION)
    return rows if set(rows["scan"]) == set(names) else None


def _rows(
    by: Segmentations,
    target: Protocol,
    indices: Sequence[int],
    scoring: Scoring,
    failed: dict[str, str],
    report: Reporter,
    cancel: Cancel,
) -> pd.DataFrame:
    tables: list[pd.DataFrame] = []
    errors: list[MonetError] = []
    subjects = [s for s in scoring.subjects if s.name not in failed]
    for done, subject in enumerate(subjects):
        cancel.check()
        report(Progress(done, len(subjects), text=subject.name))
        try:
            truth = scoring.truth(subject, target)
            pred = by.labels(subject.name, target, scoring.variant, scoring.decisions)
            pred = _on_grid(pred, truth) if by.recipe is None else pred
            rows = evaluate_pair(pred, truth, target, indices, scoring.distances)
        except MonetError as error:
            report(Message(str(error), "error"))
            failed[subject.name] = error.problem
            errors.append(error)
            continue
        rows.insert(0, "scan", subject.name)
        tables.append(rows)
    if not tables:
        raise errors[0] if errors else _nothing(by)
    return pd.concat(tables, ignore_index=True)


def _on_grid(pred: LabelMap, truth: LabelMap) -> LabelMap:
    """A tool's label map on the scan's grid: many tools answer on a grid of their own."""
    if onto_grid(pred.data, pred.geometry, truth.geometry) is not None:
        return pred
    from monet_core.preprocessing import resample

    data = resample(pred.data, pred.geometry, truth.geometry, mode="label")
    return replace(pred, data=data.astype(np.int32), geometry=truth.geometry)


def _write(
    rows: pd.DataFrame, target: Protocol, regions: str, folder: Path, failed: Mapping[str, str]
) -> None:
    notes = tuple(MonetError("failed", why, file=scan).note() for scan, why in failed.items())
    evaluation = Evaluation(rows, per_scan_table(rows), regions_table(rows), summarise(rows), notes)
    (folder / SUMMARY).unlink(missing_ok=True)
    write_tsv(rows, folder / PER_REGION)
    write_tsv(evaluation.per_scan, folder / "per_scan.tsv")
    write_tsv(evaluation.regions, folder / "regions.tsv")
    # The last, so that its presence tells that the others are there.
    write_json(folder / SUMMARY, summary_record(evaluation, target, regions))


def _nothing(by: Segmentations) -> MonetError:
    scan, why = next(iter(by.failed.items()))
    return MonetError(
        "nothing-scored",
        f"{by.title} has no segmentation of any scan; {scan}: {why}",
        remedy="Mend that and run the same command again; what is finished is kept.",
    )
