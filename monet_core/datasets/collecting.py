"""Collecting scan files from files and folders of any layout, for work that needs no labels."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from monet_core.errors import MonetError, Note, Verdict
from monet_core.scans import Decisions, import_dicom, is_dicom_folder

SCAN_ENDINGS = (".nii", ".nii.gz", ".mgz")
NOT_SCANS = ("_dseg", "_probseg", "_mask")
NO_DECISIONS = Decisions()


@dataclass(frozen=True)
class Failure:
    """A scan (or folder) that could not be segmented, and why: one readable line."""

    scan: Path
    note: Note

    def __str__(self) -> str:
        return str(self.note)


def find_scans(
    paths: Iterable[Path], out: Path, decisions: Decisions = NO_DECISIONS
) -> tuple[list[Path], list[Failure]]:
    """The scans among files and folders, each once; and what has none.

    In a folder and below: `*_T1w` of .nii, .nii.gz or .mgz; where there is none, every such file
    that is not a segmentation. Of a DICOM folder the series is
    converted into `out`.
    """
    scans: dict[Path, Path] = {}
    failures = []
    for path in map(Path, paths):
        try:
            # os.path, since pathlib's is_dir fails on a path that is too long.
            for scan in scans_in(path, out, decisions) if os.path.isdir(path) else [path]:  # noqa: PTH112
                scans.setdefault(scan.absolute(), scan)
        except (MonetError, OSError) as error:
            failures.append(failure_of(path, error))
    return list(scans.values()), failures


def scans_in(folder: Path, out: Path, decisions: Decisions = NO_DECISIONS) -> list[Path]:
    """The scans in one folder and below, as `find_scans`; ScanError or MonetError where none."""
    files = sorted(f for f in folder.rglob("*") if f.is_file() and not _hidden(f, folder))
    volumes = [f for f in files if f.name.lower().endswith(SCAN_ENDINGS)]
    named = [f for f in volumes if _base(f).lower().endswith("_t1w")]
    found = named or [f for f in volumes if not _base(f).lower().endswith(NOT_SCANS)]
    if found:
        return found
    if not volumes and is_dicom_folder(folder):
        return [import_dicom(folder, out, decisions)]
    raise MonetError(
        "no-scans",
        "no scan was found in this folder",
        remedy="Give .nii, .nii.gz or .mgz files, or a folder that holds some.",
        file=folder,
    )


def _hidden(file: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(folder).parts)


def _base(file: Path) -> str:
    lower = file.name.lower()
    ending = next((e for e in (".nii.gz", ".nii", ".mgz") if lower.endswith(e)), "")
    return file.name[: len(file.name) - len(ending)]


def failure_of(scan: Path, error: MonetError | OSError | MemoryError) -> Failure:
    """`error` as the failure of `scan`, in one readable line."""
    if isinstance(error, MonetError):
        note = error.note()
        named = note if note.file else Note(note.verdict, note.code, note.message, str(scan))
        return Failure(scan, named)
    if isinstance(error, MemoryError):
        text = "not enough memory. Close other programs or use a machine with more memory."
        return Failure(scan, Note(Verdict.REFUSED, "not-enough-memory", text, str(scan)))
    text = f"cannot be read or written ({error.strerror or error}). Check file and drive."
    return Failure(scan, Note(Verdict.REFUSED, "unreadable", text, str(scan)))
