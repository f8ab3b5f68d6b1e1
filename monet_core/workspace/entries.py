"""What a study holds: scans, segmentations of them, and what people said of these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from monet_core.datasets import Split
from monet_core.errors import DecisionNeeded
from monet_core.scans import Decisions

Source = Literal["model", "manual", "import", "edited", "preview"]
Grade = Literal["pass", "fail", "edit"]


@dataclass(frozen=True)
class Question:
    """What only the user can decide about a scan, from `DecisionNeeded`.

    `option` names the decision ("--use-form"), `choices` the answers (none: yes or nothing).
    """

    code: str
    text: str
    option: str
    choices: tuple[str, ...] = ()

    @classmethod
    def of(cls, error: DecisionNeeded) -> Question:
        """The question that `error` asks."""
        return cls(error.code, error.problem, error.option, error.choices)

    def answered(self, decisions: Decisions, choice: str = "") -> Decisions:
        """`decisions` with `choice` as this question's answer, for `Study.set_decisions`."""
        if self.option == "--use-form":
            return replace(decisions, form="qform" if choice == "qform" else "sform")
        if self.option == "--assume-orientation":
            return replace(decisions, orientation=choice)
        if self.option == "--series":
            return replace(decisions, series=int(choice))
        return replace(decisions, labels_as_scan=True)


def no_thumbnail(_: int) -> bytes | None:
    """A scan without a picture."""
    return None


@dataclass(frozen=True)
class ScanEntry:
    """A scan of a study, as known without opening it.

    `name` is unique in the study. `spacing` (mm) and `shape` (voxels) along the file's own axes,
    `orientation` ("LAS"), `notes`, `problem` (why it cannot be used and what to do; "" if fine)
    and `question` are of the last inspection; `inspected` is False before the first.
    """

    id: int
    name: str
    path: Path
    spacing: tuple[float, float, float] | None = None
    shape: tuple[int, int, int] | None = None
    orientation: str = ""
    inspected: bool = False
    problem: str = ""
    question: Question | None = None
    notes: tuple[str, ...] = ()
    decisions: Decisions = field(default_factory=Decisions)
    split: Split | None = None
    subject: str = ""
    read_thumbnail: Callable[[int], bytes | None] = field(
        default=no_thumbnail, repr=False, compare=False
    )

    @property
    def thumbnail(self) -> bytes | None:
        """A PNG, 96 pixels high: axial, coronal and sagittal slices. Read when asked for."""
        return self.read_thumbnail(self.id)

    @property
    def usable(self) -> bool:
        """Whether it was read and neither refused nor waits for an answer."""
        return self.inspected and not self.problem and self.question is None


@dataclass(frozen=True)
class SegmentationEntry:
    """A label map of a scan. `name` is unique among the scan's and is what users see.

    `protocol` is a shipped protocol's name or the path of a label table, "" where not known;
    `model` what made it, `created` ISO time (UTC), `parent_id` what it was edited from.
    """

    id: int
    scan_id: int
    name: str
    path: Path
    protocol: str
    source: Source
    model: str = ""
    created: str = ""
    parent_id: int | None = None


@dataclass(frozen=True)
class Rating:
    """What a person said of a scan, or of one of its segmentations.

    `time` ISO (UTC), `seconds` how long it was looked at.
    """

    scan_id: int
    segmentation_id: int | None
    grade: Grade
    note: str = ""
    tags: tuple[str, ...] = ()
    rater: str = ""
    time: str = ""
    seconds: float = 0.0
