"""Volumes of the regions of one label map, in ml."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from monet_core.evaluation.counts import joint_counts
from monet_core.protocols import Protocol, Region
from monet_core.scans.geometry import Geometry

PRESENT, MISSING = "present", "missing"


def region_volumes(labels: NDArray, geometry: Geometry, protocol: Protocol) -> pd.DataFrame:
    """One row per region of the protocol for an integer array of its indices on `geometry`.

    Columns: index, name, abbreviation, hemisphere, status, voxels, volume_ml, share_percent,
    asymmetry_percent. `share_percent` is of all labelled voxels. `asymmetry_percent` is
    100 (L - R) / ((L + R) / 2), the same on both rows of a pair, nan on the midline. A region
    without a voxel is "missing" with volume nan, not 0 ml: it may lie outside the field of view.
    """
    indices = protocol.indices
    voxels = joint_counts(labels, labels, indices).sum(axis=1)[1:]
    counts = {index: int(n) for index, n in zip(indices, voxels, strict=True)}
    rows = [_row(region, counts, geometry.voxel_volume_ml) for region in protocol.regions]
    return pd.DataFrame(rows)


def _row(region: Region, counts: dict[int, int], voxel_ml: float) -> dict[str, object]:
    voxels, labelled = counts[region.index], sum(counts.values())
    return {
        "index": region.index,
        "name": region.name,
        "abbreviation": region.abbreviation,
        "hemisphere": region.hemisphere,
        "status": PRESENT if voxels else MISSING,
        "voxels": voxels,
        "volume_ml": voxels * voxel_ml if voxels else np.nan,
        "share_percent": 100 * voxels / labelled if voxels else np.nan,
        "asymmetry_percent": _asymmetry(region, counts),
    }


def _asymmetry(region: Region, counts: dict[int, int]) -> float:
    """100 (L - R) / ((L + R) / 2); nan on the midline and where a side is missing."""
    other = counts.get(region.pair, 0) if region.pair is not None else 0
    own = counts[region.index]
    if region.hemisphere == "M" or not own or not other:
        return np.nan
    left, right = (own, other) if region.hemisphere == "L" else (other, own)
    return 200 * (left - right) / (left + right)
