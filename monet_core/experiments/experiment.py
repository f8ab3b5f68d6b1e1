"""One of the paper's comparisons from data to report: train, segment, score, test, tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from monet_core.datasets import Dataset, Split, Subject
from monet_core.experiments.figures import dice_boxes, overlays
from monet_core.experiments.report import Findings, write_report
from monet_core.experiments.request import ExperimentRequest, keep_settings
from monet_core.experiments.running import segment_scans, train_methods
from monet_core.experiments.scans import evaluation_scans, labelled_scans, write_scans
from monet_core.experiments.scoring import (
    Scored,
    Scoring,
    Segmentations,
    score,
    tool_segmentations,
)
from monet_core.experiments.tables import tabulate
from monet_core.jobs import Cancel, Done, Phase, Reporter, locked
from monet_core.protocols import load_protocol


@dataclass(frozen=True)
class _Job:
    """A request with its scans, and whom to tell."""

    request: ExperimentRequest
    data: Dataset
    split: Split
    subjects: Sequence[Subject]
    report: Reporter
    cancel: Cancel


def run_experiment(request: ExperimentRequest, report: Reporter, cancel: Cancel) -> Path:
    """Run, or go on with, the experiment in the folder `request.out`; returns its report.

    Below it, RECIPE/METHOD/run is a training's run folder, RECIPE/METHOD/segmentations what its
    model made of the evaluation scans, .../evaluation its scores; `tables`, `figures` and
    report.md sum up. What is finished is left as it is, so that the same call goes on after an
    interruption. Raises OutputError where the folder holds an experiment with other settings,
    and what reading, training and segmenting raise.
    """
    request.plan  # noqa: B018 - an unknown method is told before anything is read
    data = labelled_scans(request)
    split, subjects = evaluation_scans(data)
    with locked(request.out):
        keep_settings(request, data)
        job = _Job(request, data, split, subjects, report, cancel)
        path = _compare(job, _segmented(job))
    report(Done({"report": str(path)}))
    return path


def _segmented(job: _Job) -> list[Segmentations]:
    """The segmentations of all methods of all recipes, then those of the tools."""
    request, told = job.request, (job.report, job.cancel)
    table = write_scans(request.out / "evaluation.tsv", job.subjects, None)
    # First, since it takes a moment and training takes days.
    tools = [tool_segmentations(tool, table, request.out) for tool in request.tools]
    segmented = []
    for recipe in request.stages:
        train_methods(request, job.data, recipe, *told)
        segmented += [segment_scans(request, recipe, m, job.subjects, *told) for m in request.plan]
    return [*segmented, *tools]


def _compare(job: _Job, segmented: Sequence[Segmentations]) -> Path:
    request, out = job.request, job.request.out
    scoring = _scoring(job)
    tables, scores = [], []
    for table in request.experiment.tables:
        every = (score(by, table, scoring, job.report, job.cancel) for by in segmented)
        scored = [each for each in every if each is not None]
        job.report(Phase(f"Comparing: {table.title}"))
        tables.append(tabulate(table, scored))
        tables[-1].write(out / "tables")
        scores.append(scored)
    drawn = _draw(job, scoring, scores[0], segmented)
    return write_report(request, Findings(job.split, job.subjects, tables, drawn))


def _scoring(job: _Job) -> Scoring:
    request = job.request
    variant = next(iter(request.stages.values())).finetune.mapping_variant
    full = load_protocol(request.experiment.protocol)
    return Scoring(job.subjects, full, variant, request.decisions, request.distances)


def _draw(
    job: _Job, scoring: Scoring, scored: Sequence[Scored], segmented: Sequence[Segmentations]
) -> dict[str, Path]:
    """Figures 3 and 4 of every recipe: what they show, and their files."""
    folder = job.request.out / "figures"
    drawn = {}
    for recipe in job.request.stages:
        job.report(Phase(f"Drawing figures, recipe {recipe}"))
        boxes, pictures = folder / f"dice-{recipe}.png", folder / f"overlays-{recipe}.png"
        dice_boxes(scored, job.request.experiment, boxes, recipe)
        drawn[f"Dice of 8 structures of the left hemisphere, recipe {recipe} (figure 3)"] = boxes
        subject = overlays(segmented, scoring, recipe, pictures)
        if subject is not None:
            drawn[f"Labels of {subject.name}, recipe {recipe} (figure 4)"] = pictures
    return drawn
