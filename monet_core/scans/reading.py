"""Reading scans through the input gate."""

from __future__ import annotations

from pathlib import Path

from numpy.typing import NDArray

from monet_core.scans import gate
from monet_core.scans.forms import place
from monet_core.scans.geometry import Geometry
from monet_core.scans.header import read_header
from monet_core.scans.scan import Decisions, Scan
from monet_core.scans.voxels import as_float32

NO_DECISIONS = Decisions()


def read_geometry(path: Path, decisions: Decisions = NO_DECISIONS) -> Geometry:
    """The grid of a scan or label map, from its header only.

    Raises ScanError or DecisionNeeded like `read_scan`.
    """
    return place(read_header(Path(path)), decisions).geometry


def read_map(path: Path, decisions: Decisions = NO_DECISIONS) -> tuple[NDArray, Geometry]:
    """A map of values on a scan's grid, such as entropy: float32 (X, Y, Z) as stored, its grid.

    Nothing is mended or doubted, so values may be NaN or all 0. Raises ScanError where the file
    cannot be read, DecisionNeeded like `read_geometry`.
    """
    header = read_header(Path(path))
    return as_float32(header)[0], place(header, decisions).geometry


def read_scan(path: Path, decisions: Decisions = NO_DECISIONS) -> Scan:
    """Read a T1 scan (.nii, .nii.gz, .mgz, .mgh, .hdr/.img; NIfTI-1/2; by content).

    What was mended or is doubtful stands in the scan's `notes`. Raises ScanError for what cannot
    be used and DecisionNeeded for what only the user knows and `decisions` does not answer.
    """
    path = Path(path)
    header = read_header(path)
    placement = place(header, decisions)
    notes = header.notes + placement.notes
    notes += gate.check_grid(placement.geometry, path, plan=True)
    data, extremes = as_float32(header)
    for mend in (gate.mend_nonfinite, gate.mend_outliers):
        mended = mend(data, extremes, path)
        if mended:
            notes += mended
            extremes = gate.extremes_of(data)
    notes += gate.check_contrast(data, extremes, path)
    gate.check_not_labels(data, path, decisions)
    return Scan(data, placement.geometry, placement.forms, path, notes)
