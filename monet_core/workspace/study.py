"""`Study`: a folder of scans and all that was made of them, with its index in SQLite."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from monet_core.datasets import Split
from monet_core.errors import DatasetError
from monet_core.jobs.events import Cancel, Reporter, silent
from monet_core.scans import Decisions
from monet_core.workspace.adding import Adding
from monet_core.workspace.database import Database
from monet_core.workspace.entries import Grade, Rating, ScanEntry, SegmentationEntry, Source
from monet_core.workspace.inspecting import inspect
from monet_core.workspace.labels import LabelsFound
from monet_core.workspace.measuring import Measured, Measuring, measured
from monet_core.workspace.opening import HIDDEN, open_index
from monet_core.workspace.places import Places, absolute, readable
from monet_core.workspace.ratings import Ratings
from monet_core.workspace.results import Owners, results_in
from monet_core.workspace.scanrows import ScanRows, decisions_text
from monet_core.workspace.segmentationrows import SegmentationRows, now
from monet_core.workspace.tables import write_dataset


class Study:
    """All methods may be called from any thread; a second program may have the study open too.

    What is told to the study is on the disk when the method returns. `notes` say what was found
    or mended on opening. Methods raise OutputError where the index cannot be read or written.
    """

    def __init__(self, folder: Path, database: Database, notes: tuple[str, ...] = ()) -> None:
        """Use `open`."""
        self.folder = absolute(folder)
        self.notes = notes
        self._database = database
        self._places = Places(self.folder)
        self._scans = ScanRows(database, self._places)
        self._segmentations = SegmentationRows(database, self._places)
        self._ratings = Ratings(database)

    @classmethod
    def open(cls, folder: Path) -> Study:
        """The study in `folder`, made where there is none.

        A damaged index is kept aside and rebuilt; `notes` tell. Raises OutputError where nothing
        can be written there or a newer version of the program made it.
        """
        folder = absolute(folder)
        database, empty, told = open_index(folder)
        study = cls(folder, database, (told,) if told else ())
        if told:
            study._find_again(empty)
        study.scans()  # from now on only what changes is read
        return study

    def close(self) -> None:
        """Let go of the index; a study that is used again opens it again."""
        self._database.close()

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
        return self.folder / HIDDEN / "jobs"

    @property
    def atlases(self) -> Path:
        """The lab's own label tables."""
        return self.folder / "atlases"

    @property
    def imported(self) -> Path:
        """Where scans converted from DICOM go."""
        return self.folder / "sourcedata"

    def revision(self) -> int:
        """A number that grows with every change, of other windows too: cheap to ask often."""
        return self._database.revision()

    # -- scans ------------------------------------------------------------------------------

    def add(
        self, paths: Iterable[Path], report: Reporter = silent, cancel: Cancel | None = None
    ) -> list[ScanEntry]:
        """Add scans: files, folders (flat, BIDS, FreeSurfer, DICOM) and tables of scans.

        Label maps that belong to them become segmentations; a label map alone is attached to its
        scan. What is there already is returned as it is. Only DICOM is opened. What cannot be
        added is told to `report`; raises DatasetError where nothing could, CancelledError.
        """
        adding = Adding(
            self._database, self._places, self._segmentations, self.atlases, self.imported
        )
        ids = adding.add([Path(path) for path in paths], report, cancel or Cancel())
        by_id = {entry.id: entry for entry in self.scans()}
        return [by_id[scan_id] for scan_id in ids if scan_id in by_id]

    def scans(self) -> list[ScanEntry]:
        """All scans, by name."""
        return self._scans.all()

    def scan(self, scan_id: int) -> ScanEntry:
        """One scan; DatasetError where there is none of that number."""
        return self._scans.one(scan_id)

    def remove(self, scan_id: int) -> None:
        """Take a scan out of the study; no file is deleted.

        Its segmentations and ratings come back when it is added again.
        """
        self._change(scan_id, removed=1)

    def set_decisions(self, scan_id: int, decisions: Decisions) -> ScanEntry:
        """Keep the user's answers; the scan then waits to be inspected again."""
        self._change(scan_id, decisions=decisions_text(decisions), inspection="")
        return self.scan(scan_id)

    def set_split(self, scan_id: int, split: Split | None) -> ScanEntry:
        """Say what a scan is for; None: not said."""
        self._change(scan_id, split=split)
        return self.scan(scan_id)

    def inspect(self, scan_id: int) -> ScanEntry:
        """Read the scan through the input gate and keep what was found; takes seconds.

        A scan that is gone, refused or asks something has a `problem` or `question`.
        """
        entry = self.scan(scan_id)
        path, found, png = inspect(entry.path, entry.decisions, self.imported)
        stored = self._places.store(path)
        with self._database.writing() as write:
            if path != entry.path:
                query = "SELECT id FROM scans WHERE path = ?"
                known = write.execute(query, (stored,)).fetchone()
                if known:  # the same series was converted before
                    write.update("scans", scan_id, removed=1, revision=write.revision)
                    scan_id = int(known[0])
                write.update("scans", scan_id, path=stored, removed=0)
            text = found.to_text()
            write.update("scans", scan_id, inspection=text, revision=write.revision)
            statement = "INSERT OR REPLACE INTO thumbnails (scan_id, png) VALUES (?, ?)"
            if png:
                write.execute(statement, (scan_id, png))
        return self.scan(scan_id)

    def _change(self, scan_id: int, **values: object) -> None:
        self.scan(scan_id)
        with self._database.writing() as write:
            write.update("scans", scan_id, **values, revision=write.revision)

    # -- segmentations ----------------------------------------------------------------------

    def segmentations(self, scan_id: int) -> list[SegmentationEntry]:
        """A scan's segmentations, oldest first."""
        return self._segmentations.all(scan_id)

    def all_segmentations(self) -> list[SegmentationEntry]:
        """The segmentations of all scans, oldest first."""
        return self._segmentations.all()

    def segmentation(self, segmentation_id: int) -> SegmentationEntry:
        """One segmentation; DatasetError where there is none of that number."""
        return self._segmentations.one(segmentation_id)

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
        """Register a label map file of a scan; a file known already is updated instead."""
        self.scan(scan_id)
        labels = LabelsFound(Path(path), protocol, source, model)
        with self._database.writing() as write:
            number = self._segmentations.put(write, scan_id, labels, name, parent_id)
        return self.segmentation(number)

    def set_protocol(self, segmentation_id: int, protocol: str) -> SegmentationEntry:
        """Say which atlas a segmentation is of: a shipped name, or the path of a label table."""
        entry = self.segmentation(segmentation_id)
        if protocol != entry.protocol:
            with self._database.writing() as write:
                self._segmentations.set_protocol(write, entry, protocol)
        return self.segmentation(segmentation_id)

    def remove_segmentation(self, segmentation_id: int) -> None:
        """Take a segmentation out of the study; its file and its ratings stay."""
        self.segmentation(segmentation_id)
        with self._database.writing() as write:
            write.update("segmentations", segmentation_id, removed=1)

    def register_results(self, folder: Path) -> list[SegmentationEntry]:
        """Attach results of `monet segment` in `folder` and below to their scans.

        By their records; the scan's content must be what was segmented. Returns all that belong
        to scans of this study, those known already too, but not those that were removed.
        """
        owners = Owners(self.scans(), self._database)
        known = {entry.path: entry for entry in self.all_segmentations()}
        found = []
        for result in results_in(Path(folder), self.atlases):
            entry = known.get(absolute(result.labels.path))
            if entry is None or entry.created != result.labels.created:
                scan = owners.of(result)
                if scan is None:
                    continue
                with self._database.writing() as write:
                    number = self._segmentations.add_found(write, scan.id, result.labels)
                found.append(number)
            else:
                found.append(entry.id)
        by_id = {entry.id: entry for entry in self.all_segmentations()}
        return [by_id[number] for number in found if number in by_id]

    # -- ratings ----------------------------------------------------------------------------

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
        """Keep a rating: on the disk, in index and journal, when this returns."""
        rating = Rating(
            scan_id=scan_id,
            segmentation_id=segmentation_id,
            grade=grade,
            note=readable(note),
            tags=tuple(map(readable, tags)),
            rater=readable(rater),
            time=now(),
            seconds=seconds,
        )
        self.scan(scan_id)
        self._ratings.add(rating)
        return rating

    def ratings(self, scan_id: int | None = None) -> list[Rating]:
        """Every rating, of one scan or of all, oldest first."""
        return self._ratings.all(scan_id)

    def latest(self, scan_id: int) -> Rating | None:
        """The last rating of a scan."""
        return self._ratings.latest(scan_id)

    def export_ratings(self, path: Path) -> None:
        """Write all ratings as a TSV; OutputError where `path` cannot be written."""
        self._ratings.export(path)

    # -- figures ----------------------------------------------------------------------------

    def volumes(
        self, scan_id: int | None = None, report: Reporter = silent, cancel: Cancel | None = None
    ) -> pd.DataFrame:
        """Volumes of every segmentation whose protocol is known, one row per region.

        Columns: scan, scan_id, segmentation, segmentation_id, protocol, and those of
        `region_volumes`. From the results' own tables, else computed once per file, which may
        take seconds each. Label maps that cannot be read are told to `report` and left out.
        """
        chosen = self._measured(scan_id, report)
        return Measuring(self._database, report, cancel or Cancel()).volumes(chosen)

    def entropies(
        self, scan_id: int | None = None, report: Reporter = silent, cancel: Cancel | None = None
    ) -> pd.DataFrame:
        """Mean entropy (nats) per region of segmentations that have an entropy map.

        Columns: scan, scan_id, segmentation, segmentation_id, protocol, index, name, voxels,
        entropy; index 0 is all labelled voxels together. Computed once per file.
        """
        chosen = self._measured(scan_id, report)
        return Measuring(self._database, report, cancel or Cancel()).entropies(chosen)

    def to_table(self, path: Path, protocol: str) -> Path:
        """Write a dataset table (scan, labels, protocol, split, name) that `find_dataset` reads.

        Per scan its newest segmentation of `protocol` that people made or edited and nobody
        failed, else a model's that was passed. Raises DatasetError where no scan has one.
        """
        rated = self._ratings.latest_of_segmentations()
        write_dataset(path, protocol, self.scans(), self.all_segmentations(), rated)
        return path

    def _measured(self, scan_id: int | None, report: Reporter) -> list[Measured]:
        entries = self.all_segmentations() if scan_id is None else self.segmentations(scan_id)
        return measured(entries, self.scans(), report)

    # -- after damage -----------------------------------------------------------------------

    def _find_again(self, empty: bool) -> None:
        """What a rebuilt index can still learn from the folder itself."""
        if empty:
            try:
                self.add([self.folder])
            except DatasetError as error:
                self.notes += (f"No scan was found in the study's folder: {error}",)
        if self.derivatives.is_dir():
            self.register_results(self.derivatives)
