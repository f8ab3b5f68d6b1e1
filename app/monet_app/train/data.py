"""The scans that a training would see, counted before anything is opened. No Qt, no torch."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from monet_app.train.setup import NO_DECISIONS, Setup
from monet_app.words import count
from monet_core.datasets import Dataset, Split, find_dataset
from monet_core.errors import DatasetError
from monet_core.scans import Decisions
from monet_core.workspace import Study

SPLITS: tuple[Split, ...] = ("train", "validation", "test")
VALIDATION_SHARE = 0.2


@dataclass(frozen=True)
class DataSummary:
    """The data set at `root` (a folder or table): scan names with labels by split.

    `without` are scans without a label map of the protocol; `protocols` counts label maps by
    protocol where that is known.
    """

    root: Path
    splits: dict[Split, tuple[str, ...]]
    without: tuple[str, ...] = ()
    protocols: dict[str, int] = field(default_factory=dict)
    decisions: Decisions = NO_DECISIONS

    def number(self, split: Split) -> int:
        """Scans of a split."""
        return len(self.splits.get(split, ()))

    @property
    def text(self) -> str:
        """ "12 scans to train on, 3 to validate with, 2 for the test"."""
        words = ("to train on", "to validate with", "for the test")
        numbers = [self.number(split) for split in SPLITS]
        parts = [
            f"{count(number, 'scan') if place == 0 else number} {word}"
            for place, (number, word) in enumerate(zip(numbers, words, strict=True))
            if number or place < 2
        ]
        return ", ".join(parts)


def survey_data(setup: Setup, study: Study | None) -> DataSummary:
    """Find and count the scans of a setup. Raises DatasetError in words."""
    if setup.source == "folder":
        if setup.folder is None:
            raise DatasetError("no-folder", "no folder is chosen", remedy="Choose one.")
        return _summary(find_dataset(setup.folder, setup.protocol, setup.labels))
    if study is None:
        raise DatasetError("no-study", "no study is open", remedy="Open one, or name a folder.")
    table = study.to_table(study.jobs.parent / "training.tsv", setup.protocol)
    summary = _summary(find_dataset(table, setup.protocol))
    protocols = Counter(each.protocol for each in study.all_segmentations() if each.protocol)
    return DataSummary(
        summary.root, summary.splits, summary.without, dict(protocols), _decisions(study)
    )


def set_aside(study: Study, setup: Setup) -> int:
    """Give every fifth training scan (one at least) to validation; how many that were."""
    names = survey_data(setup, study).splits.get("train", ())
    number = max(1, round(VALIDATION_SHARE * len(names)))
    if len(names) < 2:
        return 0
    chosen = set(names[:: max(1, len(names) // number)][:number])
    for entry in study.scans():
        if entry.name in chosen:
            study.set_split(entry.id, "validation")
    return len(chosen)


def annotated_protocols(study: Study) -> dict[str, int]:
    """Scans by the protocol of their labels made by hand; the most frequent first."""
    made: dict[str, set[int]] = {}
    for each in study.all_segmentations():
        if each.protocol and each.source in ("manual", "edited", "import"):
            made.setdefault(each.protocol, set()).add(each.scan_id)
    return {name: len(ids) for name, ids in sorted(made.items(), key=lambda item: -len(item[1]))}


def _summary(dataset: Dataset) -> DataSummary:
    splits = {
        split: tuple(each.name for each in dataset.of(split) if each.labels is not None)
        for split in SPLITS
    }
    without = tuple(each.name for each in dataset.subjects if each.labels is None)
    protocols = Counter(each.protocol for each in dataset.subjects if each.protocol)
    return DataSummary(dataset.root, splits, without, dict(protocols))


def _decisions(study: Study) -> Decisions:
    """The answers of the study's scans where all agree; the engine takes one for all scans."""
    given = {each.decisions for each in study.scans() if each.decisions != NO_DECISIONS}
    return next(iter(given)) if len(given) == 1 else NO_DECISIONS
