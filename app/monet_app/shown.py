"""What the session holds of the stage, and what it asks the user. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from monet_core.errors import DecisionNeeded
from monet_core.protocols import Protocol
from monet_core.scans import LabelMap
from monet_core.workspace import ScanEntry, SegmentationEntry


@dataclass(frozen=True, eq=False)
class Shown:
    """A segmentation on the stage, with its voxels and its atlas."""

    entry: SegmentationEntry
    labels: LabelMap
    protocol: Protocol
    visible: bool = True

    @property
    def key(self) -> str:
        """What the stage calls it by."""
        return key_of(self.entry)


@dataclass(frozen=True, eq=False)
class Question:
    """Only the user can decide: `answer` takes one of the error's choices."""

    error: DecisionNeeded
    entry: ScanEntry
    answer: Callable[[str], None]


def needed(entry: ScanEntry) -> DecisionNeeded | None:
    """The question that a scan waits with, as reading it would ask."""
    asked = entry.question
    if asked is None:
        return None
    return DecisionNeeded(
        asked.code, asked.text, option=asked.option, choices=asked.choices, file=entry.path
    )


def key_of(entry: SegmentationEntry) -> str:
    """The stage's key of a segmentation."""
    return f"segmentation-{entry.id}"
