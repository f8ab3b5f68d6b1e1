"""A small head in FreeSurfer's indices, with a different left and right side."""

from pathlib import Path

import nibabel as nib
import numpy as np
from phantoms import reoriented

SKIN, BONE = 511, 515
CSF, LEFT_WHITE, RIGHT_WHITE, LEFT_CORTEX, RIGHT_CORTEX = 24, 2, 41, 3, 42
LEFT_THALAMUS, RIGHT_THALAMUS, LEFT_PUTAMEN = 10, 49, 12


def head(side: int = 32, spacing: float = 4.0) -> tuple[np.ndarray, np.ndarray]:
    """Labels int16 (RAS) and affine; the left thalamus is larger, the putamen only left."""
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = -spacing * (side - 1) / 2
    axis = (np.arange(side) - (side - 1) / 2) / (side / 2)
    x, y, z = np.meshgrid(axis, axis, axis, indexing="ij")
    radius = np.sqrt(x**2 + y**2 + z**2)
    labels = np.zeros((side,) * 3, np.int16)
    for limit, index in ((0.9, SKIN), (0.82, BONE), (0.74, CSF)):
        labels[radius < limit] = index
    for limit, left, right in ((0.68, LEFT_CORTEX, RIGHT_CORTEX), (0.5, LEFT_WHITE, RIGHT_WHITE)):
        labels[(radius < limit) & (x < 0)] = left
        labels[(radius < limit) & (x > 0)] = right
    for centre, size, index in ((-0.2, 0.15, LEFT_THALAMUS), (0.2, 0.1, RIGHT_THALAMUS)):
        labels[np.sqrt((x - centre) ** 2 + y**2 + z**2) < size] = index
    labels[np.sqrt((x + 0.3) ** 2 + (y - 0.25) ** 2 + z**2) < 0.12] = LEFT_PUTAMEN
    return labels, affine


def save_map(path: Path, labels: np.ndarray, affine: np.ndarray, codes: str = "LIA") -> Path:
    """Write a label map with the axes that FreeSurfer gives it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(*reoriented(labels, affine, codes)), path)
    return path
