"""Scoring one segmentation against the truth, region by region."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from monet_core.errors import DatasetError, Note, Verdict
from monet_core.evaluation.counts import joint_counts
from monet_core.evaluation.dice import dice_from_counts
from monet_core.evaluation.surfaces import SurfaceDistances, distances_per_region
from monet_core.protocols import Protocol
from monet_core.scans.geometry import Geometry
from monet_core.scans.grids import grid_difference, onto_grid
from monet_core.scans.scan import LabelMap

NO_DISTANCES = SurfaceDistances(np.nan, np.nan)
MEASURES = ("dice", "hd95_mm", "assd_mm", "volume_error_percent")


def evaluate_pair(
    pred: LabelMap,
    truth: LabelMap,
    protocol: Protocol,
    indices: Sequence[int],
    distances: bool = True,
) -> pd.DataFrame:
    """One row per index: how well `pred` agrees with `truth`.

    Columns: index, name, abbreviation, hemisphere, dice, hd95_mm, assd_mm, volume_pred_ml,
    volume_truth_ml, volume_error_percent = 100 (pred - truth) / truth. A region absent in both
    has nan throughout; one absent in one only has Dice 0, distances inf, that volume 0. Values
    outside `indices` are ignored in both. With `distances=False` hd95_mm and assd_mm are nan.
    Grids that differ by more than the order of the axes are refused (DatasetError).
    """
    moved = onto_grid(pred.data, pred.geometry, truth.geometry)
    if moved is None:
        raise _off_grid(pred, truth)
    return score(moved, truth.data, truth.geometry, protocol, indices, distances)


def score(
    pred: NDArray,
    truth: NDArray,
    geometry: Geometry,
    protocol: Protocol,
    indices: Sequence[int],
    distances: bool = True,
) -> pd.DataFrame:
    """The table of `evaluate_pair` for two integer arrays that are both on `geometry`."""
    counts = joint_counts(pred, truth, indices)
    dice = dice_from_counts(counts, indices)
    spacing = geometry.spacing
    measured = distances_per_region(pred, truth, indices, spacing) if distances else {}
    volumes = geometry.voxel_volume_ml * np.stack([counts.sum(axis=1), counts.sum(axis=0)], 1)[1:]
    rows = [
        _row(protocol, index, dice[index], measured.get(index, NO_DISTANCES), *pair)
        for index, pair in zip(indices, volumes, strict=True)
    ]
    return pd.DataFrame(rows)


def unknown_labels(labels: LabelMap, protocol: Protocol) -> list[Note]:
    """A warning where values occur that the protocol does not know; they are not scored."""
    unknown = protocol.unknown_values(labels.data)
    if not unknown:
        return []
    some = ", ".join(str(value) for value in list(unknown)[:6])
    text = (
        f"{len(unknown)} values are not in the protocol {protocol.name} ({some}; "
        f"{sum(unknown.values())} voxels): taken as background"
    )
    return [Note(Verdict.WARNING, "unknown-labels", text, str(labels.path or ""))]


def _row(
    protocol: Protocol,
    index: int,
    dice: float,
    distances: SurfaceDistances,
    pred_ml: float,
    truth_ml: float,
) -> dict[str, object]:
    region = protocol.region(index)
    absent = np.isnan(dice)
    return {
        "index": region.index,
        "name": region.name,
        "abbreviation": region.abbreviation,
        "hemisphere": region.hemisphere,
        "dice": dice,
        "hd95_mm": distances.hd95,
        "assd_mm": distances.assd,
        "volume_pred_ml": np.nan if absent else pred_ml,
        "volume_truth_ml": np.nan if absent else truth_ml,
        "volume_error_percent": 100 * (pred_ml - truth_ml) / truth_ml if truth_ml else np.nan,
    }


def _off_grid(pred: LabelMap, truth: LabelMap) -> DatasetError:
    named = _name(truth.path)
    return DatasetError(
        "off-grid",
        f"the segmentation is not on the grid of {named} "
        f"({grid_difference(pred.geometry, truth.geometry)})",
        remedy="Segment the very scan the truth was drawn on, or resample one of the two first.",
        file=pred.path,
    )


def _name(path: Path | None) -> str:
    return path.name if path is not None else "the truth"
