"""The report of an experiment: one Markdown page with tables, tests, regions and figures."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from monet_core.datasets import Split, Subject
from monet_core.experiments.definitions import PRETRAINING
from monet_core.experiments.request import ExperimentRequest
from monet_core.experiments.running import run_folder
from monet_core.experiments.tables import TableResult
from monet_core.files import write_text
from monet_core.training import TrainingSettings, read_metrics
from monet_core.training.config import resume

REPORT = "report.md"

_VALIDATION = (
    "The data hold no annotated test scans: the validation scans, on which the best epoch of every "
    "training was chosen as well, are scored. These figures are therefore a little too good, for "
    "all methods alike."
)
_READING = """\
Dice and HD95 are the mean ± sample standard deviation over scans of each scan's mean over the \
regions; a region absent in both label maps is left out. HD95 has no value where a region is \
absent in one of them. Failed scans have no share in the means and are counted beside them. The \
paper's figures stem from its own split and training and are no part of any test here.

In the comparisons a - b, "per scan and region" takes every region of every scan as a pair; since \
regions of one scan are not independent, its interval is too narrow and its p too small. "Per \
scan" takes one pair per scan, its mean over the regions, which is sound but has little power: \
with n scans no p can be below 2^(1-n). p is Wilcoxon's signed-rank test, two-sided, after Holm's \
correction over the pairs of the table; intervals are 95 %, from 2000 bootstrap samples."""


@dataclass(frozen=True)
class Findings:
    """What the report tells: the scans it was measured on, the tables, the figures by caption."""

    split: Split
    subjects: Sequence[Subject]
    tables: Sequence[TableResult]
    figures: Mapping[str, Path]


def write_report(request: ExperimentRequest, findings: Findings) -> Path:
    """Write report.md into the experiment's folder and return its path; OutputError."""
    path = request.out / REPORT
    write_text(path, "\n\n".join(_sections(request, findings)) + "\n")
    return path


def _sections(request: ExperimentRequest, findings: Findings) -> Iterator[str]:
    experiment, n = request.experiment, len(findings.subjects)
    yield f"# {experiment.title}: U-Net (FS), U-Net (FT) and MO-Net"
    yield (
        f"Scored on {n} {findings.split} scan{'s' * (n != 1)}: "
        f"{', '.join(subject.name for subject in findings.subjects)}."
    )
    if findings.split == "validation":
        yield _VALIDATION
    yield from _training(request)
    for result in findings.tables:
        yield from _table(result)
    yield "## Figures"
    for caption, path in findings.figures.items():
        yield f"{caption}:\n\n![{caption}]({path.relative_to(request.out).as_posix()})"
    yield "## How to read this"
    yield _READING


def _training(request: ExperimentRequest) -> Iterator[str]:
    rows = []
    for recipe in request.stages:
        runs = {PRETRAINING: "pre-training"} if any(m.pretrained for m in request.plan) else {}
        runs |= {method.key: method.name for method in request.plan}
        rows += [_run(run_folder(request.out, recipe, key), recipe, runs[key]) for key in runs]
    yield "## Trainings"
    yield markdown(pd.DataFrame(rows))
    yield (
        "All methods of a recipe: the same scans, epochs, patches per scan and seed. Scans are "
        "segmented with tiles that overlap by half; recipe best averages with the mirrored scan."
    )
    if request.partial is None:
        yield (
            "Stage 1 saw partial labels extracted from the full ones of the same training scans: "
            "what pre-training brings here is not what many further scans would bring."
        )
    stage2 = {
        (row["recipe"], row["patch"], row["batch"]) for row in rows if row["run"] != "pre-training"
    }
    if len(stage2) > len(request.stages):
        yield (
            "**Not the same budget:** patch or batch of some methods were made smaller to fit the "
            "memory."
        )


def _run(folder: Path, recipe: str, name: str) -> dict[str, object]:
    settings: TrainingSettings = resume(folder).settings
    metrics = read_metrics(folder)
    key = f"validation/dice/{settings.main_decoder}"
    scores = {row["epoch"]: row[key] for row in metrics if row.get(key) is not None}
    best = max(scores, key=lambda epoch: scores[epoch]) if scores else None
    return {
        "recipe": recipe,
        "run": name,
        "decoders": " + ".join(settings.protocols),
        "epochs": settings.epochs,
        "steps": metrics[-1]["step"] if metrics else 0,
        "patch": settings.patch,
        "batch": settings.batch,
        "spacing (mm)": settings.preprocessing.spacing_mm,
        "width": settings.network.width,
        "best epoch": best,
        "validation Dice": f"{scores[best]:.3f}" if best is not None else None,
    }


def _table(result: TableResult) -> Iterator[str]:
    table = result.table
    number = f" (the paper's table {table.paper})" if table.paper else ""
    yield f"## {table.title[0].upper()}{table.title[1:]}{number}"
    if table.note:
        yield table.note
    yield markdown(_scores(result.scores))
    for title, failed in result.failed.items():
        shown = "; ".join(f"{scan} ({why})" for scan, why in failed.items())
        yield f"Failed, {title}: {shown}."
    if len(result.comparisons):
        yield markdown(_comparisons(result.comparisons))
    titles = [
        name for name in result.regions.columns if name not in ("index", "name", "hemisphere")
    ]
    rows = [(title, *map(", ".join, result.extremes(title))) for title in titles]
    yield markdown(pd.DataFrame(rows, columns=["method", "lowest mean Dice", "highest mean Dice"]))


def _scores(scores: pd.DataFrame) -> pd.DataFrame:
    ours = scores["scans"].notna()
    return pd.DataFrame(
        {
            "method": scores["method"],
            "recipe": scores["recipe"],
            "Dice": scores["dice"],
            "HD95 (mm)": scores["hd95_mm"],
            "scans": scores["scans"].astype("Int64"),
            "failed": scores["failed"].astype("Int64"),
            "regions": [
                f"{row.regions:.0f} of {row.of_regions:.0f}" if shown else None
                for row, shown in zip(scores.itertuples(), ours, strict=True)
            ],
            "Dice in the paper": scores["paper_dice"],
        }
    )


def _comparisons(table: pd.DataFrame) -> pd.DataFrame:
    rows = table.to_dict("records")
    return pd.DataFrame(
        {
            "a - b": [f"{row['a']} - {row['b']}" for row in rows],
            "per scan and region": [_difference(row, "") for row in rows],
            "p": [_p(row["p_holm"]) for row in rows],
            "pairs": table["n"],
            "a better in": [f"{row['share_better']:.0%} of regions" for row in rows],
            "per scan": [_difference(row, "_scans") for row in rows],
            "p per scan": [_p(row["p_scans_holm"]) for row in rows],
            "scans": table["n_scans"],
        }
    )


def _difference(row: Mapping[Hashable, float], kind: str) -> str:
    mean, low, high = (row[name + kind] for name in ("difference", "low", "high"))
    return f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]"


def _p(p: float) -> str:
    return "n/a" if np.isnan(p) else "< .001" if p < 0.001 else f"{p:.3f}"


def markdown(table: pd.DataFrame) -> str:
    """A Markdown table; missing values are empty cells."""
    head = [str(name) for name in table.columns]
    cells = [
        ["" if pd.isna(value) else str(value).replace("|", "\\|") for value in row]
        for row in table.itertuples(index=False)
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *cells])
