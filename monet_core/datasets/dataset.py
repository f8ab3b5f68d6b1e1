"""`Subject` and `Dataset`: which scans there are, their labels, and what each is for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Split = Literal["train", "validation", "test"]

_SPLITS: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}


def split_named(text: str) -> Split | None:
    """The split that a folder name or table cell stands for ("val" is validation), else None."""
    return _SPLITS.get(text.strip().lower())


@dataclass(frozen=True)
class Subject:
    """One scan of a person, with its label map where there is one.

    `name` is unique in its dataset and keeps session and run ("sub-01_ses-2"); `protocol` names
    the label map's protocol where the file name or table tells it.
    """

    name: str
    scan: Path
    labels: Path | None = None
    protocol: str | None = None
    split: Split | None = None


@dataclass(frozen=True)
class Dataset:
    """The scans found at `root`, a folder or a table, in the order of their names."""

    root: Path
    subjects: tuple[Subject, ...]

    def of(self, split: Split) -> list[Subject]:
        """The subjects of `split`; those of no stated split are for training."""
        return [subject for subject in self.subjects if (subject.split or "train") == split]
