"""The label maps that scans are painted from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from monet_core.errors import DatasetError
from monet_core.protocols import load_protocol
from monet_core.scans import Geometry, LabelMap, forms_from_affine, read_labels, to_canonical
from monet_core.synthesis.tissues import LARGEST, outside

_ENDINGS = (".nii", ".nii.gz", ".mgz")
_NOT_LABELS = ("_t1w.nii", "_t1w.nii.gz", "_t1w.mgz")
# Room for a turned or grown head, in mm.
_MARGIN_MM = 20.0
_FLUID_MM = 5.0
# Deformations are drawn in voxels, the same along all axes.
_MOST_ANISOTROPIC = 1.25


def find_label_maps(path: Path) -> list[Path]:
    """The label map `path`, or those directly in the folder `path` (.nii, .nii.gz, .mgz), sorted.

    Raises DatasetError where there is none.
    """
    path = Path(path)
    if not path.is_dir():
        if path.is_file():
            return [path]
        problem, remedy = "there is no such file or folder", "Check the path."
        raise DatasetError("no-label-maps", problem, remedy=remedy, file=path)
    found = [file for file in sorted(path.iterdir()) if _may_be_labels(file)]
    if not found:
        problem = "no label map (.nii, .nii.gz or .mgz) is in this folder"
        remedy = "Give the folder that holds the label maps themselves, or one label map."
        raise DatasetError("no-label-maps", problem, remedy=remedy, file=path)
    return found


def read_label_map(path: Path, brain_only: bool = False) -> LabelMap:
    """A label map with RAS axes, cut to what it shows and 20 mm around it.

    `brain_only` makes everything else background, and fluid farther than 5 mm from the brain.

    Raises ScanError for what is no label map, DatasetError for one that cannot be painted from:
    without a label inside the brain, with voxels far from cubic, or with labels above 65535.
    """
    stored = read_labels(path)
    geometry = stored.geometry.canonical()
    labels = to_canonical(stored.data, stored.geometry)
    if int(labels.max()) > LARGEST:
        problem = f"the largest label is {labels.max()}; scans are painted from 1 to {LARGEST}"
        raise DatasetError("not-freesurfer", problem, remedy=_REMEDY, file=path)
    if max(geometry.spacing) > _MOST_ANISOTROPIC * min(geometry.spacing):
        size = " x ".join(f"{side:.3g}" for side in geometry.spacing)
        remedy = "Resample it to cubic voxels (nearest neighbour)."
        raise DatasetError("not-cubic", f"the voxels are {size} mm", remedy=remedy, file=path)
    inside = ~outside()[labels]
    if not inside.any():
        problem = "no label here is a region of the brain in FreeSurfer's numbering"
        raise DatasetError("not-freesurfer", problem, remedy=_REMEDY, file=path)
    if brain_only:
        labels = np.where(_brain(labels, inside, geometry), labels, 0)
    return _cut(labels, geometry, stored)


def _brain(
    labels: NDArray[np.int32], inside: NDArray[np.bool_], geometry: Geometry
) -> NDArray[np.bool_]:
    """What is left of a head when it is stripped: tissue and the fluid close to it.

    The label maps' fluid goes on down the spine.
    """
    tissue = inside & (labels != load_protocol("freesurfer").by_name["CSF"].index)
    steps = max(1, round(_FLUID_MM / min(geometry.spacing)))
    return inside & ndimage.binary_dilation(tissue, iterations=steps)


_REMEDY = "Give label maps in FreeSurfer's indices (monet convert changes others into them)."


def _may_be_labels(file: Path) -> bool:
    name = file.name.lower()
    hidden = name.startswith(".")
    return name.endswith(_ENDINGS) and not name.endswith(_NOT_LABELS) and not hidden


def _cut(labels: NDArray[np.int32], geometry: Geometry, stored: LabelMap) -> LabelMap:
    lines = [np.flatnonzero(labels.any(axis=others)) for others in ((1, 2), (0, 2), (0, 1))]
    margins = [round(_MARGIN_MM / side) for side in geometry.spacing]
    first = [max(0, int(line[0]) - more) for line, more in zip(lines, margins, strict=True)]
    stop = [int(line[-1]) + 1 + more for line, more in zip(lines, margins, strict=True)]
    where = tuple(slice(a, b) for a, b in zip(first, stop, strict=True))
    data = np.ascontiguousarray(labels[where])
    affine = geometry.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ first
    x, y, z = data.shape
    placed = Geometry((x, y, z), affine)
    return LabelMap(data, placed, forms_from_affine(affine), stored.path, stored.notes)
