"""The scans of an experiment: which train, which are evaluated on, and stage 1's partial labels."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from monet_core.datasets import Dataset, Split, Subject, find_dataset
from monet_core.errors import DatasetError
from monet_core.evaluation import write_tsv
from monet_core.experiments.definitions import PARTIAL_PROTOCOL
from monet_core.experiments.request import ExperimentRequest
from monet_core.jobs import Cancel, Phase, Progress, Reporter
from monet_core.protocols import convert_labels, find_mapping


def labelled_scans(request: ExperimentRequest) -> Dataset:
    """The fully annotated scans of the experiment; DatasetError where there is none."""
    found = find_dataset(request.data, request.experiment.protocol)
    subjects = tuple(subject for subject in found.subjects if subject.labels is not None)
    if not subjects:
        raise DatasetError(
            "no-labels",
            f"none of the {len(found.subjects)} scans has a label map of "
            f"{request.experiment.protocol}",
            remedy="Put NAME_dseg.nii.gz beside each NAME_T1w.nii.gz, or give a table.",
            file=request.data,
        )
    return Dataset(found.root, subjects)


def evaluation_scans(data: Dataset) -> tuple[Split, list[Subject]]:
    """The split that methods are compared on and its scans: test, else validation.

    Raises DatasetError where neither has an annotated scan.
    """
    splits: tuple[Split, ...] = ("test", "validation")
    for split in splits:
        if subjects := data.of(split):
            return split, subjects
    raise DatasetError(
        "nothing-to-evaluate",
        "no annotated scan is in the split test or validation",
        remedy="Put some into sub-folders of these names, or name their split in a table.",
        file=data.root,
    )


def write_scans(path: Path, subjects: Sequence[Subject], protocol: str | None) -> Path:
    """A table of scans that `find_dataset` reads; with label maps where `protocol` is given."""
    rows = [
        {
            "name": subject.name,
            "scan": _relative(subject.scan, path),
            "split": subject.split or "train",
        }
        | (
            {"labels": _relative(subject.labels, path), "protocol": protocol}
            if protocol and subject.labels
            else {}
        )
        for subject in subjects
    ]
    write_tsv(pd.DataFrame(rows), path)
    return path


def extracted_partial(
    request: ExperimentRequest, data: Dataset, recipe: str, report: Reporter, cancel: Cancel
) -> Path:
    """A table of the training and validation scans with the partial labels that their full ones
    hold, written to `partial` where they are not there yet."""
    variant = request.stages[recipe].finetune.mapping_variant
    mapping = find_mapping(request.experiment.protocol, PARTIAL_PROTOCOL, variant)
    folder = request.out / ("partial" if variant == "default" else f"partial-{variant}")
    subjects = [s for s in data.subjects if s.split != "test"]
    report(Phase("Extracting partial labels"))
    made = []
    for done, subject in enumerate(subjects):
        cancel.check()
        report(Progress(done, len(subjects), text=subject.name))
        target = folder / f"{subject.name}_dseg.nii.gz"
        if subject.labels and not target.exists():
            convert_labels(subject.labels, target, mapping, request.decisions, request.unknown)
        made.append(Subject(subject.name, subject.scan, target, split=subject.split))
    return write_scans(folder / "scans.tsv", made, PARTIAL_PROTOCOL)


def _relative(path: Path, table: Path) -> str:
    """`path` as the table names it; links among the folders would lead astray, so they are gone."""
    place = path.parent.resolve() / path.name
    try:
        return os.path.relpath(place, table.parent.resolve())
    except ValueError:  # on another drive of Windows
        return str(place)
