"""What FreeSurfer and FastSurfer left behind, imported as a data set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from monet_core.annotating.batch import Annotator, Outcome, annotate_items, failure, on_scan_grid
from monet_core.errors import DatasetError, MonetError
from monet_core.jobs import Cancel, Message, Reporter, silent
from monet_core.protocols import Protocol, find_mapping
from monet_core.scans import LabelMap, Scan, read_labels
from monet_core.segmenting import Failure
from monet_core.segmenting.many import Item

# In the order of preference; the deep ones are FastSurfer's, with its network's labels alone.
_SEGMENTATIONS = (
    "aparc+aseg.mgz",
    "aseg.mgz",
    "aparc.DKTatlas+aseg.mapped.mgz",
    "aparc.DKTatlas+aseg.deep.mgz",
)
_SCANS = ("orig.mgz", "T1.mgz")
_TEMPLATES = ("fsaverage", "cvs_avg")


def import_freesurfer(
    subjects: Path,
    out: Path,
    protocol: Protocol,
    report: Reporter = silent,
    cancel: Cancel | None = None,
) -> list[Outcome]:
    """Write `<subject>_T1w.nii.gz` and `<subject>_dseg.nii.gz` for every subject's folder.

    `subjects` is SUBJECTS_DIR or one subject's folder; labels are converted to `protocol`, and
    what it has no region for is background. One outcome per subject, as `annotate_items` has it.
    Raises DatasetError where there is no subject, ProtocolError for a protocol that FreeSurfer's
    labels cannot be converted to, OutputError, CancelledError.
    """
    mapping = find_mapping("freesurfer", protocol)
    for note in mapping.notes:
        report(Message(str(note), "warning"))

    def label(scan: Scan, _: Reporter, __: Cancel) -> LabelMap:
        labels = on_scan_grid(read_labels(_first_of(_SEGMENTATIONS, _mri(scan))), scan)
        converted = mapping.apply(labels.data, "background", file=labels.path)
        return replace(labels, data=converted)

    items, failures = _items(Path(subjects))
    for each in failures:
        report(Message(str(each), "error"))
    annotator = Annotator("FreeSurfer or FastSurfer", protocol, label)
    made = annotate_items(items, out, annotator, None, report, cancel, keep_scan=True)
    return [*failures, *made]


def _items(subjects: Path) -> tuple[list[Item], list[Failure]]:
    items, failures = [], []
    for folder in _folders(subjects):
        try:
            _first_of(_SEGMENTATIONS, folder / "mri")
            items.append(Item(_first_of(_SCANS, folder / "mri"), folder.name))
        except MonetError as error:
            failures.append(failure(folder, error))
    return items, failures


def _folders(subjects: Path) -> Iterator[Path]:
    if (subjects / "mri").is_dir():
        return iter([subjects.resolve()])
    inside = sorted(subjects.iterdir()) if subjects.is_dir() else []
    found = [f for f in inside if (f / "mri").is_dir() and not f.name.startswith(_TEMPLATES)]
    if not found:
        raise DatasetError(
            "no-subjects",
            "no subject of FreeSurfer or FastSurfer is here (folders that hold a folder mri)",
            remedy="Give the folder that SUBJECTS_DIR names.",
            file=subjects,
        )
    return iter(found)


def _first_of(names: tuple[str, ...], folder: Path) -> Path:
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise DatasetError(
        "incomplete-subject",
        f"none of {', '.join(names)} is in its folder mri",
        remedy="Let recon-all or FastSurfer finish.",
        file=folder.parent,
    )


def _mri(scan: Scan) -> Path:
    if scan.path is None:
        raise ValueError("the subject's folder is not known")
    return scan.path.parent
