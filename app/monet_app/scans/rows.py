"""The rows of the study table: what they say, how they are sorted and filtered. No Qt."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property
from typing import Any

from monet_app.atlases import UNKNOWN, atlas_badge, atlas_words
from monet_app.words import count
from monet_core.datasets import Split
from monet_core.workspace import Rating, ScanEntry, SegmentationEntry, Study

GRADES = {"pass": "passed", "fail": "failed", "edit": "to edit"}
SPLITS: dict[Split | None, str] = {
    "train": "Training",
    "validation": "Validation",
    "test": "Test",
    None: "Not said",
}
"""What a scan is for, in users' words."""
_GRADE_ORDER = {"fail": 0, "edit": 1, "": 2, "pass": 3}
_SPLIT_ORDER = {"train": 0, "validation": 1, "test": 2, None: 3}


class Column(IntEnum):
    """The columns of the table, from left to right."""

    STATE, PICTURE, NAME, SPACING, SHAPE, LABELS, GRADE, SPLIT = range(8)


class State(IntEnum):
    """How a scan is; the worst first."""

    PROBLEM, QUESTION, WARNING, WAITING, FINE = range(5)


@dataclass(frozen=True)
class Row:
    """A scan with what exists of it; `gone`: its file was not there when last looked for.

    `place` is its place among the study's scans by name.
    """

    entry: ScanEntry
    labels: tuple[SegmentationEntry, ...] = ()
    rating: Rating | None = None
    gone: bool = False
    place: int = 0

    @cached_property
    def state(self) -> State:
        """How the scan is."""
        entry = self.entry
        if entry.problem or self.gone:
            return State.PROBLEM
        if entry.question is not None:
            return State.QUESTION
        if not entry.inspected:
            return State.WAITING
        return State.WARNING if self.warnings else State.FINE

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is doubtful of it."""
        return tuple(note for note in self.entry.notes if note.startswith("Warning"))

    @property
    def trouble(self) -> str:
        """Why it cannot be used, what is asked or doubtful, and what to do; "" if fine."""
        if self.gone:
            return (
                "The file is not there any more. Put it back or connect its drive; "
                "or remove the scan from the study."
            )
        if self.entry.problem:
            return self.entry.problem[:1].upper() + self.entry.problem[1:]
        if self.entry.question is not None:
            return f"A question only you can answer: {self.entry.question.text}. Open the scan."
        return " ".join(self.warnings)

    @cached_property
    def badges(self) -> tuple[str, ...]:
        """Which labels exist, by atlas: "138", "15", "own", "?"."""
        kept = [each for each in self.labels if each.source != "preview"]
        return tuple(dict.fromkeys(atlas_badge(each.protocol) for each in kept))

    @cached_property
    def text(self) -> str:
        """What the search looks in."""
        entry = self.entry
        parts = (entry.name, entry.subject, str(entry.path), *self.badges, self.trouble)
        return " ".join(parts).casefold()

    @property
    def unknown(self) -> tuple[SegmentationEntry, ...]:
        """Labels whose atlas nobody has told."""
        return tuple(each for each in self.labels if not each.protocol)

    @property
    def grade(self) -> str:
        """The latest rating: pass, fail, edit, or ""."""
        return self.rating.grade if self.rating is not None else ""


def read_rows(study: Study) -> list[Row]:
    """All scans of a study with their labels and latest ratings."""
    labels: dict[int, list[SegmentationEntry]] = defaultdict(list)
    for segmentation in study.all_segmentations():
        labels[segmentation.scan_id].append(segmentation)
    latest = {rating.scan_id: rating for rating in study.ratings()}
    return [
        Row(entry, tuple(labels[entry.id]), latest.get(entry.id), place=place)
        for place, entry in enumerate(study.scans())
    ]


def with_entry(row: Row, entry: ScanEntry) -> Row:
    """The row after its scan was looked at again."""
    return replace(row, entry=entry, gone=False)


# -- what the cells say -------------------------------------------------------------------------


def spacing_text(entry: ScanEntry) -> str:
    """ "1 mm" or "0.9 × 0.9 × 1.2 mm"; "" before it was read."""
    if entry.spacing is None:
        return ""
    sizes = [f"{size:.3g}" for size in entry.spacing]
    return f"{sizes[0]} mm" if len(set(sizes)) == 1 else f"{' × '.join(sizes)} mm"


def shape_text(entry: ScanEntry) -> str:
    """ "256 × 256 × 128"; "" before it was read."""
    return "" if entry.shape is None else " × ".join(map(str, entry.shape))


def grid_text(entry: ScanEntry) -> str:
    """Spacing and shape in one line."""
    return " · ".join(part for part in (spacing_text(entry), shape_text(entry)) if part)


def labels_text(row: Row) -> str:
    """What the badges stand for: one line a segmentation."""
    if not row.labels:
        return "No labels yet"
    lines = [f"{atlas_badge(each.protocol)}: {each.name}" for each in row.labels]
    return "\n".join(lines[:12]) + (f"\n… and {len(lines) - 12} more" if len(lines) > 12 else "")


def cell_text(row: Row, column: Column) -> str:
    """What a cell reads."""
    texts: dict[Column, Callable[[], str]] = {
        Column.NAME: lambda: row.entry.name,
        Column.SPACING: lambda: spacing_text(row.entry),
        Column.SHAPE: lambda: shape_text(row.entry),
        Column.LABELS: lambda: " ".join(row.badges),
        Column.GRADE: lambda: GRADES.get(row.grade, ""),
        Column.SPLIT: lambda: SPLITS[row.entry.split] if row.entry.split else "",
    }
    return texts.get(column, lambda: "")()


# -- order and filters --------------------------------------------------------------------------

_KEYS: dict[Column, Callable[[Row], Any]] = {
    Column.STATE: lambda row: row.state,
    Column.PICTURE: lambda row: row.place,
    Column.NAME: lambda row: row.place,
    Column.SPACING: lambda row: math.prod(row.entry.spacing or (0,)),
    Column.SHAPE: lambda row: math.prod(row.entry.shape or (0,)),
    Column.LABELS: lambda row: (len(row.badges), row.badges),
    Column.GRADE: lambda row: _GRADE_ORDER[row.grade],
    Column.SPLIT: lambda row: _SPLIT_ORDER[row.entry.split],
}

FILTERS: dict[str, tuple[str, Callable[[Row], bool]]] = {
    "all": ("All scans", lambda _: True),
    "odd": ("With a problem or question", lambda row: row.state <= State.WARNING),
    "plain": ("Without labels", lambda row: not row.badges),
    "labelled": ("With labels", lambda row: bool(row.badges)),
    "unknown": ("Labels of an unknown atlas", lambda row: UNKNOWN in row.badges),
    "unrated": ("Not rated", lambda row: not row.grade),
    "pass": ("Passed", lambda row: row.grade == "pass"),
    "fail": ("Failed", lambda row: row.grade == "fail"),
    "edit": ("To edit", lambda row: row.grade == "edit"),
    "train": ("Training", lambda row: row.entry.split == "train"),
    "validation": ("Validation", lambda row: row.entry.split == "validation"),
    "test": ("Test", lambda row: row.entry.split == "test"),
    "no split": ("In no split", lambda row: row.entry.split is None),
}
"""Filters by state: key, what users read, which rows stay."""


def arranged(
    rows: Iterable[Row], text: str, state: str, column: Column, descending: bool
) -> list[Row]:
    """The rows that match `text` (every word) and the filter `state`, sorted by a column."""
    words = text.casefold().split()
    keep = FILTERS[state][1]
    found = [row for row in rows if keep(row) and all(word in row.text for word in words)]
    found.sort(key=lambda row: row.place)
    found.sort(key=_KEYS[column], reverse=descending)
    return found


def summary(rows: Sequence[Row], shown: int) -> str:
    """ "17 scans", "3 of 17 scans", and how many need a look."""
    total = count(len(rows), "scan")
    said = total if shown == len(rows) else f"{shown} of {total}"
    odd = sum(row.state in (State.PROBLEM, State.QUESTION) for row in rows)
    return f"{said} · {count(odd, 'needs', 'need')} a look" if odd else said


def source_words(entry: SegmentationEntry) -> str:
    """Where a segmentation comes from, and its atlas."""
    words = {"manual": "manual", "import": "imported", "edited": "edited", "preview": "preview"}
    made = entry.model or words.get(entry.source, entry.source)
    return f"{atlas_words(entry.protocol)} · {made}"
