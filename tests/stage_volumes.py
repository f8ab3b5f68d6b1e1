"""Phantoms as scans and label maps in memory, stored in any order."""

from __future__ import annotations

import numpy as np
import phantoms

from monet_core.scans import Geometry, LabelMap, Scan, forms_from_affine

LESION = (-14.0, 20.0, 12.0)
"""Bright and on the left only (phantoms.py)."""
RIGHT_PUTAMEN_MM = (19.0, 5.0, 1.0)
STRAIGHT = np.eye(4)


def volumes(
    codes: str = "RAS", seed: int = 0, turn: np.ndarray = STRAIGHT
) -> tuple[Scan, LabelMap]:
    """A scan and its FIRST labels with these stored axes, the world turned by `turn` (4x4)."""
    image, labels, affine = phantoms.brain_phantom(seed=seed, noise=0.0)
    stored, there = phantoms.reoriented(image, turn @ affine, codes)
    indices, _ = phantoms.reoriented(labels, turn @ affine, codes)
    return scan_of(stored, there), labels_of(indices, there)


def scan_of(data: np.ndarray, affine: np.ndarray) -> Scan:
    """A scan in memory."""
    geometry = Geometry(data.shape, affine)
    return Scan(np.ascontiguousarray(data, np.float32), geometry, forms_from_affine(affine))


def labels_of(data: np.ndarray, affine: np.ndarray) -> LabelMap:
    """A label map in memory."""
    return LabelMap(data.astype(np.int32), Geometry(data.shape, affine), forms_from_affine(affine))
