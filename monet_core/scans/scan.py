"""`Scan` and `LabelMap`: one 3-D volume with all that is needed to write results on its grid."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from monet_core.errors import Note
from monet_core.scans.geometry import Affine, Geometry


@dataclass(frozen=True, eq=False)
class SpatialForms:
    """The two NIfTI orientations as stored: matrices (4x4, or None where unset) and codes.

    `header` is nibabel's header of a NIfTI source, from which results copy the orientation
    fields bit by bit; None for other formats.
    """

    qform: Affine | None
    qform_code: int
    sform: Affine | None
    sform_code: int
    header: nib.Nifti1Header | None = None


@dataclass(frozen=True)
class Decisions:
    """The user's answers to what only the user can know; None means "ask" (DecisionNeeded).

    `form`: which orientation to believe where qform and sform contradict (`--use-form`).
    `orientation`: axis codes, e.g. "RAS", where a file has none (`--assume-orientation`).
    `labels_as_scan`: take what looks like a label map as a scan (`--accept-labels-as-scan`).
    `series`: which DICOM series of several, by its number (`--series`).
    """

    form: Literal["sform", "qform"] | None = None
    orientation: str | None = None
    labels_as_scan: bool = False
    series: int | None = None


@dataclass(frozen=True, eq=False)
class Scan:
    """A T1 scan as stored: `data` float32 (X, Y, Z), finite, in the file's own axis order."""

    data: NDArray[np.float32]
    geometry: Geometry
    forms: SpatialForms
    path: Path | None = None
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, eq=False)
class LabelMap:
    """A segmentation as stored: `data` int32 (X, Y, Z) of the protocol's own indices."""

    data: NDArray[np.int32]
    geometry: Geometry
    forms: SpatialForms
    path: Path | None = None
    notes: tuple[Note, ...] = ()
