"""What a file, folder or table holds for a study: scans, their labels, what each is for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from monet_core.datasets import Split, Subject, find_dataset, names
from monet_core.datasets.collecting import scans_in
from monet_core.datasets.find import label_maps_of, scans_of_folder
from monet_core.errors import DatasetError, DecisionNeeded
from monet_core.scans.opening import existing_file
from monet_core.workspace.entries import Question
from monet_core.workspace.labels import LabelsFound, described, same_source

_FREESURFER_SCANS = ("T1.mgz", "orig.mgz")
_FREESURFER_LABELS = ("aparc.DKTatlas+aseg.mgz", "aparc+aseg.mgz", "aseg.mgz")


@dataclass(frozen=True)
class ScanFound:
    """A scan to add. `question`: a DICOM folder of several series, of which one must be chosen."""

    scan: Path
    name: str
    split: Split | None = None
    labels: tuple[LabelsFound, ...] = ()
    question: Question | None = None


def find(path: Path, atlases: Path, imported: Path) -> list[ScanFound]:
    """The scans at `path`, a file, folder or TSV; DICOM series are converted into `imported`.

    `atlases` is a folder of label tables that labels may be named after. Raises ScanError,
    DatasetError or OSError where there is none.
    """
    if path.is_dir():
        return _in_folder(path, atlases, imported)
    if path.suffix.lower() == ".tsv":
        return [_of_table(subject, path, atlases) for subject in find_dataset(path).subjects]
    existing_file(path)
    return _with_labels(path.parent, [Subject(names.stem_of(path), path)], atlases)


def _in_folder(folder: Path, atlases: Path, imported: Path) -> list[ScanFound]:
    freesurfer = list(_freesurfer(folder))
    if freesurfer:
        return freesurfer
    try:
        subjects = scans_of_folder(folder)
    except DatasetError:
        try:
            scans = scans_in(folder, imported)
        except DecisionNeeded as error:
            if error.option != "--series":
                raise
            return [ScanFound(folder, folder.name, question=Question.of(error))]
        subjects = [Subject(names.stem_of(scan), scan) for scan in scans]
    return _with_labels(folder, subjects, atlases)


def _with_labels(root: Path, subjects: list[Subject], atlases: Path) -> list[ScanFound]:
    found = []
    for subject, maps in zip(subjects, label_maps_of(root, subjects), strict=True):
        labels = tuple(
            described(file, atlases, beside=file.parent == subject.scan.parent)
            for file in maps
            if file != subject.scan and same_source(file, subject.scan)
        )
        found.append(ScanFound(subject.scan, subject.name, subject.split, labels))
    return found


def _of_table(subject: Subject, table: Path, atlases: Path) -> ScanFound:
    labels: tuple[LabelsFound, ...] = ()
    if subject.labels is not None:
        protocol = subject.protocol or ""
        beside = table.parent / protocol
        told = str(beside) if protocol and beside.is_file() else protocol
        labels = (described(subject.labels, atlases, protocol=told),)
    return ScanFound(subject.scan, subject.name, subject.split, labels)


def _freesurfer(folder: Path) -> Iterator[ScanFound]:
    """Subjects of FreeSurfer in `folder` or being it: only the scan among their many volumes."""
    for subject in [folder, *sorted(each for each in folder.iterdir() if each.is_dir())]:
        mri = subject / "mri"
        scan = next((mri / n for n in _FREESURFER_SCANS if (mri / n).is_file()), None)
        if scan is not None:
            maps = [mri / name for name in _FREESURFER_LABELS if (mri / name).is_file()]
            labels = tuple(LabelsFound(file, "freesurfer", "import") for file in maps[:1])
            yield ScanFound(scan, subject.name, labels=labels)
