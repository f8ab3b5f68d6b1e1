"""What scans are registered to: a brain in MNI space, and a coarse whole head to start with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from monet_core.scans.geometry import Geometry


@dataclass(frozen=True, eq=False)
class Reference:
    """What scans are registered to, in one world space (for the shipped one, MNI).

    `brain` float32, 0 outside `mask` (bool), both on `grid` (axis-aligned RAS). `head` float32
    on `head_grid`: a whole head, 0 outside, for the first stages with scans that show the skull.
    """

    brain: NDArray[np.float32]
    mask: NDArray[np.bool_]
    grid: Geometry
    head: NDArray[np.float32]
    head_grid: Geometry

    @property
    def middle(self) -> NDArray[np.float64]:
        """World coordinates (3,) in mm of the middle of the box around the brain."""
        index = [np.flatnonzero(self.mask.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
        middle = np.array([(i[0] + i[-1]) / 2 for i in index])
        return self.grid.affine[:3, :3] @ middle + self.grid.affine[:3, 3]


@lru_cache(maxsize=1)
def load_template() -> tuple[NDArray[np.float32], NDArray[np.bool_], Geometry]:
    """The MNI152 brain, T1, 1 mm: image float32 from 0 to 1, brain mask, grid (MNI mm).

    ICBM152 2009a, non-linear, symmetric (Fonov et al. 2009). The arrays are read-only.
    """
    image, geometry = _load("mni152_brain.nii.gz")
    mask = image > 0
    mask.setflags(write=False)
    return image, mask, geometry


@lru_cache(maxsize=1)
def load_reference() -> Reference:
    """The shipped reference: the MNI152 brain, and Colin27's head at 4 mm."""
    head, head_grid = _load("head_4mm.nii.gz")
    return Reference(*load_template(), head, head_grid)


def _load(name: str) -> tuple[NDArray[np.float32], Geometry]:
    place = resources.files("monet_resources").joinpath("template", name)
    with resources.as_file(place) as path:
        volume = nib.Nifti1Image.from_filename(path)
        data = (np.asarray(volume.dataobj, np.float32) / 255).astype(np.float32, copy=False)
    data.setflags(write=False)
    return data, Geometry(
        (data.shape[0], data.shape[1], data.shape[2]), np.asarray(volume.affine, np.float64)
    )
