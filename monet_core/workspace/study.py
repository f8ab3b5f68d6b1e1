"""`Study`: a folder of scans and all that was made of them, with its index in SQLite."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from monet_core.datasets import Split
from monet_core.errors import Note
from monet_core.jobs.events import Cancel, Reporter, silent
from monet_core.scans import Decisions
from monet_core.workspace.entries import Grade, Rating, ScanEntry, SegmentationEntry, Source


class Study:
    """All methods may be called from any thread; a second program may have the study open too.

    What is told to the study is on the disk when the method returns.
    """

    folder: Path
    notes: tuple[Note, ...]
    """What was found or mended on opening."""

    @classmethod
    def open(cls, folder: Path) -> Study:
        """The study in `folder`, made where there is none.

        A damaged index is kept aside and rebuilt; `notes` tell. Raises OutputError where nothing
        can be written there or a newer version of the program made it.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the index; the study may be used again and then opens it again."""
        raise NotImplementedError

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def derivatives(self) -> Path:
        """Where segmentations go: FOLDER/derivatives/monet-studio."""
        return self.folder / "derivatives" / "monet-studio"

    @property
    def runs(self) -> Path:
        """Where trainings go."""
        return self.folder / "runs"

    @property
    def jobs(self) -> Path:
        """Where the job queue keeps its folders."""
        return self.folder / ".monet" / "jobs"

    @property
    def atlases(self) -> Path:
        """The lab's own label tables."""
        return self.folder / "atlases"

    def revision(self) -> int:
        """A number that grows with every change, of other windows too: cheap to ask often."""
        raise NotImplementedError

    # Scans ---------------------------------------------------------------------------------

    def add(
        self, paths: Iterable[Path], report: Reporter = silent, cancel: Cancel | None = None
    ) -> list[ScanEntry]:
        """Add scans: files, folders (flat, BIDS, DICOM) and tables of scans; nothing is opened.

        Label maps that belong to them become segmentations. What is there already is returned as
        it is. What cannot be added is told to `report`; raises DatasetError where nothing could.
        """
        raise NotImplementedError

    def scans(self) -> list[ScanEntry]:
        """All scans, by name."""
        raise NotImplementedError

    def scan(self, scan_id: int) -> ScanEntry:
        """One scan; DatasetError where there is none of that number."""
        raise NotImplementedError

    def remove(self, scan_id: int) -> None:
        """Take a scan out of the study; no file is deleted, and its ratings come back with it."""
        raise NotImplementedError

    def set_decisions(self, scan_id: int, decisions: Decisions) -> ScanEntry:
        """Keep the user's answers; the scan then waits to be inspected again."""
        raise NotImplementedError

    def set_split(self, scan_id: int, split: Split | None) -> ScanEntry:
        """Say what a scan is for; None: not said."""
        raise NotImplementedError

    def inspect(self, scan_id: int) -> ScanEntry:
        """Read the scan through the input gate and keep what was found; takes seconds.

        A scan that is gone, refused or asks something has a `problem` or `question`.
        """
        raise NotImplementedError

    # Segmentations -------------------------------------------------------------------------

    def segmentations(self, scan_id: int) -> list[SegmentationEntry]:
        """A scan's segmentations, oldest first."""
        raise NotImplementedError

    def all_segmentations(self) -> list[SegmentationEntry]:
        """Every scan's segmentations, oldest first."""
        raise NotImplementedError

    def segmentation(self, segmentation_id: int) -> SegmentationEntry:
        """One segmentation; DatasetError where there is none of that number."""
        raise NotImplementedError

    def add_segmentation(
        self,
        scan_id: int,
        path: Path,
        protocol: str,
        source: Source,
        name: str = "",
        model: str = "",
        parent_id: int | None = None,
    ) -> SegmentationEntry:
        """Register a label map file; one of that path is updated instead."""
        raise NotImplementedError

    def set_protocol(self, segmentation_id: int, protocol: str) -> SegmentationEntry:
        """Say which atlas a segmentation is of: a shipped name, or the path of a label table."""
        raise NotImplementedError

    def remove_segmentation(self, segmentation_id: int) -> None:
        """Take a segmentation out of the study; the file and its ratings stay."""
        raise NotImplementedError

    def register_results(self, folder: Path) -> list[SegmentationEntry]:
        """Attach results of `monet segment` in `folder` and below to their scans.

        By their records; the scan's content must be what was segmented. Returns all that belong
        to scans of this study, those known already too.
        """
        raise NotImplementedError

    # Ratings -------------------------------------------------------------------------------

    def rate(
        self,
        scan_id: int,
        grade: Grade,
        *,
        segmentation_id: int | None = None,
        note: str = "",
        tags: Sequence[str] = (),
        rater: str = "",
        seconds: float = 0.0,
    ) -> Rating:
        """Keep a rating: on the disk, twice, when this returns."""
        raise NotImplementedError

    def ratings(self, scan_id: int | None = None) -> list[Rating]:
        """Every rating, of one scan or of all, oldest first."""
        raise NotImplementedError

    def latest(self, scan_id: int) -> Rating | None:
        """The last rating of a scan."""
        raise NotImplementedError

    def export_ratings(self, path: Path) -> None:
        """Write all ratings as a TSV; OutputError where `path` cannot be written."""
        raise NotImplementedError

    # Figures -------------------------------------------------------------------------------

    def volumes(
        self,
        scan_id: int | None = None,
        report: Reporter = silent,
        cancel: Cancel | None = None,
    ) -> pd.DataFrame:
        """Volumes of every segmentation whose protocol is known, one row per region.

        Columns: scan, scan_id, segmentation, segmentation_id, protocol, and those of
        `region_volumes`. Computed once per file, which may take seconds each.
        """
        raise NotImplementedError

    def entropies(
        self,
        scan_id: int | None = None,
        report: Reporter = silent,
        cancel: Cancel | None = None,
    ) -> pd.DataFrame:
        """Mean entropy (nats) per region of segmentations that have an entropy map.

        Columns: scan, scan_id, segmentation, segmentation_id, protocol, index, name, voxels,
        entropy; index 0 is all labelled voxels together. Computed once per file.
        """
        raise NotImplementedError

    def to_table(self, path: Path, protocol: str) -> Path:
        """Write a dataset table (scan, labels, protocol, split, name) that `find_dataset` reads.

        Per scan its newest segmentation of `protocol` that a person made or edited and nobody
        failed, else a model's that was passed. Raises DatasetError where no scan has one.
        """
        raise NotImplementedError
