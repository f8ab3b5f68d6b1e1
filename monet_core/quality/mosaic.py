"""Slices of a scan with region outlines, as one picture for a quick look."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monet_core.protocols import Protocol
from monet_core.scans import LabelMap, Scan


def mosaic(
    scan: Scan,
    labels: LabelMap | None = None,
    protocol: Protocol | None = None,
    *,
    columns: int = 6,
    rows_per_plane: int = 1,
    height: int = 192,
    outline: bool = True,
) -> NDArray[np.uint8]:
    """RGB (H, W, 3): rows of axial, coronal and sagittal slices, the person's right on the left.

    Regions are outlined in their colours (filled, half seen through, without `outline`).
    Raises DatasetError where the labels are not on the scan's grid.
    """
    raise NotImplementedError


def save_png(picture: NDArray[np.uint8], path: Path) -> None:
    """Write a picture (H, W) or (H, W, 3) as PNG; OutputError where `path` cannot be written."""
    raise NotImplementedError
