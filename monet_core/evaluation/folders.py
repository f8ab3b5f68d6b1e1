"""Scoring folders of segmentations against folders of truth, with tables and a figure."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from monet_core.errors import DatasetError, MonetError, Note, Verdict
from monet_core.evaluation.evaluate import evaluate_pair, unknown_labels
from monet_core.evaluation.figures import box_plot, groups_of
from monet_core.evaluation.matching import Pair, match_files
from monet_core.evaluation.summary import (
    Summary,
    per_scan_table,
    regions_table,
    summarise,
    summarise_regions,
)
from monet_core.evaluation.tables import write_tsv
from monet_core.files import require_writable, write_json
from monet_core.jobs.events import Cancel, Message, Phase, Progress, Reporter, silent
from monet_core.protocols import Protocol
from monet_core.scans import Decisions, read_labels

NO_DECISIONS = Decisions()
DEFINITIONS = {
    "dice": "2|P&T|/(|P|+|T|); regions absent in both are left out of a scan's mean",
    "hd95_mm": "larger of the two directed 95th percentiles between surface voxels (6-connected); "
    "regions absent in one of the two have none and are counted as missed or added",
    "assd_mm": "mean of both directed surface distances, pooled",
    "volume_error_percent": "100 (segmentation - truth) / truth",
    "mean, std": "over scans, of each scan's mean over its regions; std of the sample (ddof = 1)",
}


@dataclass(frozen=True)
class Evaluation:
    """The outcome over several scans.

    `per_region` has a row per scan and region (column scan, then those of `evaluate_pair`),
    `per_scan` and `regions` are its means; `summary` is the paper's mean ± std of Dice.
    `notes` tell which scans were left out or deserve a look.
    """

    per_region: pd.DataFrame
    per_scan: pd.DataFrame
    regions: pd.DataFrame
    summary: Summary
    notes: tuple[Note, ...] = ()
    files: dict[str, Path] = field(default_factory=dict)


def region_set(protocol: Protocol, regions: str = "evaluated") -> tuple[int, ...]:
    """Indices of a subset; "evaluated" means all regions where a protocol has no such subset.

    Raises ProtocolError where there is no set of that name.
    """
    if regions == "evaluated" and regions not in protocol.subsets:
        return protocol.indices
    return protocol.subset(regions)


def evaluate_folders(
    pred: Path,
    truth: Path,
    protocol: Protocol,
    regions: str = "evaluated",
    out: Path | None = None,
    report: Reporter = silent,
    cancel: Cancel | None = None,
    distances: bool = True,
    decisions: Decisions = NO_DECISIONS,
) -> Evaluation:
    """Score every segmentation under `pred` that has a truth of the same name under `truth`.

    Both may be folders or single files; see `match_files` for the names, `region_set` for
    `regions`. `decisions` answer what only the user can know about a file's orientation. A scan
    that cannot be scored is told in the notes and the others go on; DatasetError where none can.
    With `out`, writes per_region.tsv, per_scan.tsv, regions.tsv, summary.json and dice.png there.
    """
    indices = region_set(protocol, regions)
    if out is not None:
        require_writable(out)
    pairs, unmatched = match_files(Path(pred), Path(truth), protocol.name)
    notes = [*protocol.notes, *unmatched]
    for note in notes:
        report(Message(str(note), level="warning"))
    job = _Job(protocol, indices, distances, decisions)
    table = _score_all(pairs, job, notes, report, cancel or Cancel())
    evaluation = Evaluation(
        per_region=table,
        per_scan=per_scan_table(table),
        regions=regions_table(table),
        summary=summarise(table),
        notes=tuple(notes),
    )
    if out is not None:
        evaluation.files.update(write_evaluation(evaluation, protocol, regions, out))
    return evaluation


def write_evaluation(
    evaluation: Evaluation, protocol: Protocol, regions: str, out: Path
) -> dict[str, Path]:
    """Write the tables, summary.json and dice.png under `out`; returns them by name."""
    files = {
        name: out / name
        for name in ("per_region.tsv", "per_scan.tsv", "regions.tsv", "summary.json", "dice.png")
    }
    write_tsv(evaluation.per_region, files["per_region.tsv"])
    write_tsv(evaluation.per_scan, files["per_scan.tsv"])
    write_tsv(evaluation.regions, files["regions.tsv"])
    write_json(files["summary.json"], summary_record(evaluation, protocol, regions))
    scored = tuple(int(i) for i in evaluation.regions["index"])
    title = f"Dice over {evaluation.summary.n} scans: {evaluation.summary.paper()}"
    box_plot(evaluation.per_region, files["dice.png"], groups_of(protocol, scored), title)
    return files


def summary_record(evaluation: Evaluation, protocol: Protocol, regions: str) -> dict[str, Any]:
    """What summary.json holds; file names only, no paths."""
    table = evaluation.per_region
    return {
        "dice": summarise(table).as_dict(),
        "dice_over_regions": summarise_regions(table).as_dict(),
        "hd95_mm": summarise(table, "hd95_mm").as_dict(),
        "assd_mm": summarise(table, "assd_mm").as_dict(),
        "volume_error_percent": summarise(table, "volume_error_percent").as_dict(),
        "scans": list(evaluation.per_scan["scan"]),
        "missed": int(evaluation.per_scan["missed"].sum()),
        "added": int(evaluation.per_scan["added"].sum()),
        "regions": {"set": regions, "n": len(evaluation.regions)},
        "protocol": {"name": protocol.name, "fingerprint": protocol.fingerprint},
        "definitions": DEFINITIONS,
        "notes": [note.as_dict() for note in evaluation.notes],
        "versions": {
            "monet-studio": version("monet-studio"),
            "numpy": version("numpy"),
            "scipy": version("scipy"),
            "python": platform.python_version(),
        },
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


@dataclass(frozen=True)
class _Job:
    """What is the same for every pair."""

    protocol: Protocol
    indices: Sequence[int]
    distances: bool
    decisions: Decisions


def _score_all(
    pairs: Sequence[Pair], job: _Job, notes: list[Note], report: Reporter, cancel: Cancel
) -> pd.DataFrame:
    """The rows of all pairs that can be scored; the others' verdicts are added to `notes`."""
    report(Phase("Comparing with the truth"))
    tables: list[pd.DataFrame] = []
    errors: list[MonetError] = []
    for done, pair in enumerate(pairs):
        cancel.check()
        report(Progress(done, len(pairs), text=pair.name))
        new: list[Note] = []
        try:
            tables.append(_score_pair(pair, job, new))
        except MonetError as error:
            if len(pairs) == 1:
                raise
            errors.append(error)
            new.append(error.note())
        for note in new:
            report(Message(str(note), level="warning"))
        notes.extend(new)
    report(Progress(len(pairs), len(pairs)))
    if not tables:
        raise _none_scored(errors)
    return pd.concat(tables, ignore_index=True)


