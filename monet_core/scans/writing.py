"""Writing results on exactly the grid of the scan they belong to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from monet_core.errors import OutputError
from monet_core.files import atomic_path
from monet_core.scans.opening import split_suffix
from monet_core.scans.scan import LabelMap, Scan, SpatialForms

# All that NIfTI knows of orientation; copied as stored, so that nothing is rounded twice.
_FIELDS = (
    "qform_code",
    "sform_code",
    "quatern_b",
    "quatern_c",
    "quatern_d",
    "qoffset_x",
    "qoffset_y",
    "qoffset_z",
    "srow_x",
    "srow_y",
    "srow_z",
)


def write_labels(path: Path, data: NDArray, like: Scan | LabelMap) -> None:
    """Write labels (integers, X, Y, Z in `like`'s own axis order) as .nii, .nii.gz, .mgh or .mgz.

    int16, else uint16, else int32, by the largest index; no scaling; affine, qform, sform and
    codes are `like`'s, bit by bit. Raises ValueError for another shape or for what is not whole,
    OutputError where the file cannot be written or has another suffix.
    """
    data = np.asarray(data)
    if data.dtype.kind not in "iub":
        raise ValueError(f"labels must be integers, not {data.dtype}")
    _write(Path(path), data.astype(_label_type(data), copy=False), like, "label")


def write_volume(path: Path, data: NDArray, like: Scan | LabelMap) -> None:
    """Write a map of numbers (X, Y, Z in `like`'s own axis order) as float32 on `like`'s grid.

    Raises ValueError for another shape, OutputError where the file cannot be written or has
    another suffix.
    """
    _write(Path(path), np.asarray(data, np.float32), like, "none")


def _label_type(data: NDArray) -> type[np.generic]:
    low, high = (int(data.min()), int(data.max())) if data.size else (0, 0)
    kinds: tuple[type[np.integer[Any]], ...] = (np.int16, np.uint16, np.int32)
    for kind in kinds:
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return kind
    raise ValueError(f"labels from {low} to {high} do not fit 32 bits")


def _write(path: Path, data: NDArray, like: Scan | LabelMap, intent: str) -> None:
    if data.shape != like.geometry.shape:
        raise ValueError(f"expected an array of shape {like.geometry.shape}, got {data.shape}")
    _, suffix, packed = split_suffix(path)
    if (suffix + packed).lower() not in (".nii", ".nii.gz", ".mgh", ".mgz"):
        raise OutputError(
            "bad-suffix",
            "results cannot be written in this format",
            remedy="Choose a name that ends in .nii.gz, .nii, .mgz or .mgh.",
            file=path,
        )
    if suffix.lower() in (".mgh", ".mgz"):
        if data.dtype == np.uint16:
            data = data.astype(np.int32)
        image: Any = nib.MGHImage(data, like.geometry.affine)
    else:
        image = _nifti(data, like, intent)
    with atomic_path(path) as temporary:
        image.to_filename(temporary)


def _nifti(data: NDArray, like: Scan | LabelMap, intent: str) -> Any:
    forms = like.forms
    long = isinstance(forms.header, nib.Nifti2Header) or max(data.shape) > 32767
    image_class = nib.Nifti2Image if long else nib.Nifti1Image
    header = image_class.header_class()
    header.set_data_shape(data.shape)
    header.set_data_dtype(data.dtype)
    if forms.header is not None:
        for name in _FIELDS:
            header[name] = forms.header[name]
    else:
        _set_forms(header, forms, like.geometry.spacing)
    header.set_intent(intent)
    header.set_xyzt_units("mm")
    # Without an affine argument nibabel leaves the header's orientation fields alone...
    image = image_class(data, None, header)
    if forms.header is not None:
        # ... but for a qfac of 0, which it would mend to 1.
        image.header["pixdim"][:4] = forms.header["pixdim"][:4]
    return image


def _set_forms(
    header: nib.Nifti1Header, forms: SpatialForms, spacing: tuple[float, float, float]
) -> None:
    header.set_zooms(spacing)
    if forms.qform is not None:
        header.set_qform(forms.qform, forms.qform_code)
    if forms.sform is not None:
        header.set_sform(forms.sform, forms.sform_code)
