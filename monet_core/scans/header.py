"""What a scan file says about itself, parsed by nibabel, before any voxel is read."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import nibabel as nib
import numpy as np
from nibabel.spatialimages import HeaderDataError

from monet_core.errors import Note, Verdict
from monet_core.scans.opening import (
    MOST_GZIP_RATIO,
    foreign_content,
    is_gzip,
    naming_note,
    pair_of,
    reading,
    refused,
)

Kind = Literal["nifti", "analyze", "mgh"]
_VECTOR_INTENTS = frozenset({1004, 1005, 1006, 1007, 1008, 1009, 1010, 2003, 2004})


@dataclass(frozen=True, eq=False)
class FileHeader:
    """One file's header: `raw` as stored (nibabel's class), and how its voxels are laid out.

    `shape` has 3 entries. Voxel values are `slope * stored + inter`, `dtype` as stored;
    `good_ras` is False for an MGH file that says its orientation is not known.
    """

    path: Path
    data_path: Path
    kind: Kind
    raw: Any
    shape: tuple[int, int, int]
    dtype: np.dtype
    offset: int
    slope: float = 1.0
    inter: float = 0.0
    good_ras: bool = True
    notes: tuple[Note, ...] = ()

    @property
    def n_bytes(self) -> int:
        """Size in bytes that the unpacked data file must have at least."""
        return self.offset + math.prod(self.shape) * self.dtype.itemsize


def read_header(path: Path) -> FileHeader:
    """Parse the header of a NIfTI-1/2, MGH/MGZ or Analyze file, plain or gzip, by content.

    Raises ScanError for what is no scan, is cut off, or is not one 3-D volume of plain numbers.
    """
    path = Path(path)
    header_path, data_path = pair_of(path)
    with reading(header_path) as reader:
        start = bytes(reader.take(544, short=True))
    kind, raw = _parse(start, path)
    notes = naming_note(header_path)
    shape, more = _volume_shape(kind, raw, path)
    dtype = _dtype(raw, path)
    offset = _offset(kind, raw, header_path == data_path)
    slope, inter = _scaling(raw)
    good_ras = kind != "mgh" or _good_ras(start)
    header = FileHeader(
        path, data_path, kind, raw, shape, dtype, offset, slope, inter, good_ras, notes + more
    )
    _require_size(header)
    return header


def _parse(start: bytes, path: Path) -> tuple[Kind, Any]:
    kind, cls = _identify(start)
    if kind is None:
        raise foreign_content(start, path)
    size = cls.template_dtype.itemsize
    if len(start) < size:
        raise refused(
            "truncated",
            f"the file ends within its header ({len(start)} bytes readable)",
            path,
            "Copy or download the file again.",
        )
    block = start[:size]
    try:
        return kind, cls(block, check=False) if kind != "mgh" else cls(block)
    except (HeaderDataError, ValueError) as error:
        raise refused(
            "bad-header", f"the header is damaged ({error})", path, "Copy or write the file again."
        ) from error


def _identify(start: bytes) -> tuple[Kind | None, Any]:
    if len(start) < 16:
        return None, None
    sizes = {struct.unpack(order + "i", start[:4])[0] for order in "<>"}
    if 540 in sizes and start[4:7] in (b"n+2", b"ni2"):
        return "nifti", nib.Nifti2Header if start[5:6] == b"+" else nib.nifti2.Nifti2PairHeader
    if 348 in sizes and start[344:347] in (b"n+1", b"ni1"):
        return "nifti", nib.Nifti1Header if start[345:346] == b"+" else nib.nifti1.Nifti1PairHeader
    if 348 in sizes:
        return "analyze", nib.analyze.AnalyzeHeader
    version, *dims = struct.unpack(">5i", start[:20]) if len(start) >= 20 else (0,)
    if version == 1 and all(0 < each < 1 << 20 for each in dims):
        return "mgh", nib.freesurfer.mghformat.MGHHeader
    return None, None


def _good_ras(start: bytes) -> bool:
    """The flag as stored: nibabel replaces an unset one by a default orientation."""
    return bool(struct.unpack(">h", start[28:30])[0] > 0)


def _volume_shape(
    kind: Kind, raw: Any, path: Path
) -> tuple[tuple[int, int, int], tuple[Note, ...]]:
    try:
        dims = [int(n) for n in raw.get_data_shape()]
    except (HeaderDataError, ValueError) as error:
        raise refused(
            "bad-header",
            f"the dimensions make no sense ({error})",
            path,
            "Write the file again from its source.",
        ) from error
    shown = " x ".join(map(str, dims)) or "none"
    if not dims or min(dims) < 1:
        raise refused(
            "bad-header",
            f"the dimensions make no sense ({shown})",
            path,
            "Write the file again from its source.",
        )
    if kind == "nifti" and (int(raw["intent_code"]) in _VECTOR_INTENTS or math.prod(dims[4:]) > 1):
        raise refused(
            "vector-data",
            f"this holds vectors or matrices ({shown}), not a scan",
            path,
            "Give the T1 scan itself.",
        )
    volumes = math.prod(dims[3:])
    if volumes > 1:
        raise refused(
            "many-volumes",
            f"this is a 4-D series of {volumes} volumes, as of fMRI or diffusion, not one T1 scan",
            path,
            f"If one volume is a T1, take it out: nib-roi -t 0:1 {path.name} one-volume.nii.gz",
        )
    if len(dims) < 3:
        raise refused(
            "two-dimensional",
            f"this is a 2-D image ({shown})",
            path,
            "Give a 3-D scan of the whole head.",
        )
    notes: tuple[Note, ...] = ()
    if len(dims) > 3:
        text = f"4-D with a single volume ({shown}); read as 3-D"
        notes = (Note(Verdict.FIXED, "one-volume", text, str(path)),)
    return (dims[0], dims[1], dims[2]), notes


def _dtype(raw: Any, path: Path) -> np.dtype:
    try:
        dtype = np.dtype(raw.get_data_dtype())
    except (HeaderDataError, KeyError) as error:
        raise refused(
            "bad-header",
            "the data type is not known",
            path,
            "Convert the scan to float32 or int16.",
        ) from error
    if dtype.kind not in "iuf" or dtype.itemsize == 0:
        what = "complex numbers" if dtype.kind == "c" else "colours (RGB)"
        if dtype.kind in "cV" and dtype.itemsize:
            raise refused(
                "colour-or-complex",
                f"this holds {what}, not grey values",
                path,
                "Give the magnitude T1 scan with one number per voxel.",
            )
        raise refused(
            "bad-header",
            f"voxels of type {dtype} cannot be read",
            path,
            "Convert the scan to float32 or int16.",
        )
    return dtype


def _offset(kind: Kind, raw: Any, single: bool) -> int:
    if kind == "mgh":
        return int(raw.get_data_offset())
    stored = float(raw["vox_offset"])
    least = int(raw.template_dtype.itemsize) + 4 if single else 0
    return max(int(stored), least) if np.isfinite(stored) else least


def _scaling(raw: Any) -> tuple[float, float]:
    """Slope and intercept; a slope of 0 or NaN means "not scaled" (NIfTI-1 standard)."""
    if "scl_slope" not in raw:
        return 1.0, 0.0
    slope, inter = float(raw["scl_slope"]), float(raw["scl_inter"])
    if not np.isfinite(slope) or slope == 0:
        return 1.0, 0.0
    return slope, inter if np.isfinite(inter) else 0.0


def _require_size(header: FileHeader) -> None:
    """Refuse before memory is taken for data that cannot be in the file."""
    size = header.data_path.stat().st_size
    if is_gzip(header.data_path):
        size *= MOST_GZIP_RATIO
    if size < header.n_bytes:
        raise refused(
            "truncated",
            f"the file ends too early; {size / 1e6:.1f} of {header.n_bytes / 1e6:.1f} MB readable",
            header.data_path,
            "Copy or download the file again.",
        )
