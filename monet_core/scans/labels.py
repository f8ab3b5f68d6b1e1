"""Reading label maps: whole numbers only, none lost, none invented."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monet_core.errors import Note, ScanError, Verdict
from monet_core.scans import gate
from monet_core.scans.forms import place
from monet_core.scans.header import FileHeader, read_header
from monet_core.scans.opening import refused
from monet_core.scans.reading import NO_DECISIONS
from monet_core.scans.scan import Decisions, LabelMap
from monet_core.scans.voxels import slabs

ROUNDING = 1e-3


def read_labels(path: Path, decisions: Decisions = NO_DECISIONS) -> LabelMap:
    """Read a label map with the same formats and decisions as `read_scan`; indices as stored.

    Values within 0.001 of a whole number are rounded (FIXED). Raises ScanError for other
    fractions, negative or too large values, and for what is a scan.
    """
    path = Path(path)
    header = read_header(path)
    placement = place(header, decisions)
    notes = header.notes + placement.notes
    notes += gate.check_grid(placement.geometry, path, plan=False)
    data, more = _whole_numbers(header)
    if gate.texture(data).like_scan:
        raise _is_scan(path)
    return LabelMap(data, placement.geometry, placement.forms, path, notes + more)


def _whole_numbers(header: FileHeader) -> tuple[NDArray[np.int32], tuple[Note, ...]]:
    out = np.empty(header.shape, np.int32, order="F")
    rounded = nonfinite = 0
    for where, values in slabs(header):
        whole = values
        if values.dtype.kind == "f":
            finite = np.isfinite(values)
            nonfinite += int(values.size - finite.sum())
            values = np.where(finite, values, 0)
            whole = np.rint(values)
            off = np.abs(values - whole)
            _require_whole(values, off, header.path)
            rounded += int(np.count_nonzero(off))
        _require_range(whole, header.path)
        out[:, :, where] = whole
    return out, _notes(rounded, nonfinite, header)


def _require_whole(values: NDArray, off: NDArray, path: Path) -> None:
    if float(off.max()) <= ROUNDING:
        return
    wrong = values[off > ROUNDING]
    if len(wrong) > np.count_nonzero(values) / 2 and len(np.unique(wrong)) > gate.MANY_VALUES:
        raise _is_scan(path)
    raise refused(
        "fractional-labels",
        f"labels must be whole numbers, but there are {len(wrong)} others, such as {_some(wrong)}",
        path,
        "If labels were interpolated, resample them again with nearest neighbour.",
    )


def _require_range(whole: NDArray, path: Path) -> None:
    for code, wrong, what in (
        ("negative-labels", whole < 0, "are negative"),
        ("huge-labels", whole > np.iinfo(np.int32).max, "do not fit 32 bits"),
    ):
        if wrong.any():
            raise refused(
                code,
                f"{int(wrong.sum())} labels {what}: {_some(whole[wrong])}",
                path,
                "Set them to 0 or to an index of the protocol.",
            )


def _some(values: NDArray) -> str:
    distinct = np.unique(values)
    return ", ".join(f"{v:.10g}" for v in distinct[:5]) + (" ..." if len(distinct) > 5 else "")


def _notes(rounded: int, nonfinite: int, header: FileHeader) -> tuple[Note, ...]:
    notes = []
    size = int(np.prod(header.shape))
    if nonfinite / size >= gate.MOST_NONFINITE:
        raise refused(
            "not-finite",
            f"{nonfinite} voxels ({nonfinite / size:.1%}) are not numbers (NaN or infinite)",
            header.path,
            "Write the label map again from its source.",
        )
    if nonfinite:
        text = f"{nonfinite} voxels were not numbers (NaN or infinite) and are set to 0"
        notes.append(Note(Verdict.FIXED, "not-finite", text, str(header.path)))
    if rounded:
        text = f"{rounded} labels were not exactly whole (within {ROUNDING:g}) and are rounded"
        notes.append(Note(Verdict.FIXED, "rounded-labels", text, str(header.path)))
    return tuple(notes)


def _is_scan(path: Path) -> ScanError:
    return refused(
        "scan-as-labels",
        "this looks like a scan, not a label map (many values that change from voxel to voxel)",
        path,
        "Give the label map; perhaps scan and labels were exchanged.",
    )
