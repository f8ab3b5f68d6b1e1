"""Studies: which scans there are, what was made of them, and what people said of it."""

from monet_core.workspace.entries import (
    Grade,
    Question,
    Rating,
    ScanEntry,
    SegmentationEntry,
    Source,
)
from monet_core.workspace.study import Study

__all__ = [
    "Grade",
    "Question",
    "Rating",
    "ScanEntry",
    "SegmentationEntry",
    "Source",
    "Study",
]
