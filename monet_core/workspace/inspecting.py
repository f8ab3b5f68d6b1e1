"""Reading a scan of a study: what the input gate says, and a picture of it."""

from __future__ import annotations

from pathlib import Path

from monet_core.datasets.collecting import failure_of
from monet_core.errors import DecisionNeeded, MonetError, Note, Verdict
from monet_core.quality import png_bytes, thumbnail
from monet_core.scans import Decisions, Scan, import_dicom, read_scan
from monet_core.workspace.entries import Question
from monet_core.workspace.scanrows import Inspection


def inspect(path: Path, decisions: Decisions, imported: Path) -> tuple[Path, Inspection, bytes]:
    """The scan's path, what was found, and its picture as PNG (empty where it cannot be read).

    A DICOM folder is converted into `imported`, and the path is that of the new scan.
    """
    try:
        if path.is_dir():
            path = import_dicom(path, imported, decisions)
        scan = read_scan(path, decisions)
    except DecisionNeeded as error:
        return path, Inspection(question=Question.of(error)), b""
    except (MonetError, OSError, MemoryError) as error:
        return path, Inspection(problem=failure_of(path, error).note.message), b""
    return path, _found(scan), png_bytes(thumbnail(scan))


def _found(scan: Scan) -> Inspection:
    grid = scan.geometry
    notes = tuple(_in_words(note) for note in scan.notes)
    return Inspection(grid.spacing, grid.shape, grid.orientation, notes=notes)


def _in_words(note: Note) -> str:
    """Warnings begin with that word; what was mended speaks for itself."""
    text = note.message[:1].upper() + note.message[1:]
    return f"Warning: {note.message}" if note.verdict is Verdict.WARNING else text
