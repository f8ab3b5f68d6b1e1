"""Label maps on the grid of their scan, as pictures need them. No Qt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from monet_core.scans import LabelMap, Scan, onto_grid


def labels_on(scan: Scan, labels: LabelMap) -> LabelMap:
    """`labels` on the scan's grid: as they are where only axes differ, else interpolated."""
    if onto_grid(labels.data, labels.geometry, scan.geometry) is not None:
        return labels
    # Here, because SimpleITK takes its time to load and is needed for this case only.
    from monet_core.preprocessing import resample

    moved = resample(labels.data, labels.geometry, scan.geometry, mode="label")
    return replace(labels, data=moved.astype(np.int32), geometry=scan.geometry)