def _score_pair(pair: Pair, job: _Job, notes: list[Note]) -> pd.DataFrame:
    """The rows of one pair; what deserves a look is added to `notes`, even if scoring fails."""
    pred, truth = (read_labels(path, job.decisions) for path in (pair.pred, pair.truth))
    notes += [*pred.notes, *truth.notes]
    notes += [*unknown_labels(pred, job.protocol), *unknown_labels(truth, job.protocol)]
    table = evaluate_pair(pred, truth, job.protocol, job.indices, job.distances)
    if not (table["volume_truth_ml"] > 0).any():
        raise DatasetError(
            "no-region",
            f"none of the {len(job.indices)} regions of {job.protocol.name} to be scored occurs",
            remedy="Choose the protocol these labels are in, or convert them first.",
            file=pair.truth,
        )
    if not (table["volume_pred_ml"] > 0).any():
        text = "none of the regions to be scored occurs; Dice is 0 for all"
        notes.append(Note(Verdict.WARNING, "no-region", text, str(pair.pred)))
    table.insert(0, "scan", pair.name)
    return table


def _none_scored(errors: Sequence[MonetError]) -> MonetError:
    return DatasetError(
        "nothing-scored",
        f"none of the {len(errors)} scans could be scored; the first: {errors[0].problem}",
        remedy=errors[0].remedy,
        file=errors[0].file or None,
    )
